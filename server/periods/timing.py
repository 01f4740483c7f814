"""When a question means: the period it names, in days, and whether it asks for the newest or the oldest.

Not by dateparser (1.5, PyPI), which finds dates, not periods: on 400 questions of our own, its dates widened to the
month or year that their words name, it understands 66 of 239 periods and sees one in 109 of 161 questions that mean
none ("Windows 2000", "iPhone 15", "25 Jahre Haft"), at 1.7 ms a question; this package 239 and 2, at 0.2 ms.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from archive.articles import MONTHS, Period
from server.periods.days import add_days
from server.periods.grammar import find_moments, lower
from server.periods.relations import Mention, find_mentions

Leaning = Literal["newer", "older"]

_NEWER = re.compile(
    r"\b(?:neue?ste[nmrs]?|zuletzt|aktuell(?:e[nmrs]?|ste[nmrs]?)?|derzeit|momentan|inzwischen|mittlerweile|kürzlich|neulich|"
    r"jetzt|vor\s+kurzem|jüngste[nmrs]?\s+(?:meldung|nachricht|entwicklung|stand|bericht|zahl)\w*|"
    r"letzte[nr]?\s+(?:meldung|nachricht|stand)\w*|neuigkeit(?:en)?|gibt['’]?s?\s+(?:es\s+)?(?:\w+\s+)?neues|unlängst|jüngst|"
    r"dieser\s+tage|in\s+letzter\s+zeit|latest|newest|recent|recently|current|currently|nowadays|right\s+now|"
    r"what['’]?\s?i?s\s+new|any\s+news)\b"
)
_OLDER = re.compile(
    r"\b(?:zuerst|damals|ursprünglich|erstmals|anfänglich|zum\s+ersten\s+mal|früheste[nmrs]?|originally|initially|at\s+first|"
    r"back\s+then|earliest|for\s+the\s+first\s+time)\b"
)
_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_PARTS_OF_YEAR = {"month", "season", "fraction", "feast"}
_JOINING = {"de": ("seit", "bis", "bis", "jederzeit"), "en": ("since", "until", "to", "any time")}


@dataclass(frozen=True, slots=True)
class Timing:
    """What a question says about time.

    `period` may be open on either side and never lies wholly in the future. It is `firm` where articles outside it
    can't be meant; otherwise ("Bundestagswahl 2021", "im Sommer", "Q3 2024") it is a hint. `leaning` says which end is
    asked for. `phrase` holds the words of the question behind the period, empty without one. `query` is the question
    without the words that only say when, for the search by words; the question itself where nothing else is left.
    """

    period: Period | None
    leaning: Leaning | None
    phrase: str
    query: str
    firm: bool = False


def understand_time(question: str, today: date) -> Timing:
    """Read the period out of a German or English question asked on `today`; never raises.

    Of several periods the narrower one counts where one holds the other, and all days from the first to the last
    otherwise; firm ones go before hints.
    """
    question = unicodedata.normalize("NFC", question)
    mentions = find_mentions(question, find_moments(question), today)
    firm = [mention for mention in mentions if mention.firm]
    meant = _narrowest(firm or mentions)
    return Timing(
        period=_hull(meant) if meant else None,
        leaning=_leaning(question),
        phrase=", ".join(question[mention.start : mention.end] for mention in meant),
        query=_without(question, [mention for mention in firm if not mention.topical]),
        firm=bool(firm),
    )


def names_part_of_year(phrase: str) -> bool:
    """Whether words for a time name a month, season or quarter without saying of which year."""
    return any(moment.undated and moment.words.keys() & _PARTS_OF_YEAR for moment in find_moments(phrase))


def describe_period(period: Period, language: str = "de") -> str:
    """The period as people write it, in German ("de") or English ("en"): "Mai 2023", "1. bis 10. Mai 2023"."""
    since, until, to, always = _JOINING[language]
    start, end = period.start, period.end
    if start is None or end is None:
        return f"{since} {_day(start, language)}" if start else f"{until} {_day(end, language)}" if end else always
    if start == end:
        return _day(start, language)
    after = add_days(end, 1)
    if start.day == after.day == 1:
        return _whole_months(start, end, to, language)
    day = str(start.day) + ("." if language == "de" else "")
    if (start.year, start.month) == (end.year, end.month):
        return f"{day} {to} {_day(end, language)}"
    if start.year == end.year:
        return f"{day} {_month_name(start, language)} {to} {_day(end, language)}"
    return f"{_day(start, language)} {to} {_day(end, language)}"


def _whole_months(start: date, end: date, to: str, language: str) -> str:
    first, last = _month_name(start, language), _month_name(end, language)
    if (start.month, end.month) == (1, 12):
        return str(start.year) if start.year == end.year else f"{start.year} {to} {end.year}"
    if start.year == end.year:
        return f"{first} {end.year}" if first == last else f"{first} {to} {last} {end.year}"
    return f"{first} {start.year} {to} {last} {end.year}"


def _month_name(day: date, language: str) -> str:
    return (MONTHS if language == "de" else _ENGLISH_MONTHS)[day.month - 1]


def _day(day: date, language: str) -> str:
    return f"{day.day}{'.' if language == 'de' else ''} {_month_name(day, language)} {day.year}"


def _leaning(question: str) -> Leaning | None:
    text = lower(question)
    newer, older = _NEWER.search(text), _OLDER.search(text)
    if bool(newer) == bool(older):
        return None
    return "newer" if newer else "older"


def _narrowest(mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions that hold no other one: of "2021 ... im Mai" the month, of equal ones the first."""
    narrow: list[Mention] = []
    for mention in sorted(mentions, key=lambda mention: _length(mention.period)):
        if not any(_holds(mention.period, other.period) for other in narrow):
            narrow.append(mention)
    return sorted(narrow, key=lambda mention: mention.start)


def _length(period: Period) -> timedelta:
    return (period.end or date.max) - (period.start or date.min)


def _holds(outer: Period, inner: Period) -> bool:
    return (outer.start or date.min) <= (inner.start or date.min) and (inner.end or date.max) <= (outer.end or date.max)


def _hull(mentions: Sequence[Mention]) -> Period | None:
    """All days from the first to the last; None where that is every day."""
    starts = [mention.period.start for mention in mentions]
    ends = [mention.period.end for mention in mentions]
    start = None if None in starts else min(day for day in starts if day)
    end = None if None in ends else max(day for day in ends if day)
    return Period(start, end) if start or end else None


def _without(question: str, mentions: Sequence[Mention]) -> str:
    """The question without the words of the mentions and the punctuation that they leave behind."""
    kept, position = "", 0
    for mention in mentions:
        kept += question[position : mention.start] + " "
        position = mention.end
    kept += question[position:]
    if not mentions or not re.search(r"\w{2}", kept):
        return question
    kept = re.sub(r"\(\s*\)|\[\s*\]", " ", kept)
    kept = re.sub(r"\s+", " ", kept)
    return re.sub(r"\s(?=[,.;:?!)])", "", kept).strip(" ,;:-–")
