"""Days of the calendar as periods: months, seasons, feasts, elections, one convention where language leaves room."""

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal

from archive.articles import Period

Part = Literal["start", "middle", "end"]

# Federal elections in Germany; the day divides "before" from "after".
ELECTIONS = (
    date(1998, 9, 27), date(2002, 9, 22), date(2005, 9, 18), date(2009, 9, 27), date(2013, 9, 22),
    date(2017, 9, 24), date(2021, 9, 26), date(2025, 2, 23),
)  # fmt: skip

# Feasts on fixed days: (month, day) of the first day, number of days. The night of 31 December belongs to both years.
FIXED_FEASTS = {
    "weihnachten": (12, 24, 3), "heiligabend": (12, 24, 1), "silvester": (12, 31, 2), "neujahr": (1, 1, 1),
    "halloween": (10, 31, 1), "einheit": (10, 3, 1),
}  # fmt: skip
# Feasts that move with Easter: days from Easter Sunday to the first day, number of days.
MOVING_FEASTS = {
    "rosenmontag": (-48, 1), "aschermittwoch": (-46, 1), "karfreitag": (-2, 1), "ostern": (-2, 4),
    "ostersonntag": (0, 1), "ostermontag": (1, 1), "himmelfahrt": (39, 1), "pfingsten": (48, 3),
    "fronleichnam": (60, 1),
}  # fmt: skip

# Meteorological seasons: first month, the other two follow. The winter of a year begins in its December.
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}

# Where a part of a year lies: between "Anfang" and "Mitte" speakers leave a gap, so none of the three touches another.
_YEAR_PARTS: dict[Part, tuple[int, int]] = {"start": (1, 3), "middle": (5, 8), "end": (10, 12)}


def add_months(day: date, count: int) -> date:
    """The same day of another month, or that month's last day where it is shorter; never before year 1."""
    months = max(12, day.year * 12 + day.month - 1 + count)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(day: date, count: int) -> date:
    """`count` days later, held within what `date` can say."""
    return date.fromordinal(min(max(1, day.toordinal() + count), date.max.toordinal()))


def months_from(year: int, month: int, count: int = 1) -> Period:
    """`count` whole months."""
    first = date(year, month, 1)
    return Period(first, add_days(add_months(first, count), -1))


def year_days(year: int) -> Period:
    """A whole year."""
    return months_from(year, 1, 12)


def day_or_month(year: int, month: int, day: int) -> Period:
    """One day; the month where it has no such day, as in "30. Februar"."""
    whole = months_from(year, month)
    if 1 <= day <= calendar.monthrange(year, month)[1]:
        return Period(date(year, month, day), date(year, month, day))
    return whole


def season_days(season: str, year: int) -> Period:
    """Three whole months; a winter reaches into the following year."""
    return months_from(year, SEASONS[season], 3)


def is_year(period: Period) -> bool:
    """Whether a period is exactly one calendar year."""
    return period.start is not None and period == year_days(period.start.year)


def is_month(period: Period) -> bool:
    """Whether a period is exactly one calendar month."""
    return period.start is not None and period == months_from(period.start.year, period.start.month)


def part_of(period: Period, part: Part) -> Period:
    """The beginning, middle or end of a closed period.

    A month: days 1 to 10, 11 to 20, the rest. A year: January to March, May to August, October to December. A decade:
    three, four, three years. Anything else: thirds, the last takes the rest.
    """
    assert period.start and period.end
    start, end = period.start, period.end
    if is_year(period):
        first, last = _YEAR_PARTS[part]
        return months_from(start.year, first, last - first + 1)
    if start.day == start.month == 1 and (end.year - start.year, end.month, end.day) == (9, 12, 31):
        first, count = {"start": (0, 3), "middle": (3, 4), "end": (7, 3)}[part]
        return months_from(start.year + first, 1, 12 * count)
    third = 10 if is_month(period) else max(1, ((end - start).days + 1) // 3)
    cuts = {
        "start": (start, add_days(start, third - 1)),
        "middle": (add_days(start, third), add_days(start, 2 * third - 1)),
        "end": (add_days(start, 2 * third), end),
    }
    return Period(*cuts[part])


def week_days(day: date) -> Period:
    """Monday to Sunday of the week that holds `day`."""
    monday = add_days(day, -day.weekday())
    return Period(monday, add_days(monday, 6))


def latest(days_in: Callable[[int], Period], today: date) -> Period:
    """The last one that has begun, of something that comes once a year."""
    this_year = days_in(today.year)
    return this_year if this_year.start and this_year.start <= today else days_in(today.year - 1)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher)."""
    golden, century = year % 19, year // 100
    moon = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon -= moon // 28 * (1 - moon // 28 * (29 // (moon + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    return date(year, 3, 28) + timedelta(days=moon - weekday)


def feast_days(feast: str, year: int) -> Period:
    """The days of a feast in a year; `feast` is a key of FIXED_FEASTS or MOVING_FEASTS."""
    if feast in FIXED_FEASTS:
        month, day, count = FIXED_FEASTS[feast]
        first = date(year, month, day)
    else:
        offset, count = MOVING_FEASTS[feast]
        first = add_days(easter(year), offset)
    return Period(first, add_days(first, count - 1))


def election_day(year: int | None, today: date) -> date | None:
    """The federal election of a year, or the last one up to `today`; None where there was none."""
    held = [day for day in ELECTIONS if (day.year == year if year else day <= today)]
    return held[-1] if held else None
