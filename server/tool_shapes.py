"""What the tools take and give. A language model reads the schemas, and writes what is validated here."""

import re
from calendar import monthrange
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from archive.articles import Period
from server.wire.fields import in_order, period_of

MOST_ARTICLES = 20
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?")


def _first_day(value: object) -> object:
    """The first day of `2023` or `2023-05`, which models send where a day is asked for."""
    found = _YEAR_OR_MONTH.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}-{found[2] or '01'}-01" if found else value


def _last_day(value: object) -> object:
    found = _YEAR_OR_MONTH.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    month = int(found[2] or 12)
    return f"{found[1]}-{month:02d}-{monthrange(int(found[1]), month)[1]}"


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default")  # of null, which is no day


# What may be left out is no union with null in the schemas: engines that write by a grammar do better without.
_Day = Annotated[date | None, WithJsonSchema({"type": "string", "format": "date"})]
_Count = Annotated[
    Annotated[int, Field(ge=1, le=MOST_ARTICLES)] | None,
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_ARTICLES}),
]
_Text = Annotated[str | None, WithJsonSchema({"type": "string"})]


class _Arguments(BaseModel):
    """Models send more than was asked for, and null or nothing for what they leave out."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:  # noqa: ANN401
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None and value != ""}


class SearchArguments(_Arguments):
    """What search_archive takes."""

    query: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="Ganze Frage oder Suchwörter; Zeiten darin („im Mai 2023“, „letzte Woche“) werden verstanden. "
        '"…" sucht den Wortlaut, -wort schließt aus. / A whole question or words to search for; times in it are '
        'understood. "…" asks for the wording, -word leaves out.'
    )
    start: Annotated[_Day, BeforeValidator(_first_day)] = Field(
        None,
        alias="from",
        description="Erster Tag, JJJJ-MM-TT, nur wo die Zeit nicht in query steht. / First day, YYYY-MM-DD.",
        json_schema_extra=_without_default,
    )
    end: Annotated[_Day, BeforeValidator(_last_day), AfterValidator(in_order)] = Field(
        None,
        alias="to",
        description="Letzter Tag, JJJJ-MM-TT. / Last day, YYYY-MM-DD.",
        json_schema_extra=_without_default,
    )
    top_k: _Count = Field(
        None,
        description="Höchstzahl der Artikel. / Articles at most.",
        json_schema_extra=_without_default,
    )

    @property
    def period(self) -> Period | None:
        """The period, where one is given."""
        return period_of(self.start, self.end)


class ArticleArguments(_Arguments):
    """What get_article takes; ids may be numbers, and models then send numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="id oder url aus einem Ergebnis von search_archive. / id or url of a result of search_archive."
    )
    part: int = Field(
        1, ge=1, description="Welcher Teil eines langen Artikels. / Which part of a long article, from 1."
    )


class FoundArticle(BaseModel):
    """One article of a result, with the passage that fits best; `date` is the day in German time."""

    number: int
    id: str
    title: str
    date: _Text = Field(None, json_schema_extra=_without_default)
    url: str
    passage: str


class SearchResult(BaseModel):
    """What search_archive gives, best article first; `from` and `to` are the period that was understood."""

    note: _Text = Field(None, json_schema_extra=_without_default)
    start: _Text = Field(None, serialization_alias="from", json_schema_extra=_without_default)
    end: _Text = Field(None, serialization_alias="to", json_schema_extra=_without_default)
    articles: list[FoundArticle]


class WholeArticle(BaseModel):
    """What get_article gives: part `part` of `parts` of the text."""

    id: str
    title: str
    date: _Text = Field(None, json_schema_extra=_without_default)
    url: str
    source: str
    authors: list[str]
    teaser: str
    text: str
    part: int
    parts: int


def complaint(error: ValidationError) -> str:
    """What is wrong with the arguments of a tool, in one line that a model can act on."""
    told = (f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
    return f"{'; '.join(told)}. Call the tool again with that put right."
