"""The guard before all routes: nothing is read of a request's body before its key is known to allow it.

What a route needs is told here, in one table by path, and not at the routes: what the table doesn't name needs `admin`,
so that no route is open by oversight, and mounted applications (MCP) are guarded like our own.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.errors import ArchivarError, QuotaUsed
from server import current
from server.access.access import SIGNATURE, Access
from server.access.audit import Audit
from server.access.callers import Caller
from server.access.keys import Right
from server.access.quotas import Standing
from server.problems import CLIENT_CLOSED, reader_of, response_to
from server.tasks import TASK_HEADER


@dataclass(frozen=True, slots=True)
class Need:
    """What requests below a path need; None: no key. `is_counted`: they count for the key's quota."""

    right: Right | None
    is_counted: bool = False
    may_be_signed: bool = False


# A path and all below it; the first that fits decides.
NEEDS: tuple[tuple[str, Need], ...] = (
    ("/health", Need(None)),
    ("/articles", Need(Right.SEARCH, is_counted=True, may_be_signed=True)),
    ("/metrics", Need(Right.ADMIN)),
    ("/openapi.json", Need(Right.SEARCH)),
    ("/v1/models", Need(Right.ASK)),
    ("/v1/chat/completions", Need(Right.ASK, is_counted=True)),
    ("/v1/responses", Need(Right.ASK, is_counted=True)),
    ("/v1/search", Need(Right.SEARCH, is_counted=True)),
    ("/v1/articles", Need(Right.SEARCH, is_counted=True)),
    ("/v1/embeddings", Need(Right.SEARCH, is_counted=True)),
    ("/v1/rerank", Need(Right.SEARCH, is_counted=True)),
    ("/v2/rerank", Need(Right.SEARCH, is_counted=True)),
    ("/tools/openapi.json", Need(Right.SEARCH)),
    ("/tools", Need(Right.SEARCH, is_counted=True)),
    ("/web", Need(Right.SEARCH, is_counted=True)),
    ("/mcp", Need(Right.SEARCH, is_counted=True)),
)
_UNKNOWN = Need(Right.ADMIN)


def need_of(path: str) -> Need:
    """What a path needs."""
    return next((need for prefix, need in NEEDS if path == prefix or path.startswith(f"{prefix}/")), _UNKNOWN)


def caller_of(request: Request) -> Caller:
    """Who asks, in any route."""
    caller: Caller = request.state.caller
    return caller


class Guard:
    """ASGI middleware: lets through who may, with `request.state.caller` set; tells the others why not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there is nothing to be had by WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        access: Access = scope["app"].state.engine.access
        audit = Audit(scope)
        try:
            standing = await self._admitted(access, scope, audit)
        except ArchivarError as error:
            response = response_to(error, reader_of(Request(scope)))
            if isinstance(error, QuotaUsed):
                response.headers.update(Standing(error.limit, 0, error.retry_after).headers)
            audit.log(response.status_code)
            await response(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                if standing:
                    MutableHeaders(scope=message).update(standing.headers)
                audit.log(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            audit.log(CLIENT_CLOSED)

    async def _admitted(self, access: Access, scope: Scope, audit: Audit) -> Standing | None:
        """Raises what refuses the request. Else the standing of the key's quota, if it has one."""
        await access.refresh()
        path, headers = scope["path"], Headers(scope=scope)
        need = need_of(path)
        audit.is_due = need.right is not None and not access.is_open
        caller = access.caller(headers, scope["client"][0] if scope["client"] else "")
        scope.setdefault("state", {})["caller"] = audit.caller = caller
        current.note(key=caller.key.name if caller.key else "")
        if need.right is None or (need.may_be_signed and _is_signed(access, scope)):
            return None
        access.check(caller, need.right)
        if not need.is_counted or headers.get(TASK_HEADER):  # such a task is answered without an engine
            return None
        return await access.count(caller)


def _is_signed(access: Access, scope: Scope) -> bool:
    article_id = scope["path"].partition("/articles/")[2]
    signatures = parse_qs(scope["query_string"].decode("latin-1")).get(SIGNATURE, [])
    return len(signatures) == 1 and access.is_signed(article_id, signatures[0].encode())
