"""Articles as pages."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from server.engine import Engine
from server.pages import HEADERS, article_html
from server.sources import stored

router = APIRouter()


@router.get("/articles/{article_id:path}", response_class=HTMLResponse)
def article_page(article_id: str, request: Request) -> HTMLResponse:
    """An article as a page. 404 where there is none, 410 where it was withdrawn."""
    engine: Engine = request.app.state.engine
    return HTMLResponse(article_html(stored(engine.archive, article_id)), headers=HEADERS)
