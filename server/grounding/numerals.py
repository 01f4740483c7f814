"""Numerals: number words of German and English, and what figures may be read as."""

import re
from functools import lru_cache

_ONES = {
    "ein": 1, "eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9,
    "zehn": 10, "elf": 11, "zwölf": 12, "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16, "siebzehn": 17,
    "achtzehn": 18, "neunzehn": 19,
}  # fmt: skip
_TENS = {
    "zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50,
    "sechzig": 60, "siebzig": 70, "achtzig": 80, "neunzig": 90,
}  # fmt: skip
_ENGLISH = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "twice": 2,
}  # fmt: skip
_ORDINALS = {
    "zweit": 2, "dritt": 3, "viert": 4, "fünft": 5, "sechst": 6, "siebt": 7, "acht": 8,
    "neunt": 9, "zehnt": 10, "elft": 11, "zwölft": 12,
}  # fmt: skip
SCALES = {
    "mio": 1e6, "million": 1e6, "millionen": 1e6, "mrd": 1e9, "milliarde": 1e9, "milliarden": 1e9, "billion": 1e12,
    "billionen": 1e12, "bio": 1e12, "tausend": 1e3, "tsd": 1e3, "hundert": 100, "dutzend": 12, "thousand": 1e3,
    "hundred": 100, "dozen": 12,
}  # fmt: skip
INFLECTION = re.compile(r"(?:n|en|e|s|er|ern|es|em)$")  # of ordinals and units
THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")  # points that set thousands apart


@lru_cache(maxsize=4096)
def worded(word: str) -> float | None:
    """The value of a lower-case number word; None for another word."""
    if word in _ONES or word in _TENS or word in _ENGLISH:
        found = _ONES.get(word) or _TENS.get(word) or _ENGLISH[word]
        return None if word in ("ein", "eins") else float(found)
    if word in ("anderthalb", "eineinhalb"):
        return 1.5
    if word.endswith("einhalb") and word[:-7] in _ONES:
        return _ONES[word[:-7]] + 0.5
    for tens, value in _TENS.items():
        if word.endswith("und" + tens) and word[: -len(tens) - 3] in _ONES:
            return float(_ONES[word[: -len(tens) - 3]] + value)
    for name, factor in (("tausend", 1000), ("hundert", 100)):
        head, found_name, tail = word.partition(name)
        if found_name and (not head or head in _ONES) and (not tail or _small(tail) is not None):
            return float(_ONES.get(head, 1) * factor + (_small(tail) or 0))
    stem = INFLECTION.sub("", word)
    return float(_ORDINALS[stem]) if stem != word and stem in _ORDINALS else None


def _small(word: str) -> float | None:
    return float(_ONES[word]) if word in _ONES else worded(word) if word else None


def readings(figure: str) -> frozenset[float]:
    """Every reading of digits: a point before three digits sets thousands apart, a comma may do either."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", figure):
        thousands = float(figure.replace(",", ""))
        return frozenset({thousands, float(figure.replace(",", "."))} if figure.count(",") == 1 else {thousands})
    if re.match(r"\d{1,3}(?:[.\u00a0\u202f’']\d{3})+(?:,|$)", figure):
        return frozenset({float(re.sub(r"[.\u00a0\u202f’']", "", figure).replace(",", "."))})
    return frozenset({float(figure.replace(",", "."))})
