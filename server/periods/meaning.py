"""What reading an expression of time starts from and comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from archive.articles import Period

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
