"""Turns at the engines: a bounded, fair queue before one or several of them.

Who waits is served by start-time fair queuing (Goyal, Vin and Cheng, 1996): each caller's questions count rounds, and
the lowest round goes first, so that a hundred questions of a script hold up a reader's one by a single place.
Everything here runs on one event loop.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Sequence
from math import ceil
from typing import Self

from archive.errors import Busy, EngineTimeout, EngineUnavailable
from server import metrics
from server.engine_pool import EnginePool, Member
from server.generation import Generator, Message, Piece, Sampling

_USUAL_SECONDS = 5.0  # a turn's length, until some were seen


class Turns:
    """Hands out turns at the engines of one model."""

    def __init__(self, generators: Sequence[Generator], slots: int, waiting: int) -> None:
        """`slots` answers at a time from each engine; `waiting` questions may wait for them, half of them one's own."""
        self.pool = EnginePool(generators, slots, self._serve)
        self.limit = waiting
        self._waiting: list[Turn] = []  # in the order of service
        self._rounds: Counter[str] = Counter()  # the last round of each caller who waits
        self._round = 0
        self._usual = _USUAL_SECONDS
        self._changed()

    @property
    def members(self) -> Sequence[Member]:
        """The engines."""
        return self.pool.members

    @property
    def generator(self) -> Generator:
        """One of them, for what needs no turn: its name, and counting tokens."""
        return self.members[0].generator

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Turns that are being used."""
        return sum(member.running for member in self.members)

    def take(self, caller: str = "") -> "Turn":
        """A turn, which may have to wait first; `caller` is whom it is counted for.

        Raises Busy where too many wait. Whoever takes a turn ends it.
        """
        turn = Turn(self, caller)
        if not self._waiting and (member := self.pool.free()):
            turn.begin(member)
            self._changed()
            return turn
        self._admit(caller)
        turn.round = self._rounds[caller] = max(self._round, self._rounds[caller]) + 1
        behind = next((place for place, other in enumerate(self._waiting) if other.round > turn.round), None)
        self._waiting.insert(len(self._waiting) if behind is None else behind, turn)
        self._changed()
        return turn

    def _admit(self, caller: str) -> None:
        waiting, own = len(self._waiting), sum(other.caller == caller for other in self._waiting)
        if waiting < self.limit and own < ceil(self.limit / 2):
            return
        metrics.REFUSALS.inc()
        slots = sum(member.slots for member in self.members)
        seconds = max(ceil(self._usual * (waiting + 1) / slots), 1)
        many = f"{waiting} questions" if waiting >= self.limit else f"{own} questions of yours"
        raise Busy(f"{many} are waiting already; ask again in {seconds} s", seconds)

    def place(self, turn: "Turn") -> int:
        """Where a turn waits: 1 is next."""
        return self._waiting.index(turn) + 1

    def end(self, turn: "Turn", member: Member | None, seconds: float) -> None:
        """Take a turn's place back, whether it was used or given up; the next begins."""
        if member is None:
            self._waiting.remove(turn)
            self._forget(turn)
        else:
            member.running -= 1
            self._usual += 0.2 * (seconds - self._usual)
        self._serve()

    def move(self, member: Member, tried: Collection[Member]) -> Member | None:
        """An engine failed: another one that takes its work, if one is yet untried."""
        self.pool.failed(member)
        if taken := self.pool.successor(tried):
            member.running -= 1
            taken.running += 1
            self._serve()
        return taken

    async def close(self) -> None:
        """Stop looking after engines that failed."""
        await self.pool.close()

    def _serve(self) -> None:
        while self._waiting and (member := self.pool.free()):
            turn = self._waiting.pop(0)
            self._round = turn.round
            self._forget(turn)
            turn.begin(member)
        self._changed()

    def _forget(self, turn: "Turn") -> None:
        if not any(other.caller == turn.caller for other in self._waiting):
            del self._rounds[turn.caller]

    def _changed(self) -> None:
        metrics.WAITING.set(len(self._waiting))
        for member in self.members:
            metrics.RUNNING.labels(member.where).set(member.running)
        for turn in self._waiting:
            turn.changed.set()


class Turn:
    """One answer's right to an engine: waited for, used as a Generator, and ended. Ends with its `with` block."""

    def __init__(self, turns: Turns, caller: str) -> None:
        self.name = turns.generator.name
        self.caller, self.round = caller, 0
        self.changed = asyncio.Event()
        self.phase = "search"  # then queue, prefill and decode: what its answer is at
        self._turns = turns
        self._member: Member | None = None
        self._taken, self._began = time.monotonic(), 0.0
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self, member: Member) -> None:
        """It is this one's turn, at `member`; called by Turns."""
        member.running += 1
        self._member, self._began = member, time.monotonic()
        metrics.WAITED.observe(self._began - self._taken)
        self.changed.set()

    async def wait(self) -> AsyncGenerator[int]:
        """The place in the queue, from the first to each change; ends when it's this one's turn."""
        told = 0
        while self._member is None:
            self.phase = "queue"
            if (place := self._turns.place(self)) != told:
                told = place
                yield place
            self.changed.clear()
            if self._member is None:
                await self.changed.wait()

    def end(self) -> None:
        """Give the place back; again is harmless."""
        if not self._ended:
            self._ended = True
            self._turns.end(self, self._member, time.monotonic() - self._began)

    async def check(self) -> None:
        """See Generator."""
        await self._held().generator.check()

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        """See Generator. An engine that fails before its first word is replaced by another that wasn't tried yet."""
        tried, begun = list[Member](), False
        while True:
            tried.append(member := self._held())
            self.phase = "prefill"
            try:
                async with contextlib.aclosing(member.generator.stream(messages, sampling)) as pieces:
                    async for piece in pieces:
                        if not begun:
                            begun, self.phase = True, "decode"
                            self._turns.pool.worked(member)
                        yield piece
                return
            except (EngineUnavailable, EngineTimeout):
                if not self._moved(tried) or begun:
                    raise

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """See Generator, and stream()."""
        tried = list[Member]()
        while True:
            tried.append(member := self._held())
            self.phase = "prefill"
            try:
                weights = await member.generator.weigh(messages, words, begun)
            except (EngineUnavailable, EngineTimeout):
                if not self._moved(tried):
                    raise
            else:
                self._turns.pool.worked(member)
                return weights

    def count_tokens(self, text: str) -> int:
        """See Generator."""
        return self._turns.generator.count_tokens(text)

    def _held(self) -> Member:
        if self._member is None:
            raise RuntimeError("an engine was asked before its turn had come")
        return self._member

    def _moved(self, tried: Sequence[Member]) -> bool:
        taken = self._turns.move(tried[-1], tried)
        self._member = taken or tried[-1]
        return taken is not None
