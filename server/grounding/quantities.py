"""Figures in German and English text, as values with units: `1,1 Millionen`, `1.100.000` and `1.1 million` are one.

A figure may be read in more than one way (`8,000` is eight or eight thousand), so a quantity holds all its readings,
and two are equal where they share one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from server.grounding.numerals import INFLECTION, SCALES, THOUSANDS, readings, worded

_UNIT_STEMS = {
    "%": "%", "prozent": "%", "percent": "%", "per cent": "%", "€": "€", "euro": "€", "eur": "€", "$": "$",
    "dollar": "$", "us-dollar": "$", "usd": "$", "£": "£", "pfund": "£", "pound": "£", "franken": "chf", "yen": "¥",
    "yuan": "yuan", "rubel": "rubel", "bitcoin": "btc", "btc": "btc", "mark": "mark", "reichsmark": "mark",
    "sekunde": "s", "second": "s", "minute": "min", "stunde": "h", "hour": "h", "tag": "d", "day": "d", "tägig": "d",
    "woche": "week", "week": "week", "wöchig": "week", "monat": "month", "month": "month", "jahr": "year",
    "year": "year", "jährig": "year", "meter": "m", "kilometer": "km", "km": "km", "tonne": "t", "kilogramm": "kg",
    "kg": "kg", "stündig": "h", "minütig": "min", "monatig": "month", "prozentig": "%", "uhr": "o'clock",
}  # fmt: skip
_STRICT = frozenset({"%", "€", "$", "£", "chf", "¥", "yuan", "rubel", "btc", "mark"})  # never left out in print
_TOKEN = re.compile(
    r"(?P<before>[€$£]\s?)?(?P<figure>\d{1,3}(?:[.\u00a0\u202f’']\d{3})+(?:,\d+)?(?!\d)|\d{1,3}(?:,\d{3})+(?![\d,])|"
    r"\d+(?:[.,]\d+)?)|(?P<word>[^\W\d_]+)|(?P<sign>[%€$£])"
)
_CLOCK = re.compile(r"\b(\d{1,2})\.(\d{2})(?=\s+Uhr)")
_ABOUT = frozenset(
    "rund etwa circa ca ungefähr knapp fast gut über mehr nahezu annähernd gegen bis unter weniger mindestens "
    "about around roughly nearly almost over approximately some under least".split()
)
_AT_LEAST = re.compile(r"(?:mehr als|mindestens|more than|at least)\s+$", re.IGNORECASE)
_AT_MOST = re.compile(r"(?:weniger als|höchstens|maximal|less than|fewer than|at most)\s+$", re.IGNORECASE)
_RANGE = re.compile(
    r"\s*(?:bis(?: zu)?|und|oder|auf|to|and|or|[-–/])\s*(?:(?:rund|etwa|knapp|über)\s+)?", re.IGNORECASE
)
_NEAR = 0.06  # how far a rounded figure may lie from the exact one
_PREFIXED = re.compile(
    r"(.+?)(jährig|köpfig|stündig|tägig|prozentig|stufig|fach|teilig|monatig|wöchig|minütig|stellig|mal)(?:e[nrsm]?)?"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure: its readings, its unit ("" for a bare one), how it is written, and whether it is said to be rounded.

    `bound` is 1 for at least, -1 for at most. `start` and `end` are its place in the text.
    """

    values: frozenset[float]
    unit: str
    literal: str
    start: int
    end: int
    about: bool = False
    bound: int = 0


def quantities(text: str) -> list[Quantity]:
    """The quantities of a text in order. What dates and identifiers take must be blanked before."""
    found: list[Quantity] = []
    tokens = list(_TOKEN.finditer(text))
    position = 0
    while position < len(tokens):
        position, quantity = _read(text, tokens, position)
        if quantity:
            found.append(quantity)
    return _with_shared_units(text, found)


def _read(text: str, tokens: list[re.Match[str]], position: int) -> tuple[int, Quantity | None]:
    """The quantity that begins at a token, None where none does, and where to read on."""
    token = tokens[position]
    values, unit = _value(token, position == 0)
    following = position + 1
    scale_only = token["word"] and token["word"].lower() in ("ein", "eine", "einer", "einem", "a", "one", "einen")
    if values is None and not scale_only:
        return following, None
    values = values or frozenset({1.0})
    scaled = False
    end = token.end()
    if following < len(tokens) and (scale := _scale(text, end, tokens[following])):
        values, end, scaled = frozenset(value * scale for value in values), tokens[following].end(), True
        following += 1
        if text[end : end + 1] == "." and tokens[following - 1][0].lower() in ("mio", "mrd", "bio", "tsd"):
            end += 1
    if not unit and following < len(tokens) and text[end : tokens[following].start()].strip(" \u00a0\u202f-") == "":
        dollar = tokens[following][0] == "US" and text[tokens[following].end() :].startswith(("-Dollar", "$"))
        unit = "$" if dollar else _unit(tokens[following][0])
    elif token["before"]:
        unit = token["before"].strip()
    if scale_only and not scaled and unit not in _STRICT:
        return position + 1, None
    before = text[: token.start()]
    words = re.findall(r"[^\W\d_]+", before[-24:])[-2:]
    bound = 1 if _AT_LEAST.search(before) else -1 if _AT_MOST.search(before) else 0
    about = any(word.lower() in _ABOUT for word in words)
    literal = "" if scaled or token["word"] else token["figure"]
    return following, Quantity(frozenset(values), unit, literal or "", token.start(), end, about, bound)


def _value(token: re.Match[str], first: bool) -> tuple[frozenset[float] | None, str]:
    if token["figure"]:
        return readings(token["figure"]), ""
    word = token["word"] or ""
    low = word.lower()
    if low in ("dutzend", "hundert", "tausend", "dozen") and not low.endswith("e"):
        return frozenset({SCALES[low]}), ""
    if word and (word.islower() or first):
        if (value := worded(low)) is not None:
            return frozenset({value}), ""
        if (parts := _PREFIXED.fullmatch(low)) and (value := worded(parts[1])) is not None:
            return frozenset({value}), _unit(parts[2])
        if low in ("beide", "beiden", "beider", "both"):
            return frozenset({2.0}), ""
    return None, ""


def _scale(text: str, end: int, token: re.Match[str]) -> float | None:
    word = token["word"]
    if not word or text[end : token.start()].strip(" \u00a0\u202f-"):
        return None
    if word == "billion":  # English; the German one is a noun
        return 1e9
    return 1e12 if word == "trillion" else SCALES.get(word.lower())


@lru_cache(maxsize=4096)
def _unit(word: str) -> str:
    low = word.lower()
    for _ in range(3):
        if low in _UNIT_STEMS:
            return _UNIT_STEMS[low]
        shorter = INFLECTION.sub("", low)
        if shorter == low:
            break
        low = shorter
    low = word.lower()
    return next((_UNIT_STEMS[low[:-cut]] for cut in (1, 2) if low[:-cut] in _UNIT_STEMS), "")


def _with_shared_units(text: str, found: list[Quantity]) -> list[Quantity]:
    """`5 bis 10 Millionen Euro`: the first figure shares the unit of the second, and may share its scale."""
    shared = list(found)
    for index in range(len(found) - 2, -1, -1):
        this, following = shared[index], shared[index + 1]
        if this.unit or not _RANGE.fullmatch(text[this.end : following.start]):
            continue
        scales = {
            factor for factor in (1e3, 1e6, 1e9, 1e12) if not following.literal and max(following.values) >= factor
        }
        values = this.values | {value * factor for value in this.values for factor in scales if value < 1000}
        shared[index] = replace(this, unit=following.unit, values=frozenset(values))
    return shared


def with_clock(text: str) -> str:
    """The text with times of day written in one way (`14:30 Uhr`), every character in its place."""
    return _CLOCK.sub(r"\1:\2", text)


def same(claimed: Quantity, held: Quantity) -> bool:
    """Whether a source's quantity bears out a claimed one: equal, or near to one that is said to be rounded."""
    if claimed.unit != held.unit and (claimed.unit in _STRICT or (claimed.unit and held.unit)):
        return False
    if claimed.bound * held.bound < 0:
        return False
    written = claimed.literal, held.literal
    if all("." in literal and not THOUSANDS.fullmatch(literal) for literal in written):
        return written[0] == written[1]  # versions: 2.10 is not 2.1
    pairs = [(left, right) for left in claimed.values for right in held.values]
    if any(abs(left - right) <= 1e-9 * max(left, right, 1) for left, right in pairs):
        return True
    return claimed.about and any(
        abs(left - right) <= _NEAR * right or (left == _rounded(right, left) and abs(left - right) <= 2 * _NEAR * right)
        for left, right in pairs
    )


def _rounded(value: float, like: float) -> float:
    """The value with as many significant digits as another."""
    digits = len(f"{like:.0f}".rstrip("0")) if like >= 1 else 1
    return float(f"{value:.{max(digits, 1) - 1}e}")


def borne_out(claimed: Quantity, held: Iterable[Quantity]) -> bool:
    """Whether any of a source's quantities bears out a claimed one."""
    return any(same(claimed, quantity) for quantity in held)
