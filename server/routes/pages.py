"""What needs no key: article pages, health, metrics, and a front page."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from archive.errors import ArchivarError
from server import metrics
from server.engine import Engine
from server.pages import HEADERS, article_html
from server.sources import stored

router = APIRouter()


@router.get("/articles/{article_id:path}", response_class=HTMLResponse)
def article_page(article_id: str, request: Request) -> HTMLResponse:
    """An article as a page. 404 where there is none, 410 where it was withdrawn."""
    engine: Engine = request.app.state.engine
    return HTMLResponse(article_html(stored(engine.archive, article_id)), headers=HEADERS)


@router.get("/health/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready")
def ready(request: Request) -> JSONResponse:
    """Whether a question can be answered; 503 with what is missing otherwise."""
    engine: Engine = request.app.state.engine
    missing, told = [], {}
    try:
        counts = engine.archive.ledger.counts()
        told = {"articles": counts.articles, "passages": counts.passages, "pending": counts.pending}
        if not counts.articles:
            missing.append("the archive is empty: run archivar ingest")
        engine.archive.index.counts()
    except ArchivarError as error:
        missing.append(str(error))
    body: dict[str, Any] = {"status": "ready" if not missing else "not ready", "missing": missing, **told}
    body |= {"generator": engine.generator.name, "embedder": engine.archive.embedder.name}
    return JSONResponse(body, 503 if missing else 200)


@router.get("/metrics", response_class=PlainTextResponse)
def prometheus() -> PlainTextResponse:
    """Prometheus text."""
    return PlainTextResponse(metrics.text(), media_type=metrics.CONTENT_TYPE)
