"""The archive as two tools of a language model: what they are called, what they take, what they give.

The OpenAPI tool server and the MCP server offer the same two. Every result is written for a model that reads it:
compact, with what to cite, and without the sentences of an article that speak to a model.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from archive.articles import Period, day_of
from archive.errors import BadRequest
from prompts import render
from prompts.templates import LANGUAGES, harmless
from server.escaping import one_line, web_address
from server.instructions import without_instructions
from server.library import Findings, Library, find, likely, search
from server.sources import merge, readable, readable_title

MOST_ARTICLES = 20
_PART = 12_000  # characters of an article in one result: about 3,500 tokens
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
    end: Annotated[_Day, BeforeValidator(_last_day)] = Field(
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

    @field_validator("end")
    @classmethod
    def _in_order(cls, end: date | None, info: Any) -> date | None:  # noqa: ANN401
        start = info.data.get("start")
        if end and start and end < start:
            raise PydanticCustomError("order", "lies before from; the first day comes first")
        return end


class ArticleArguments(_Arguments):
    """What get_article takes."""

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


def search_archive(library: Library, asked: SearchArguments) -> SearchResult:
    """Search, as a model is told of it. Raises ArchiveError."""
    given = Period(asked.start, asked.end) if asked.start or asked.end else None
    findings = search(library, asked.query, period=given, top_k=asked.top_k)
    sources = [readable(source) for source in merge(findings.hits, library.page_of)]
    articles = [
        FoundArticle(
            number=source.number, id=source.article_id, title=harmless(source.title), url=source.url,
            date=day_of(source.published).isoformat() if source.published else None,
            passage=harmless(source.passage),
        )
        for source in sources
    ]  # fmt: skip
    start, end = (findings.period.start, findings.period.end) if findings.period else (None, None)
    return SearchResult(
        note=_note(library, findings), articles=articles,
        start=start.isoformat() if start else None, end=end.isoformat() if end else None,
    )  # fmt: skip


def _note(library: Library, findings: Findings) -> str | None:
    """What a model should know of a result beside its articles."""
    if not findings.hits:
        note = "tool_empty"
    elif likely(library, findings) == "nothing":
        note = "tool_unlikely"
    elif findings.found.loosened:
        note = "tool_loosened"
    else:
        return None
    return render(note, findings.question.language)


def get_article(library: Library, asked: ArticleArguments) -> WholeArticle:
    """Read an article, as a model is told of it. Raises NotFound, Withdrawn, and BadRequest for a part beyond."""
    article = find(library, asked.id).article
    parts = _parts(harmless(without_instructions(article.text)))
    if asked.part > len(parts):
        raise BadRequest(f"part {asked.part} is beyond the end; the article has {len(parts)}", "part")
    return WholeArticle(
        id=article.id, title=harmless(readable_title(one_line(article.title))), source=article.source,
        date=day_of(article.published).isoformat() if article.published else None,
        url=web_address(article.url) or library.page_of(article.id),
        authors=[harmless(one_line(author)) for author in article.authors],
        teaser=harmless(without_instructions(article.teaser)),
        text=parts[asked.part - 1], part=asked.part, parts=len(parts),
    )  # fmt: skip


def _parts(text: str) -> list[str]:
    """`text` in parts of at most _PART characters, cut between paragraphs, within one only where it is longer still."""
    parts = [""]
    for paragraph in text.split("\n"):
        for piece in [paragraph[at : at + _PART] for at in range(0, len(paragraph), _PART)]:
            if len(parts[-1]) + len(piece) >= _PART:
                parts.append("")
            parts[-1] = f"{parts[-1]}\n{piece}" if parts[-1] else piece
    return parts


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as models are offered it; `run` blocks."""

    name: str
    title: str
    template: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Library, Any], BaseModel]

    @property
    def description(self) -> str:
        """In both languages, German first."""
        return "\n\n".join(render(self.template, language) for language in LANGUAGES)

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return self.arguments.model_json_schema()

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of a result."""
        return self.result.model_json_schema(mode="serialization")


SEARCH = Tool(
    "search_archive", "Nachrichtenarchiv durchsuchen", "tool_search", SearchArguments, SearchResult, search_archive
)
READ = Tool("get_article", "Artikel lesen", "tool_article", ArticleArguments, WholeArticle, get_article)
TOOLS = (SEARCH, READ)


def complaint(error: ValidationError) -> str:
    """What is wrong with the arguments of a tool, in one line that a model can act on."""
    told = (f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
    return f"{'; '.join(told)}. Call the tool again with that put right."
