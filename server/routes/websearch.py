"""The archive in place of the web: Open WebUI's external web search and external web loader.

Source: open_webui/retrieval/web/external.py and retrieval/loaders/external_web.py of Open WebUI 0.12. Nothing is
fetched here: an address that is none of an article in the archive has no content.
"""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from archive.articles import Article, day_of, german_date
from archive.errors import NotFound
from server.bodies import JsonRoute
from server.engine import Engine
from server.escaping import markdown, web_address
from server.library import Library, find, search, sources_of, title_of, words_of
from server.wire.fields import Count, Fields

_MOST = 20  # articles in one result, however many are asked for

router = APIRouter(prefix="/web", route_class=JsonRoute)


class WebSearch(Fields):
    """POST /web/search, as Open WebUI asks; the period in the query is understood."""

    query: Annotated[str, Field(min_length=1, max_length=10_000)]
    count: Count = Field(3, le=1000)


class Found(BaseModel):
    """One article; the snippet is Markdown that shows its passage to the letter, which is how clients show it."""

    link: str
    title: str
    snippet: str


@router.post("/search")
async def web_search(body: WebSearch, request: Request) -> list[Found]:
    """The articles that fit, best first, at most twenty."""
    engine: Engine = request.app.state.engine
    return await asyncio.to_thread(_search, engine.library, body)


def _search(library: Library, body: WebSearch) -> list[Found]:
    findings = search(library, body.query, top_k=min(body.count, _MOST))
    return [
        Found(link=source.url, title=source.title, snippet=markdown(source.passage))
        for source in sources_of(library, findings)
    ]


class WebLoad(Fields):
    """POST /web/load, as Open WebUI asks: at most twenty addresses a time."""

    urls: Annotated[list[Annotated[str, Field(max_length=4000)]], Field(min_length=1, max_length=100)]


class Loaded(BaseModel):
    """An article as Markdown, and `source`, its address as it was asked for."""

    page_content: str
    metadata: dict[str, Any]


@router.post("/load")
async def web_load(body: WebLoad, request: Request) -> list[Loaded]:
    """Those of the addresses that are articles of the archive, with their text; others are left out, never fetched."""
    engine: Engine = request.app.state.engine
    return await asyncio.to_thread(_load, engine.library, body.urls)


def _load(library: Library, urls: list[str]) -> list[Loaded]:
    loaded = []
    for url in filter(web_address, urls):
        with suppress(NotFound):  # or withdrawn
            loaded.append(_page(find(library, url).article, url))
    return loaded


def _page(article: Article, url: str) -> Loaded:
    title = title_of(article)
    dated = german_date(article.published) if article.published else ""
    texts = (title, dated, *map(words_of, (article.teaser, article.text)))
    return Loaded(
        page_content=markdown("\n\n".join(text for text in texts if text)),
        metadata={
            "source": url, "title": title, "name": title, "external": True,
            "published": day_of(article.published).isoformat() if article.published else "",
        },
    )  # fmt: skip
