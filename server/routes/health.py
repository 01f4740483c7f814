"""Health and metrics: what orchestrators, Prometheus and `archivar status` ask."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from server import metrics
from server.access.guard import caller_of
from server.access.keys import Right
from server.described.library import Live, Ready
from server.engine import Engine
from server.probes import Probes

router = APIRouter()


@router.get("/health/live", response_model=Live)
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready", responses={200: {"model": Ready}, 503: {"model": Ready}})
async def ready(request: Request) -> JSONResponse:
    """Whether a question can be answered; 503 otherwise. What is missing is told to those who may administer."""
    engine: Engine = request.app.state.engine
    probes: Probes = request.app.state.probes
    found = await probes.readiness.look()
    body: dict[str, Any] = {"status": "not ready" if found.missing else "ready"}
    if Right.ADMIN in caller_of(request).rights:
        body |= {"missing": found.missing, "worrying": found.worrying, "engines": found.engines}
        body |= {"generator": engine.generator.name, "embedder": engine.archive.embedder.name}
        if told := found.figures:
            body |= {"articles": told.articles, "passages": told.passages, "pending": told.pending}
    return JSONResponse(body, 503 if found.missing else 200)


@router.get("/metrics", response_class=PlainTextResponse)
async def prometheus(request: Request) -> Response:
    """Prometheus' text format."""
    probes: Probes = request.app.state.probes
    return Response(await probes.metrics(), media_type=metrics.CONTENT_TYPE)
