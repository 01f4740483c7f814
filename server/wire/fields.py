"""What the requests of all endpoints share: how strictly they are read, and how much they may hold.

Values keep their JSON types, as OpenAI has it: a number in a string is an error that names the field. Keys that mean
nothing here are ignored.
"""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from archive.articles import Period
from archive.errors import TooLong

MOST_CHARACTERS = 200_000  # of all texts of one question together; far beyond any context here
_MOST_PAIRS = 16
_EARLIEST, _LATEST = date(1900, 1, 1), date(2199, 12, 31)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Fields(BaseModel):
    """A JSON object of a request."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, populate_by_name=True)


def _day(given: object) -> object:
    """A day that a calendar knows; before 1900 and after 2199 the archive holds nothing, so the nearest will do."""
    if isinstance(given, str) and _DAY.fullmatch(given):
        try:
            return min(max(date.fromisoformat(given), _EARLIEST), _LATEST)
        except ValueError:
            pass
    elif isinstance(given, date):
        return given
    raise PydanticCustomError("date_type", "write a day as YYYY-MM-DD")


def _off(given: object) -> object:
    """What can be asked for elsewhere, and not here."""
    if given is not None and given is not False:
        raise PydanticCustomError("invalid_value", "can't be had here; leave it out")
    return given


def _whole(given: object) -> object:
    """JSON knows one kind of number: 3.0 is 3."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


Off = Annotated[Literal[False] | None, BeforeValidator(_off)]
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
One = Annotated[int, Field(ge=1, le=1), BeforeValidator(_whole)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
ModelName = Annotated[str, Field(min_length=1, max_length=500, examples=["heise-archiv"])]
LongText = Annotated[str, Field(max_length=MOST_CHARACTERS)]


def _few(given: object) -> object:
    """Refused before each pair is looked at: a large body must not cost as much as it can."""
    if isinstance(given, dict) and len(given) > _MOST_PAIRS:
        raise PydanticCustomError("too_long", "holds more than {most} pairs", {"most": _MOST_PAIRS})
    return given


Metadata = Annotated[dict[str, str], Field(max_length=_MOST_PAIRS), BeforeValidator(_few)]


def in_order(end: date | None, fields: ValidationInfo) -> date | None:
    """The last day of a period, unless it lies before the first one, the field `start` beside it."""
    start = fields.data.get("start")
    if end and start and end < start:
        raise PydanticCustomError("order", "lies before from; the first day comes first")
    return end


def period_of(start: date | None, end: date | None) -> Period | None:
    """The period from one day to the other, either of which may be open; None where both are."""
    return Period(start, end) if start or end else None


class ArchiveOptions(Fields):
    """Our own part of a request: the period that an answer may draw on, and how many articles."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    start: Day | None = Field(None, alias="from")
    end: Annotated[Day | None, AfterValidator(in_order)] = Field(None, alias="to")
    top_k: Annotated[int, Field(ge=1, le=20), BeforeValidator(_whole)] | None = None
    now: Day | None = Field(None, description='the day that "letzte Woche" counts from; today if left out')

    @property
    def period(self) -> Period | None:
        """The period, where one is given."""
        return period_of(self.start, self.end)


def within_bounds(characters: int, param: str) -> None:
    """Raises TooLong for texts that are longer, all together, than any context."""
    if characters > MOST_CHARACTERS:
        raise TooLong(f"{param} holds more than {MOST_CHARACTERS} characters; shorten it", param)
