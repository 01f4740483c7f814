"""Where a period holds nothing that answers: the wider ones to look in instead."""

from collections.abc import Iterator

from archive.articles import Period
from server.periods.days import add_days

_LEAST = 7  # days of margin: what happened on a day may be news a week later
_MOST = 366


def wider(period: Period) -> Iterator[Period | None]:
    """Periods around `period` to try in turn: with a margin of its own length on either side, then None, all time.

    A side that is open stays open. The margin is a week at least and a year at most.
    """
    start, end = period.start, period.end
    length = (end - start).days + 1 if start and end else _MOST
    margin = min(max(length, _LEAST), _MOST)
    yield Period(start and add_days(start, -margin), end and add_days(end, margin))
    yield None


def with_day_after(period: Period) -> Period:
    """The days on which what happened in `period` is news: for a single day the one after it too."""
    if period.start and period.start == period.end:
        return Period(period.start, add_days(period.start, 1))
    return period
