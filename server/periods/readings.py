"""What the words of an expression of time mean: named groups of a pattern in, days out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from archive.articles import Period
from server.periods import days
from server.periods.words import (
    BACK_WORDS,
    DECADE_WORDS,
    FEAST_WORDS,
    MONTH_WORDS,
    NUMBER_WORDS,
    ORDINAL_WORDS,
    PART_WORDS,
    SEASON_WORDS,
    UNCOUNTED,
    UNIT_WORDS,
    WEEKDAY_WORDS,
    Unit,
)

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the surroundings of an expression settle: today, and the year, month or week that a neighbour names."""

    today: date
    year: int | None = None
    month: int | None = None
    monday: date | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Days that an expression means. Where it isn't `firm`, articles on it may well be dated otherwise."""

    period: Period
    firm: bool = True


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
    """A quarter or half of a year; never firm, since its figures are news when it is over."""
    months = 3 if words["fraction"].startswith("q") else 6
    number = ORDINAL_WORDS[words["ordinal"]]
    if number > 12 // months:
        return None
    make = partial(days.months_from, month=months * (number - 1) + 1, count=months)
    return Reading(_yearly(words, known, make).period, firm=False)


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
    return Reading(Period(day, day), firm=year is not None) if day else None


def read_unit(words: Words, known: Known) -> Reading:
    """A calendar week, month, quarter, year or decade counted back from today, or a part of it."""
    period = _unit_days(UNIT_WORDS[words["unit"]], BACK_WORDS[words["back"]] if "back" in words else 0, known.today)
    return Reading(days.part_of(period, PART_WORDS[words["part"]]) if "part" in words else period)


def read_day_word(words: Words, known: Known) -> Reading:
    """One of "heute", "gestern", "vorgestern"."""
    back = {"heut": 0, "toda": 0, "toni": 0, "gest": 1, "yest": 1}.get(words["dayword"][:4], 2)
    return Reading(_unit_days("day", back, known.today))


def read_weekday(words: Words, known: Known) -> Reading:
    """That day of the week a neighbour names, or the last one: with "letzten" before today, else up to today."""
    number = WEEKDAY_WORDS[words["weekday"]]
    if known.monday:
        day = days.add_days(known.monday, number)
    else:
        newest = days.add_days(known.today, -min(1, BACK_WORDS[words.get("back", "dies")]))
        day = days.add_days(newest, -((newest.weekday() - number) % 7))
    return Reading(Period(day, day))


def read_weekend(words: Words, known: Known) -> Reading:
    """Saturday and Sunday; "letztes Wochenende" is over, "am Wochenende" has begun."""
    back = BACK_WORDS[words.get("back", "dies")]
    newest = days.add_days(known.today, -2 if back else 0)
    saturday = days.add_days(newest, -((newest.weekday() - 5) % 7) - 7 * max(0, back - 1))
    return Reading(Period(saturday, days.add_days(saturday, 1)))


def read_span(words: Words, known: Known) -> Reading:
    """The days of "in den letzten drei Wochen": up to today; uncounted ones ("in den letzten Wochen") are not firm."""
    count = _count(words)
    if words["unit"] in ("stunden", "hours"):
        return Reading(Period(days.add_days(known.today, -max(1, round((count or 24) / 24))), known.today))
    unit = UNIT_WORDS[words["unit"]]
    start = _back(count or UNCOUNTED[unit], unit, known.today)
    return Reading(Period(start, known.today), firm=count is not None)


def read_ago(words: Words, known: Known) -> Reading:
    """The days around "vor zwei Wochen": to each side half a unit or a tenth of the distance, the longer one."""
    unit = UNIT_WORDS[words["unit"]]
    count = _count(words)
    point = _back(count or UNCOUNTED[unit], unit, known.today)
    if "over" in words:
        return Reading(Period(None, point), firm=count is not None)
    half_unit = {"day": 1, "week": 3, "month": 15, "quarter": 45, "year": 183, "decade": 1826}[unit]
    slack = max(round(half_unit * min(1, count or 1)), (known.today - point).days // 10)
    return Reading(Period(days.add_days(point, -slack), days.add_days(point, slack)), firm=count is not None)


def read_duration(words: Words, known: Known) -> Reading:
    """All days since then, as in "seit zwei Jahren"; not firm, as articles say so too, in their day."""
    unit = UNIT_WORDS[words["unit"]]
    return Reading(Period(_back(_count(words) or UNCOUNTED[unit], unit, known.today)), firm=False)


def _year(words: Words, known: Known) -> int | None:
    if "year" in words:
        return int(words["year"])
    if "near" in words:
        return known.today.year - BACK_WORDS[re.sub("e[ns]$", "", words["near"])]
    if "short" in words:
        return 2000 + int(words["short"])
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


def _unit_days(unit: Unit, back: int, today: date) -> Period:
    """The calendar unit that lies `back` before the one that holds `today`."""
    if unit == "day":
        day = days.add_days(today, -back)
        return Period(day, day)
    if unit == "week":
        return days.week_days(days.add_days(today, -7 * back))
    if unit == "decade":
        return days.months_from(today.year // 10 * 10 - 10 * back, 1, 120)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    first = days.add_months(first, -months * back)
    return days.months_from(first.year, first.month, months)


def _count(words: Words) -> float | None:
    number = words.get("number", "")
    return float(number) or None if number.isdecimal() else NUMBER_WORDS.get(number)


def _back(count: float, unit: Unit, today: date) -> date:
    if unit in ("day", "week"):
        return days.add_days(today, -round(count * (7 if unit == "week" else 1)))
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit]
    return days.add_months(today, -round(count * months))
