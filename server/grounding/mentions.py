"""Mentions of names: the words of a text, and the other forms that a name may have in them."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

from archive.compounds import compound_parts
from server.grounding.countries import countries, countries_of_phrases
from server.grounding.names import WORD, fold

_FORM_ENDINGS = ("s", "n", "en", "es", "er", "ern", "isch", "ische", "ischen", "ischer", "isches")


class Mentions:
    """The words of a text, as names are looked up in them."""

    def __init__(self, text: str) -> None:
        words = [match[0] for match in WORD.finditer(text)]
        folded = [fold(word) for word in words]
        self.words = frozenset(folded)
        self._folded = f" {' '.join(folded)} "
        self._countries = countries_of_phrases(text).union(*map(countries, self.words))
        self._capitals = [fold(word) for word in words if word[0].isupper()]

    def hold(self, name: str) -> bool:
        """Whether a folded name is among them.

        Forms of it count (`Merkels`), adjectives and people of a place (`italienisch`), and what an acronym stands for.
        """
        if name in self.words or any(form in self.words for form in _forms(name)):
            return True
        if not self._countries.isdisjoint(countries(name)):
            return True
        return len(name) <= 5 and self._spell(name)

    def hold_whole(self, given: str, surname: str) -> bool:
        """Whether two folded names stand side by side."""
        return f" {given} {surname.removesuffix('s')}" in self._folded

    def hold_nearly(self, name: str) -> bool:
        """Whether a folded name is among them, if need be with a letter wrong."""
        return self.hold(name) or bool(len(name) > 5 and get_close_matches(name, self.words, 1, 0.88))

    def _spell(self, acronym: str) -> bool:
        """Whether capitals in a row spell an acronym: Europäische Zentralbank, EZB."""
        capitals = self._capitals
        return any(
            word[0] == acronym[0]
            and any(_abbreviates(acronym, capitals[start : start + count]) for count in range(1, len(acronym) + 1))
            for start, word in enumerate(capitals)
        )


@lru_cache(maxsize=50_000)
def _forms(name: str) -> tuple[str, ...]:
    """The other forms of a folded name: declined, the adjective and people of a place; and what it is a form of."""
    grown = [name + ending for ending in (_FORM_ENDINGS if len(name) > 3 else "s")]
    shrunk = [name[: -len(end)] for end in _FORM_ENDINGS if name.endswith(end) and len(name) - len(end) >= 3]
    if name.endswith("en") and len(name) > 5:
        grown += [name[:-1] + "r", name[:-1] + "rn", name + "er"]  # Bremen, Bremer; Göttingen, Göttinger
    return tuple(form for stem in (*shrunk, name) for form in (stem, stem + "s")) + tuple(grown)


@lru_cache(maxsize=10_000)
def _initials(word: str) -> str:
    """The first letters of a folded word's parts."""
    sizes = sorted({len(part) for part in compound_parts(word) if word.startswith(part)})[:2]
    return word[0] + "".join(word[size] for size in sizes if size < len(word))


def _abbreviates(acronym: str, words: Sequence[str]) -> bool:
    """Whether an acronym's letters are the first ones of the words and of the parts of compounds."""
    return len(acronym) >= 2 and "".join(map(_initials, words)) == acronym
