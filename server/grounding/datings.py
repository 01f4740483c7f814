"""Dates as German and English text says them, and as a source means them by the day it was published.

`29. März 2024`, `29.3.2024`, `2024-03-29` and `March 29, 2024` are one. A year or a month alone is borne out by any
date within it. Of a source, `am Freitag`, `gestern` and `im Vorjahr` count by its publication; `29. März` falls in the
year that brings it nearest.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januar jan january jänner", "februar feb february", "märz mrz march", "april apr", "mai may",
            "juni jun june", "juli jul july", "august aug", "september sept sep", "oktober okt october oct",
            "november nov", "dezember dez december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "montag monday", "dienstag tuesday", "mittwoch wednesday", "donnerstag thursday", "freitag friday",
            "samstag sonnabend saturday", "sonntag sunday",
        )
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted((name for name in _MONTHS), key=len, reverse=True))
_DAY_NAME = "|".join(_WEEKDAYS)
_YEAR = r"(?:1[5-9]|20)\d\d"
_FORMS = re.compile(
    rf"(?<![\w.-])(?P<y1>{_YEAR})-(?P<m1>\d\d)-(?P<d1>\d\d)(?!\d)"
    rf"|(?<![\w.,])(?P<d2>\d{{1,2}})\.\s?(?P<m2>\d{{1,2}})\.(?:\s?(?P<y2>{_YEAR}|\d\d)(?!\d|[.,]\d))?(?!\d)"
    rf"|(?<![\w.,])(?P<d3>\d{{1,2}})(?:\.|st|nd|rd|th)?\s?(?P<m3>{_MONTH})\b\.?(?:,?\s?(?P<y3>{_YEAR})(?!\d))?"
    rf"|\b(?P<m4>{_MONTH})\b\.?\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|[.,]\d)(?:,?\s(?P<y4>{_YEAR})(?!\d))?"
    rf"|\b(?P<m5>{_MONTH})\b\.?(?:,?\s(?:des Jahres\s)?(?P<y5>{_YEAR})(?!\d))?"
    rf"|(?<![\w.,/:€$£-])(?P<y6>{_YEAR})(?![\w:%€$]|[.,]\d|-\d)"
    rf"|\b(?P<weekday>{_DAY_NAME})(?:s|abend|nacht|morgen|nachmittag|mittag|vormittag)?\b"
    r"|\b(?P<relative>vorgestern|gestern(?!n)|heute|übermorgen|yesterday|today)\b"
    r"|\b(?P<span>vorjahr\w*|(?:vergangene[nms]?|letzte[nms]?|vorige[nms]?|last) (?:jahr\w*|year|monat\w*|month)"
    r"|(?:diese[nms]?|this) (?:jahr\w*|year|monat\w*|month)|diesjährig\w*|(?:nächste[nms]?|kommende[nms]?|next) "
    r"(?:jahr\w*|year|monat\w*|month)|vormonat\w*)\b",
    re.IGNORECASE,
)
_LIKELY_WORDS = frozenset({"may", "march", "mai", "mar", "sun", "sep", "apr", "jan", "jun", "jul", "dec", "oct", "feb"})
_AHEAD = re.compile(r"\b(?:kommend\w*|nächst\w*|wird|werden|soll\w*|will|wollen|next|coming)\b", re.IGNORECASE)
_RELATIVE = {"vorgestern": -2, "gestern": -1, "yesterday": -1, "heute": 0, "today": 0, "übermorgen": 2}


@dataclass(frozen=True, slots=True)
class Dating:
    """A date as far as it is said; `weekday` counts from Monday, 0. `start` and `end` are its place in the text."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    start: int = 0
    end: int = 0

    @property
    def only_year(self) -> bool:
        """Whether nothing but a year is said, which might as well be a number."""
        return self.year is not None and self.month is None


def of_day(day: date) -> Dating:
    """A whole date."""
    return Dating(day.year, day.month, day.day, day.weekday())


def datings(text: str) -> list[Dating]:
    """The dates that a text names, in order; relative ones (`gestern`) are left out."""
    return [found for match in _FORMS.finditer(text) if (found := _dating(match)) is not None]


def _dating(match: re.Match[str]) -> Dating | None:
    groups = {name: value for name, value in match.groupdict().items() if value}
    place = match.span()
    if weekday := groups.get("weekday"):
        return Dating(None, None, None, _WEEKDAYS[weekday.lower()], *place)
    if not groups or "relative" in groups or "span" in groups:
        return None
    form = next(iter(groups))[-1]
    year, month, day = (groups.get(letter + form) for letter in "ymd")
    if form == "5" and not year and (month or "").lower() in _LIKELY_WORDS and not (month or "")[0].isupper():
        return None  # "may" is seldom the month
    number = int(month) if month and month.isdigit() else _MONTHS[month.lower()] if month else None
    if (number is not None and not 1 <= number <= 12) or (day is not None and not 1 <= int(day) <= 31):
        return None
    full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 60 else 1900) if year else None
    return Dating(full, number, int(day) if day else None, None, *place)


def held_datings(text: str, published: date | None, year: int | None = None) -> list[Dating]:
    """The dates that a source's text means. `year` is one that was said before, which later days may fall in."""
    found: list[Dating] = []
    for match in _FORMS.finditer(text):
        said = _dating(match)
        if said is None and published:
            found.extend(_relative(match, published))
        elif said is not None:
            found.append(said)
            year = said.year or year
            found.extend(_resolved(said, published, year, ahead=bool(_AHEAD.search(text))))
    return found


def _resolved(said: Dating, published: date | None, year: int | None, *, ahead: bool) -> list[Dating]:
    """What an incomplete date means: a weekday before the publication (or after it, where the text looks `ahead`), a
    day or month in the nearest year.
    """
    if said.weekday is not None:
        around = [published + timedelta(days=days) for days in range(-7, 8 if ahead else 1)] if published else []
        return [of_day(day) for day in around if day.weekday() == said.weekday]
    if said.year is not None or said.month is None:
        return []
    years = {year} if year else set()
    if published:
        middle = said.day or 15
        distance = {
            candidate: abs(
                (candidate - published.year) * 365 + (said.month - published.month) * 30 + middle - published.day
            )
            for candidate in (published.year - 1, published.year, published.year + 1)
        }
        years.add(min(distance, key=distance.__getitem__))
    return [Dating(candidate, said.month, said.day) for candidate in years]


def _relative(match: re.Match[str], published: date) -> list[Dating]:
    if match["relative"]:
        return [of_day(published + timedelta(days=_RELATIVE[match["relative"].lower()]))]
    span = (match["span"] or "").lower()
    if not span:
        return []
    step = 1 if span.startswith(("näch", "komm", "next")) else 0 if span.startswith(("dies", "this")) else -1
    if "jahr" in span or "jähr" in span or "year" in span:
        return [Dating(published.year + step)]
    months = published.year * 12 + published.month - 1 + step
    return [Dating(months // 12, months % 12 + 1)]


def borne_out(claimed: Dating, held: Iterable[Dating]) -> bool:
    """Whether one of a source's dates lies within the claimed one."""
    return any(
        all(
            said is None or said == known
            for said, known in (
                (claimed.year, dating.year), (claimed.month, dating.month),
                (claimed.day, dating.day), (claimed.weekday, dating.weekday),
            )
        )
        for dating in held
    )  # fmt: skip


def blanked(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The text with spaces in these places, every other character where it was."""
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
