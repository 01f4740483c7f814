"""What expressions that count back from today mean: "letzte Woche", "vor zwei Jahren", "am Freitag"."""

from datetime import date

from archive.articles import Period
from server.periods import days
from server.periods.meaning import Known, Reading, Words
from server.periods.words import BACK_WORDS, NUMBER_WORDS, PART_WORDS, UNCOUNTED, UNIT_WORDS, WEEKDAY_WORDS, Unit


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
    if "half" in words:
        return Reading(Period(days.add_months(known.today, -6), known.today))
    count = count_of(words)
    if words["unit"] in ("stunden", "hours"):
        return Reading(Period(days.add_days(known.today, -max(1, round((count or 24) / 24))), known.today))
    unit = UNIT_WORDS[words["unit"]]
    start = _back(count or UNCOUNTED[unit], unit, known.today)
    return Reading(Period(start, known.today), firm=count is not None)


def read_ago(words: Words, known: Known) -> Reading:
    """The days around "vor zwei Wochen": to each side half a unit or a tenth of the distance, the longer one.

    A few days ago is that very day.
    """
    unit = UNIT_WORDS[words["unit"]]
    count = count_of(words)
    point = _back(count or UNCOUNTED[unit], unit, known.today)
    if "over" in words:
        return Reading(Period(None, point), firm=count is not None)
    half_unit = {"day": int((count or 7) > 3), "week": 3, "month": 15, "quarter": 45, "year": 183, "decade": 1826}[unit]
    slack = max(round(half_unit * min(1, count or 1)), (known.today - point).days // 10)
    return Reading(Period(days.add_days(point, -slack), days.add_days(point, slack)), firm=count is not None)


def read_duration(words: Words, known: Known) -> Reading:
    """All days since then, as in "seit zwei Jahren"; not firm, as articles say so too, in their day."""
    unit = UNIT_WORDS[words["unit"]]
    return Reading(Period(_back(count_of(words) or UNCOUNTED[unit], unit, known.today)), firm=False)


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


def count_of(words: Words) -> float | None:
    """How many units are meant; None where nobody counts."""
    number = words.get("number", "")
    return float(number) or None if number.isdecimal() else NUMBER_WORDS.get(number)


def _back(count: float, unit: Unit, today: date) -> date:
    if unit in ("day", "week"):
        return days.add_days(today, -round(count * (7 if unit == "week" else 1)))
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit]
    return days.add_months(today, -round(count * months))
