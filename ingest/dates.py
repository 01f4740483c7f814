"""Dates as news files write them -> aware datetimes."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from archive.articles import MONTHS, TIME_ZONE
from archive.errors import BadArticle

FIRST_YEAR = 1990  # nothing a German online archive holds is older; what claims to be is a parser's default
_AHEAD = timedelta(days=2)  # embargoed articles and clocks that differ
_WIDEST_OFFSET = timedelta(hours=14)

_TIME = r"(?:\s*[,|–-]?\s*(?:um\s+)?(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?::\d{2})?(?:\s*Uhr)?)?"
_WEEKDAY = r"(?:[A-Za-z]+\.?,?\s+)?(?:den\s+)?"
_SPELLED = re.compile(rf"{_WEEKDAY}(?P<day>\d{{1,2}})\.\s*(?P<month>[A-Za-zä]+)\.?\s+(?P<year>\d{{4}}){_TIME}")
_DOTTED = re.compile(rf"{_WEEKDAY}(?P<day>\d{{1,2}})\.\s*(?P<month>\d{{1,2}})\.\s*(?P<year>\d{{4}}){_TIME}")
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?!\d)")
_UNIX = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
# Jänner and mrz are Austria's January and the usual abbreviation of March.
_MONTH_NUMBERS = {name.lower()[:3]: number for number, name in enumerate(MONTHS, 1)} | {"jän": 1, "mrz": 3}


def parse_date(text: str, now: datetime) -> datetime | None:
    """Read ISO 8601, RFC 822, German dates or Unix time; naive ones are German time, empty ones None.

    Raises BadArticle where the text is no date, lies before 1990 or more than two days after `now` (aware).
    """
    text = text.strip()
    if not text:
        return None
    moment = _parse(text)
    if moment is None:
        raise BadArticle(f"date {text[:60]!r} can't be read; ISO 8601 such as 2024-03-23T18:32:00+01:00 always can")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=TIME_ZONE)
    if moment.year < FIRST_YEAR:
        raise BadArticle(f"date {text[:60]!r} lies before {FIRST_YEAR}")
    if moment.year > now.year + 1 or moment > now + _AHEAD:
        raise BadArticle(f"date {text[:60]!r} lies in the future")
    offset = moment.utcoffset() or timedelta()
    # SQLite, where articles are kept, reads the offsets that are in use, and no date with another.
    return moment if abs(offset) <= _WIDEST_OFFSET and not offset.seconds % 60 else moment.astimezone(UTC)


def first_and_last(text: str) -> tuple[date, date]:
    """The days of a year, a month or a day as ISO 8601 writes them: `2022`, `2022-01`, `2022-01-31`.

    Raises BadArticle where it is none of these.
    """
    try:
        match [int(part) for part in text.strip().split("-")]:
            case [year]:
                return date(year, 1, 1), date(year, 12, 31)
            case [year, month]:
                return date(year, month, 1), date(year, month, monthrange(year, month)[1])
            case [year, month, day]:
                return date(year, month, day), date(year, month, day)
    except ValueError as error:
        raise BadArticle(f"{text!r} is no time; write 2022, 2022-01 or 2022-01-31") from error
    raise BadArticle(f"{text!r} is no time; write 2022, 2022-01 or 2022-01-31")


def _parse(text: str) -> datetime | None:
    for parse in (_unix, _iso, _german, parsedate_to_datetime):
        try:
            if (moment := parse(text)) is not None:
                return moment
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _unix(text: str) -> datetime | None:
    if not _UNIX.fullmatch(text):
        return None
    seconds = float(text)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)


def _iso(text: str) -> datetime:
    slashed = _SLASHED.match(text)
    if slashed:
        year, month, day = slashed.groups()
        text = f"{year}-{month:0>2}-{day:0>2}{text[slashed.end() :]}"
    return datetime.fromisoformat(text)


def _german(text: str) -> datetime | None:
    match = _SPELLED.fullmatch(text) or _DOTTED.fullmatch(text)
    if match is None:
        return None
    month = match["month"]
    number = int(month) if month.isdigit() else _MONTH_NUMBERS.get(month.lower()[:3])
    if number is None:
        return None
    return datetime(int(match["year"]), number, int(match["day"]), int(match["hour"] or 0), int(match["minute"] or 0))
