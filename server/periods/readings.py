"""What expressions that name days, months, years, seasons, feasts mean: named groups of a pattern in, days out."""

import re
from collections.abc import Callable
from datetime import date
from functools import partial

from archive.articles import Period
from server.periods import days
from server.periods.backward import count_of
from server.periods.meaning import Known, Reading, Words
from server.periods.words import (
    BACK_WORDS,
    DECADE_WORDS,
    FEAST_WORDS,
    MONTH_WORDS,
    ORDINAL_WORDS,
    PART_WORDS,
    SEASON_WORDS,
)


def read_date(words: Words, known: Known) -> Reading | None:
    """A day of a month; None for a bare number without a month beside it, and for a thirteenth month."""
    month = _month_number(words["month"]) if "month" in words else known.month
    if month is None or not 1 <= month <= 12:
        return None
    day = int(words["day"])
    return _yearly(words, known, lambda year: days.day_or_month(year, month, day))


def read_month(words: Words, known: Known) -> Reading:
    """A month or a part of one."""
    return _yearly(words, known, partial(_part_of_month, _month_number(words["month"]), words.get("part")))


def read_half_of_month(words: Words, known: Known) -> Reading | None:
    """The first fifteen days of a month, or the others."""
    month, half = _month_number(words["month"]), ORDINAL_WORDS[words["ordinal"]]
    if half > 2:
        return None

    def make(year: int) -> Period:
        whole = days.months_from(year, month)
        return (
            Period(date(year, month, 1), date(year, month, 15))
            if half == 1
            else Period(date(year, month, 16), whole.end)
        )

    return _yearly(words, known, make)


def read_week_of_month(words: Words, known: Known) -> Reading:
    """Seven days of a month, counted from its first day, or its last seven."""
    month, number = _month_number(words["month"]), ORDINAL_WORDS.get(words["ordinal"])

    def make(year: int) -> Period:
        whole = days.months_from(year, month)
        assert whole.start and whole.end
        first = days.add_days(whole.start, 7 * (number - 1)) if number else days.add_days(whole.end, -6)
        return Period(first, days.add_days(first, 6))

    return _yearly(words, known, make)


def read_calendar_week(words: Words, known: Known) -> Reading | None:
    """A week by its number in ISO 8601, 1 to 52; None beyond."""
    number = int(words["week"])
    if not 1 <= number <= 52:
        return None
    return _yearly(words, known, lambda year: days.week_days(date.fromisocalendar(year, number, 1)))


def read_months_of_year(words: Words, known: Known) -> Reading | None:
    """The first or last so many months of a year; None where nobody counts them, or for more than twelve."""
    count, year = int(count_of(words) or 0), int(words["year"])
    if not 1 <= count <= 12:
        return None
    return Reading(days.months_from(year, 1 if words["edge"] in ("ersten", "first") else 13 - count, count))


def read_turn_of_year(words: Words, known: Known) -> Reading:
    """The days around New Year's Eve of a year, or those from Christmas up to it."""
    after = 6 if words["turn"].startswith(("jahr", "turn")) else 0

    def make(year: int) -> Period:
        return Period(date(year, 12, 27), days.add_days(date(year, 12, 31), after))

    return _yearly(words, known, make)


def read_last_month(words: Words, known: Known) -> Reading:
    """The month of "letzten Mai": the last one that is over."""
    return Reading(_last_over(partial(days.months_from, month=_month_number(words["month"])), known.today))


def read_year(words: Words, known: Known) -> Reading | None:
    """A year or a part of one; without a year the last such part that has begun."""
    part = words.get("part")
    if part:
        return _yearly(words, known, lambda year: days.part_of(days.year_days(year), PART_WORDS[part]))
    year = _year(words, known)
    return Reading(days.year_days(year)) if year else None


def read_season(words: Words, known: Known) -> Reading:
    """A season. Without a year it is not firm: "im Sommer" may mean every summer."""
    season = SEASON_WORDS[words["season"]]
    make = partial(days.season_days, season)
    if words.get("back") in ("dies", "this"):
        return Reading(days.latest(make, known.today))
    if "back" in words:
        return Reading(_last_over(make, known.today))
    reading = _yearly(words, known, make, firm=False)
    # "Winter 2022" is the one that began in 2022 for some and the one that ended in it for others.
    return Reading(reading.period, reading.firm and (season != "winter" or "next" in words))


def read_fraction(words: Words, known: Known) -> Reading | None:
    """A quarter or half of a year."""
    months = 3 if words["fraction"].startswith("q") else 6
    number = ORDINAL_WORDS[words["ordinal"]]
    if number > 12 // months:
        return None
    make = partial(days.months_from, month=months * (number - 1) + 1, count=months)
    return _yearly(words, known, make)


def read_decade(words: Words, known: Known) -> Reading:
    """A decade or a part of one; two digits mean the last such decade that has begun."""
    name = words["decade"]
    first = DECADE_WORDS[name] if name in DECADE_WORDS else int(name)
    if first < 100:
        first += 1900 if first > known.today.year % 100 else 2000
    period = days.months_from(first, 1, 120)
    return Reading(days.part_of(period, PART_WORDS[words["part"]]) if "part" in words else period)


def read_feast(words: Words, known: Known) -> Reading:
    """The days of a feast. Without a year it is not firm: "vor Weihnachten" may be any."""
    return _yearly(words, known, partial(days.feast_days, FEAST_WORDS[words["feast"]]), firm=False)


def read_election(words: Words, known: Known) -> Reading | None:
    """The day of a federal election, of the last one without a year; None for a year without one."""
    year = _year(words, known)
    day = days.election_day(year, known.today)
    return Reading(Period(day, day), firm=year is not None or "back" in words) if day else None


def _year(words: Words, known: Known) -> int | None:
    if "year" in words:
        return int(words["year"])
    if "near" in words:
        return known.today.year - BACK_WORDS[re.sub("e[ns]$", "", words["near"])]
    if "short" in words:
        short = int(words["short"])
        return short + (1900 if short > known.today.year % 100 + 10 else 2000)
    return known.year


def _yearly(words: Words, known: Known, make: Callable[[int], Period], firm: bool = True) -> Reading:
    """Something that comes once a year; `firm` says whether it is so without a year too."""
    year = _year(words, known)
    return Reading(days.latest(make, known.today), firm) if year is None else Reading(make(year))


def _last_over(make: Callable[[int], Period], today: date) -> Period:
    """The last one that has ended, of something that comes once a year."""
    begun = days.latest(make, today)
    assert begun.start and begun.end
    return begun if begun.end < today else make(begun.start.year - 1)


def _month_number(month: str) -> int:
    return int(month) if month.isdecimal() else MONTH_WORDS[month]


def _part_of_month(month: int, part: str | None, year: int) -> Period:
    whole = days.months_from(year, month)
    return days.part_of(whole, PART_WORDS[part]) if part else whole
