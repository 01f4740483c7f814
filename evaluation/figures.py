"""Figures of a text as keys that are equal where the figures are, however they are written.

`1.234` is `1 234` and `1234`; `3,5` is `3.5`; `5,4 Millionen` is `5.400.000`; `03.05.2023` is `3. Mai 2023`; `zwei` is
`2`. Independent of what the server checks answers with, which is what this judges.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from archive.articles import MONTHS, TIME_ZONE

_MAGNITUDES = {
    "tausend": 3, "thousand": 3, "mio": 6, "million": 6, "millionen": 6, "mrd": 9, "milliarde": 9, "milliarden": 9,
}  # fmt: skip
_MAGNITUDE = r"(?:[Tt]ausend|thousand|Mio|[Mm]illion(?:en)?|Mrd|Milliarden?|[Bb]illion(?:en)?)\b"
_FIGURE = re.compile(rf"(?P<figure>\d+(?:[.,:]\d+)*)(?:[ -](?P<magnitude>{_MAGNITUDE}))?")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})((?:[ '’]\d{3})+)(?!\d)")
_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MONTH_NUMBERS = {
    name.lower(): number for names in (MONTHS, _ENGLISH_MONTHS) for number, name in enumerate(names, 1)
}  # fmt: skip
_MONTH = "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True))
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})\.?(?:st|nd|rd|th)? ({_MONTH})(?:,? (\d{{4}}))?\b", re.I)
_MONTH_DAY = re.compile(rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?\b", re.I)
_LIST_NUMBER = re.compile(rf"^\s*(?:[-*•]\s*)?\(?\d{{1,2}}[.)]\s+(?!{_MONTH})", re.I | re.M)
_WORDS = {
    "zwei": 2, "beide": 2, "beiden": 2, "zweite": 2, "zweiten": 2, "two": 2, "both": 2, "drei": 3, "three": 3,
    "vier": 4, "four": 4, "fünf": 5, "five": 5, "sechs": 6, "six": 6, "sieben": 7, "seven": 7, "acht": 8, "eight": 8,
    "neun": 9, "nine": 9, "zehn": 10, "ten": 10, "elf": 11, "eleven": 11, "zwölf": 12, "twelve": 12, "dutzend": 12,
    "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
    "zwanzig": 20, "twenty": 20, "dreißig": 30, "thirty": 30, "vierzig": 40, "fünfzig": 50, "fifty": 50, "sechzig": 60,
    "siebzig": 70, "achtzig": 80, "neunzig": 90, "hundert": 100, "hundred": 100, "tausend": 1000, "thousand": 1000,
}  # fmt: skip
_ONES = {"ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "eines": 1, "one": 1, "erste": 1, "ersten": 1}
_TOLD = 3  # a number word from here on is a figure; "zwei" and "beide" often only count what was just named
_WORD = re.compile(r"[^\W\d_]+")


def figures_in(text: str) -> list[tuple[str, frozenset[str]]]:
    """(figure as it is written, keys any one of which is it); list numbers are none, number words count from 3 on."""
    level = _LIST_NUMBER.sub("", _level(text))
    found = [(match[0], _keys(match["figure"], match["magnitude"])) for match in _FIGURE.finditer(level)]
    words = ((word, _WORDS.get(word.lower(), 0)) for word in _WORD.findall(_FIGURE.sub(" ", level)))
    return found + [(word, frozenset({str(value)})) for word, value in words if value >= _TOLD]


def keys_of(text: str) -> set[str]:
    """All keys that a source's text bears out."""
    level = _level(text)
    keys: set[str] = set()
    for form in {level, _spaced(text)}:
        for match in _FIGURE.finditer(form):
            keys |= _keys(match["figure"], match["magnitude"]) | _keys(match["figure"], None)
            keys |= _date_parts(match["figure"])
    for day, month, year in _dates(level):
        keys |= _date_keys(day, month, year)
    words = {word.lower() for word in _WORD.findall(level)}
    return keys | {str(value) for table in (_WORDS, _ONES) for word, value in table.items() if word in words}


def keys_of_moment(moment: datetime) -> set[str]:
    """The keys of a date of publication, in the archive's time zone."""
    day = moment.astimezone(TIME_ZONE) if moment.tzinfo else moment
    return _date_keys(day.day, day.month, day.year)


def month_key(month: int) -> str:
    """The key of a month that some date lies in."""
    return f"month {month}"


def _spaced(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ")


def _level(text: str) -> str:
    return _GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]), _spaced(text))


def _keys(figure: str, magnitude: str | None) -> frozenset[str]:
    """Every value that a figure may mean: what a full stop or comma parts depends on the language."""
    values = set(_values(figure))
    if magnitude is None:
        return frozenset(values)
    # German Billion is a million millions, English billion a thousand.
    power = _MAGNITUDES.get(magnitude.lower()) or (12 if magnitude[0] == "B" else 9)
    return frozenset(_plain(Decimal(value) * 10**power) for value in values if value.count(".") <= 1)


def _values(figure: str) -> Iterator[str]:
    parts, separators = re.split(r"[.,:]", figure), re.findall(r"[.,:]", figure)
    if not separators:
        yield str(int(figure))
        return
    if ":" not in separators and len(set(separators)) == 1 and all(len(part) == 3 for part in parts[1:]):
        yield str(int("".join(parts)))
    if len(separators) == 1 or (separators[-1] != separators[0] and len(set(separators[:-1])) == 1):
        yield _plain(Decimal("".join(parts[:-1]) + "." + parts[-1]))
    yield ".".join(str(int(part)) for part in parts)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date_parts(figure: str) -> set[str]:
    """Day, month and year of a date in figures, alone and together."""
    parts = figure.split(".")
    if len(parts) == 3 and len(parts[2]) == 4 and int(parts[0]) <= 31 and int(parts[1]) <= 12:
        return _date_keys(*map(int, parts))
    return set()


def _dates(text: str) -> Iterable[tuple[int, int, int | None]]:
    for day, month, year in _DAY_MONTH.findall(text):
        yield int(day), MONTH_NUMBERS[month.lower()], int(year) if year else None
    for month, day, year in _MONTH_DAY.findall(text):
        yield int(day), MONTH_NUMBERS[month.lower()], int(year) if year else None


def _date_keys(day: int, month: int, year: int | None) -> set[str]:
    keys = {str(day), str(month), f"{day}.{month}", month_key(month)}
    return keys | ({str(year), f"{day}.{month}.{year}"} if year else set())
