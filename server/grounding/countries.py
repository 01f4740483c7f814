"""Countries and what is like them, by all that news calls them: name, adjective, people, capital, abbreviation."""

import re
from functools import lru_cache

from archive.compounds import spelled_out

_ALIASES = (
    ("usa", "us", "vereinigte staat", "amerika", "washington"), ("eu", "europäische union", "europ", "brüssel"),
    ("un", "uno", "uno", "vereinte nation", "united nation"), ("großbritannien", "brit", "england", "engl", "uk"),
    ("deutsch", "german", "bundes", "berlin"), ("frankreich", "franzos", "französ", "french", "france"),
    ("ital",), ("russ", "moskau", "kreml"), ("chin", "peking"), ("türk", "turk"), ("pol",), ("span", "spain"),
    ("israel",), ("österreich", "austria"), ("schweiz", "swiss"), ("niederl", "holl", "dutch"), ("japan",),
    ("griech", "greek"), ("schwed", "swed"), ("ukrain",), ("kana",), ("ind",), ("austral",), ("norweg", "norw"),
    ("dän", "dan"), ("belg",), ("tschech", "czech"), ("ungar", "hungar"), ("afghan",), ("ägypt", "egypt"),
    ("mexi",), ("brasil", "brazil"), ("südkorea", "korea"), ("nordkorea", "korea"), ("venezuela", "venezol"),
)  # fmt: skip
_COUNTRY_ENDING = re.compile(
    r"(?:i?sch(?:e[nrsm]?)?|e[nrsm]?|ern?|ens?|n|s|in(?:nen)?|an|ian|ese|ien|iens|ei|is|da|isch\w*)?"
)
_COUNTRIES: dict[str, list[tuple[str, int]]] = {}
for _number, _stems in enumerate(_ALIASES):
    for _stem in map(spelled_out, _stems):
        if " " not in _stem:
            _COUNTRIES.setdefault(_stem[:2], []).append((_stem, _number))
_PHRASES = [
    (number, phrases) for number, stems in enumerate(_ALIASES) if (phrases := [stem for stem in stems if " " in stem])
]


@lru_cache(maxsize=50_000)
def countries(word: str) -> frozenset[int]:
    """The countries that a folded word may mean, by number."""
    return frozenset(number for stem, number in _COUNTRIES.get(word[:2], ()) if _of_country(word, stem))


def countries_of_phrases(text: str) -> frozenset[int]:
    """The countries that a text calls by several words, by number."""
    low = text.lower()
    return frozenset(number for number, phrases in _PHRASES if any(phrase in low for phrase in phrases))


def _of_country(word: str, stem: str) -> bool:
    if len(stem) <= 3:
        return word == stem or (stem not in ("eu", "un", "uno", "us", "usa", "uk") and _declined(word, stem))
    return word.startswith(stem) and (len(stem) > 4 or _declined(word, stem))


def _declined(word: str, stem: str) -> bool:
    return word.startswith(stem) and _COUNTRY_ENDING.fullmatch(word[len(stem) :]) is not None
