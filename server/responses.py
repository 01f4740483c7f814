"""How answers leave: a stream of lines, or one object, each given up as soon as its client has gone."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from server.running import Running


class ClientGone(Exception):
    """The client closed the connection before its answer was there."""


class EventStream(StreamingResponse):
    """Server-sent events of an answer that is being made."""

    media_type = "text/event-stream"

    def __init__(self, lines: AsyncGenerator[str], running: Running) -> None:
        # A proxy that buffers would show a stream as one block at its end.
        super().__init__(lines, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; however that ends, the engine is free afterwards."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._running.cancel()


async def unless_gone(request: Request, answer: Coroutine[Any, Any, str], running: Running) -> str:
    """Await the answer. A client that goes away meanwhile frees the engine. Raises ClientGone then."""
    work, gone = asyncio.ensure_future(answer), asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientGone
        return work.result()
    finally:
        running.cancel()
        work.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
