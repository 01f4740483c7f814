"""The archive as two tools of a language model: search_archive and get_article.

The OpenAPI tool server and the MCP server offer the same two. Every result is written for a model that reads it:
compact, with what to cite, and without the sentences of an article that speak to a model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from archive.articles import day_of
from archive.errors import NotFound, Withdrawn
from prompts import render
from prompts.templates import LANGUAGES, harmless
from server.escaping import one_line, web_address
from server.library import Findings, Library, find, likely, search, sources_of, title_of, words_of
from server.tool_shapes import ArticleArguments, FoundArticle, SearchArguments, SearchResult, WholeArticle

_PART = 12_000  # characters of an article in one result: about 3,500 tokens


def search_archive(library: Library, asked: SearchArguments) -> SearchResult:
    """Search, as a model is told of it. Raises ArchiveError."""
    findings = search(library, asked.query, period=asked.period, top_k=asked.top_k)
    articles = [
        FoundArticle(
            number=source.number, id=source.article_id, title=source.title, url=source.url,
            date=day_of(source.published).isoformat() if source.published else None, passage=source.passage,
        )
        for source in sources_of(library, findings)
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
    """Read an article, as a model is told of it. Raises NotFound, for a part too, and Withdrawn."""
    try:
        article = find(library, asked.id).article
    except Withdrawn:
        raise
    except NotFound as error:
        raise NotFound(f"{error}; take id or url from a result of search_archive", error.code, "id") from error
    parts = _parts(words_of(article.text))
    if asked.part > len(parts):
        raise NotFound(f"there is no part {asked.part}; the article has {len(parts)}", "part_not_found", "part")
    return WholeArticle(
        id=article.id, title=title_of(article), source=article.source,
        date=day_of(article.published).isoformat() if article.published else None,
        url=web_address(article.url) or library.page_of(article.id),
        authors=[harmless(one_line(author)) for author in article.authors],
        teaser=words_of(article.teaser),
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
