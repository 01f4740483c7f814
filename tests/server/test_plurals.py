"""The number of nouns behind "welche"."""

import pytest

from server.plurals import is_plural


@pytest.mark.parametrize(
    "noun",
    [
        "Haftstrafen", "Regeln", "Sicherheitslücken", "Spielestudios", "Apps", "Sender", "Länder", "Artikel",
        "Sensorformate", "Stämme", "Großstädte", "Züge", "E-Autos",
    ],
)  # fmt: skip
def test_several(noun):
    assert is_plural(noun)


@pytest.mark.parametrize(
    "noun",
    [
        "Krankenkasse", "Fremdsprache", "Stadt", "Partei", "Version", "Firma", "Universität", "Behörde", "Nummer",
        "Regel", "Person", "Praxis", "Stelle", "KI-Firma", "X", "",
    ],
)  # fmt: skip
def test_one(noun):
    assert not is_plural(noun)
