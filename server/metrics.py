"""Prometheus metrics: requests, time by stage, tokens, cancellations."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.events import Finished

CONTENT_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter("archivar_requests_total", "HTTP requests", ("route", "status"))
SECONDS = Histogram("archivar_request_seconds", "seconds until the response began", ("route",))
STAGES = Histogram("archivar_stage_seconds", "seconds by stage of an answer", ("stage",))
TOKENS = Counter("archivar_tokens_total", "tokens of the generator", ("kind",))
CANCELLED = Counter("archivar_cancelled_total", "answers that their client gave up")


def observe(finished: Finished) -> None:
    """Count one answer."""
    for stage, ms in finished.timings.items():
        STAGES.labels(stage).observe(ms / 1000)
    TOKENS.labels("prompt").inc(finished.usage.prompt_tokens)
    TOKENS.labels("completion").inc(finished.usage.completion_tokens)


def text() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest()


class CountRequests:
    """ASGI middleware: counts every request by route, not by path, so that labels stay few.

    Plain ASGI, since Starlette's BaseHTTPMiddleware stands between a stream and its client's disconnect.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, counted when its response begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "unknown")
                SECONDS.labels(route).observe(time.perf_counter() - start)
                REQUESTS.labels(route, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counted)
