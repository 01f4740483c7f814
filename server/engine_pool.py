"""The engines of one model: which may be asked, and which are left out since they failed, until they answer again.

Load balancers call it outlier ejection, with health checks of what was ejected. Everything here runs on one event loop.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from server import metrics
from server.generation import Generator

log = logging.getLogger(__name__)

_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds between two looks at an engine that failed, then always the last


@dataclass(slots=True, eq=False)
class Member:
    """One engine: how many answers it writes, and whether it is left out since it failed."""

    generator: Generator
    slots: int
    running: int = 0
    failures: int = 0  # in a row
    is_out: bool = False

    @property
    def where(self) -> str:
        """Its address, without a password that may be in it."""
        return re.sub("//[^/@]*@", "//", getattr(self.generator, "where", "in process"))

    @property
    def load(self) -> float:
        """The share of its slots that is used; above 1 where it took another's work over."""
        return self.running / self.slots


class EnginePool:
    """Chooses the least busy engine of those that work."""

    def __init__(self, generators: Sequence[Generator], slots: int, returned: Callable[[], None]) -> None:
        """`slots` answers at a time from each; `returned` is called when one that was left out answers again."""
        self.members = tuple(Member(generator, slots) for generator in generators)
        self._returned = returned
        self._revivals: set[asyncio.Task[None]] = set()
        for member in self.members:
            metrics.ENGINE_UP.labels(member.where).set(1)
            metrics.ENGINE_FAILURES.labels(member.where)

    def free(self) -> Member | None:
        """The engine to ask next, if one has a slot left."""
        # Where all are out, each is tried: that is how a single engine comes back at once.
        usable = [member for member in self.members if not member.is_out] or self.members
        return min((member for member in usable if member.load < 1), key=lambda member: member.load, default=None)

    def successor(self, tried: Collection[Member]) -> Member | None:
        """The engine that takes over where `tried` failed, if one is left.

        Beyond its slots if need be: a question that was promised an answer doesn't queue again. One that is left out is
        tried last: it may be back since it was looked at.
        """
        others = [member for member in self.members if member not in tried]
        return min(others, key=lambda member: (member.is_out, member.load), default=None)

    def failed(self, member: Member) -> None:
        """Leave an engine out, and look at it again until it answers."""
        member.failures += 1
        metrics.ENGINE_FAILURES.labels(member.where).inc()
        if member.is_out:
            return
        member.is_out = True
        metrics.ENGINE_UP.labels(member.where).set(0)
        log.warning("engine %s at %s is left out: it failed", member.generator.name, member.where)
        task = asyncio.create_task(self._revive(member))
        self._revivals.add(task)
        task.add_done_callback(self._revivals.discard)

    def worked(self, member: Member) -> None:
        """An engine has answered."""
        member.failures = 0
        self._return(member)

    async def close(self) -> None:
        """Stop looking after engines that failed."""
        for task in self._revivals:
            task.cancel()
        await asyncio.gather(*self._revivals, return_exceptions=True)

    async def _revive(self, member: Member) -> None:
        while member.is_out:
            await asyncio.sleep(_PAUSES[min(member.failures, len(_PAUSES)) - 1])
            try:
                await member.generator.check()
            except Exception:  # whatever it is: who stops looking leaves the engine out for good
                member.failures += 1
            else:
                self._return(member)

    def _return(self, member: Member) -> None:
        if member.is_out:
            member.is_out = False
            metrics.ENGINE_UP.labels(member.where).set(1)
            log.info("engine %s at %s answers again", member.generator.name, member.where)
            self._returned()
