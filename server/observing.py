"""The layer around all that serves: each request's id, log line, metrics, times and trace.

One layer for all of them, since each layer costs every chunk of every stream; plain ASGI, since Starlette's
BaseHTTPMiddleware stands between a stream and its client's disconnect.
"""

import logging
import time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import current, metrics, problems
from server.current import Current

if TYPE_CHECKING:
    from server.tracing import Tracing

log = logging.getLogger("server.access")

PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})


class Observed:
    """ASGI middleware. An unexpected error is answered here, so that its response has an id, too."""

    def __init__(self, app: ASGIApp, tracing: "Tracing | None" = None) -> None:
        self._app, self._tracing = app, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, send)
        try:
            await self._app(scope, receive, exchange.send)
        except Exception as error:
            if exchange.status:  # the connection is closed, and what was sent doesn't look whole
                current.note(error=type(error).__name__)
                raise
            await problems.response_to(error)(scope, receive, exchange.send)
        finally:
            exchange.end()
            if self._tracing:
                self._tracing.record(exchange)


class Exchange:
    """One request and its response, as they are seen from outside; times are by perf_counter(), in seconds."""

    __slots__ = ("_send", "bytes", "ended", "first_byte", "now", "scope", "started", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self.started = time.perf_counter()
        self.scope, self._send = scope, send
        self.now: Current = current.begin(self.header(b"x-request-id"))
        self.status = self.bytes = 0
        self.first_byte = self.ended = 0.0

    def header(self, name: bytes) -> str:
        """A header of the request by its name in small letters; empty where it is missing."""
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == name), "")

    @property
    def route(self) -> str:
        """The path as the program declares it, never as it was asked: labels stay few, and article ids private."""
        if path := getattr(self.scope.get("route"), "path", None):
            return str(path)
        # Starlette's own routes leave no mark but their endpoint.
        is_plain = "endpoint" in self.scope and not self.scope.get("path_params")
        return str(self.scope["path"]) if is_plain else "unknown"

    async def send(self, message: Message) -> None:
        """Send on, with id and times in the headers."""
        if message["type"] == "http.response.body":
            if body := message.get("body"):
                self.bytes += len(body)
                if not self.first_byte:
                    self.first_byte = time.perf_counter()
        elif message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._headers(message["headers"])]
        await self._send(message)

    def _headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        own = [(b"x-request-id", self.now.id.encode())]
        if not any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers):
            times = {name: ms for timings in self.now.timings for name, ms in timings.ms().items()}
            times["total"] = (time.perf_counter() - self.started) * 1000
            told = ", ".join(f"{name};dur={ms:.1f}" for name, ms in times.items())
            own.append((b"server-timing", told.encode()))
        return own

    def end(self) -> None:
        """Count it, and write its line."""
        self.ended = time.perf_counter()
        status, route, now = self.status or problems.CLIENT_CLOSED, self.route, self.now
        seconds, first = self.ended - self.started, self.first_byte - self.started if self.first_byte else None
        metrics.requested(route, status, first, seconds, now.timings)
        if now.error:
            metrics.ERRORS.labels(now.error).inc()
        level = logging.DEBUG if route in PROBES and status < 500 else logging.INFO
        if log.isEnabledFor(level):
            told = {
                "method": self.scope["method"], "route": route, "status": status, "ms": round(seconds * 1000, 1),
                "ms_first_byte": None if first is None else round(first * 1000, 1), "bytes": self.bytes,
                "error": now.error, "cancelled": now.cancelled,
            }  # fmt: skip
            log.log(level, "%s %s %d", self.scope["method"], route, status, extra=told)
