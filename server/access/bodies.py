"""Bodies of requests: not too large, and not sent forever."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problems import reader_of, response_to_http

_SECONDS = 60.0  # for a whole body: ten megabytes in a minute is a slow line, and no attack
_CLOSE = {"Connection": "close"}  # what is still on its way is not waited for


class BoundedBodies:
    """ASGI middleware: 413 for a body beyond the limit, before it is read whole, and 408 for one that doesn't end.

    Starlette's own limit counts too, but tells it as plain text and knows no time.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        """`limit` is in bytes."""
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > self._limit:
            await response_to_http(self._too_large(), reader_of(Request(scope)))(scope, receive, send)
            return
        until, size, is_whole = asyncio.get_running_loop().time() + _SECONDS, 0, False
        refusal: HTTPException | None = None

        async def bounded() -> Message:
            nonlocal size, is_whole, refusal
            if is_whole:  # what follows is the end of the connection, which may be long in coming
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                refusal = HTTPException(408, f"the request was not whole after {_SECONDS:.0f} s", _CLOSE)
                raise refusal from None
            is_whole = not message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > self._limit:
                refusal = self._too_large()
                raise refusal
            return message

        try:
            await self._app(scope, bounded, send)
        except Exception:
            if refusal is None:
                raise
            told = response_to_http(refusal, reader_of(Request(scope)))  # MCP's server wraps what it can't read
            await told(scope, receive, send)

    def _too_large(self) -> HTTPException:
        megabytes = self._limit / 1_000_000
        return HTTPException(413, f"a request has {megabytes:g} MB at most (ARCHIVAR_BODY_MEGABYTES)", _CLOSE)
