"""Answers while they are made: each in a task of its own, so that who reads slowly or leaves holds up nobody."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from archive.errors import GenerationError, ShuttingDown
from server import metrics
from server.current import current
from server.events import Event, Finished
from server.turns import Turn

_ENDED = None


class Running:
    """An answer on its way. It goes on at the engine's pace, whatever its reader's; an answer's length bounds it.

    The task is no child of the request's: a request that is cancelled is cancelled at each await, and what frees the
    engine has to be awaited.
    """

    def __init__(self, events: AsyncGenerator[Event], turn: Turn | None) -> None:
        """Begins at once; `turn` is ended with the events, even if nobody ever reads them."""
        self._events: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._turn = turn
        self._request = current()
        self._outcome = metrics.Outcome(self._request.model if self._request else "")
        self._task = asyncio.create_task(self._run(events))
        # Not within the task: one that is cancelled before it has begun runs none of its lines.
        self._task.add_done_callback(self._ended)

    async def _run(self, events: AsyncGenerator[Event]) -> None:
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    if isinstance(event, Finished) and self._turn is not None:
                        self._finished(event)
                    self._events.put_nowait(event)
        except Exception as error:
            self._events.put_nowait(error)

    def _finished(self, event: Finished) -> None:
        self._outcome.finished(event)
        if self._request:
            self._request.finished = event

    def _ended(self, _: asyncio.Task[None]) -> None:
        if self._turn is not None:
            self._turn.end()
            self._outcome.failed()  # unless it has come to another end
        self._events.put_nowait(_ENDED)

    async def read(self) -> AsyncGenerator[Event]:
        """The events, Finished last. Raises what broke the answer off. Closing it early gives the answer up."""
        is_whole = False
        try:
            while (event := await self._events.get()) is not _ENDED:
                if isinstance(event, Exception):
                    raise event
                is_whole = is_whole or isinstance(event, Finished)
                yield event
            if not is_whole:
                raise GenerationError("the answer broke off before its end; ask again")
        finally:
            self.cancel()

    def break_off(self) -> None:
        """Its reader gets ShuttingDown in place of the rest."""
        if self._turn is not None:
            self._outcome.failed()
        self._events.put_nowait(ShuttingDown("the server is being stopped; ask again in a moment"))

    def cancel(self) -> None:
        """Nobody reads any more: free the engine."""
        if self._turn is not None and not self._task.done():
            self._given_up(self._turn.phase)
        self._task.cancel()

    def _given_up(self, phase: str) -> None:
        if self._outcome.cancelled(phase) and self._request:
            self._request.cancelled = phase

    @property
    def done(self) -> bool:
        """Whether the engine has been freed."""
        return self._task.done()


class Runnings:
    """All answers that are being made; held so that none is lost on its way, and told when the server stops."""

    def __init__(self) -> None:
        self._running: set[Running] = set()

    def start(self, events: AsyncGenerator[Event], turn: Turn | None = None) -> Running:
        """Begin an answer."""
        running = Running(events, turn)
        self._running.add(running)
        running._task.add_done_callback(lambda _: self._running.discard(running))
        return running

    def break_off(self) -> None:
        """End all that still run, readably."""
        for running in self._running:
            running.break_off()

    def __len__(self) -> int:
        return len(self._running)
