"""MCP at /mcp: the tools for any client of the Model Context Protocol, by streamable HTTP without sessions."""

import asyncio
from functools import partial

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from server.engine import Engine
from server.library import Library


class McpEndpoint:
    """An ASGI application; what it needs is loaded, beside the event loop, when the first client comes."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        engine: Engine = scope["app"].state.engine
        if self._app is None:
            self._app = await asyncio.to_thread(_app, engine.library)
        await self._app(scope, receive, send)


def _app(library: Library) -> ASGIApp:
    from server.mcp import mcp_server, serve_request

    return partial(serve_request, mcp_server(library))


def mcp_route() -> Route:
    """POST alone: without sessions there is no stream to GET and nothing to DELETE."""
    return Route("/mcp", McpEndpoint(), methods=["POST"], include_in_schema=False)
