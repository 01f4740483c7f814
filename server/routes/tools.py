"""An OpenAPI tool server: the archive's tools for clients that take them from an OpenAPI document, as Open WebUI does.

Source: Open WebUI's documentation, OpenAPI tool servers; the address of the server is `/tools`, that of the document
`/tools/openapi.json`, and a tool is called by its operationId.
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi

from server.bodies import JsonRoute
from server.engine import Engine
from server.tool_shapes import ArticleArguments, SearchArguments, SearchResult, WholeArticle
from server.tools import READ, SEARCH, get_article, search_archive

PREFIX = "/tools"
_REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "What is wrong and what to do, in `error.message`",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

router = APIRouter(prefix=PREFIX, responses=_REFUSED, route_class=JsonRoute)


@router.post(
    f"/{SEARCH.name}", operation_id=SEARCH.name, summary=SEARCH.title, description=SEARCH.description,
    response_model_exclude_none=True,
)  # fmt: skip
async def search(body: SearchArguments, request: Request) -> SearchResult:
    """Search, for a model."""
    engine: Engine = request.app.state.engine
    return await asyncio.to_thread(search_archive, engine.library, body)


@router.post(
    f"/{READ.name}", operation_id=READ.name, summary=READ.title, description=READ.description,
    response_model_exclude_none=True,
)  # fmt: skip
async def article(body: ArticleArguments, request: Request) -> WholeArticle:
    """Read an article, for a model. 404 where there is none, 410 where it was withdrawn."""
    engine: Engine = request.app.state.engine
    return await asyncio.to_thread(get_article, engine.library, body)


document = APIRouter(prefix=PREFIX, include_in_schema=False)


@document.get("/openapi.json")
def openapi(request: Request) -> dict[str, Any]:
    """The tools alone; clients join the paths in it to the address of the server, so they stand without its prefix."""
    engine: Engine = request.app.state.engine
    made = get_openapi(
        title="Nachrichtenarchiv", version=request.app.version, routes=router.routes,
        description="Ein Nachrichtenarchiv durchsuchen und lesen / Search and read a news archive",
        servers=[{"url": f"{engine.settings.base_url}{PREFIX}"}],
    )  # fmt: skip
    made["paths"] = {path.removeprefix(PREFIX): operations for path, operations in made["paths"].items()}
    return made
