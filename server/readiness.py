"""Whether a question can be answered now, and what is missing otherwise: asked by probes, so quick and never hanging.

Where reading still works, the server goes on answering: a full disk or an embedder that is being changed is told, but
takes no server out of service.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from archive.errors import ArchivarError
from archive.figures import Figures, figures
from server.engine import Engine
from server.engine_pool import Member

_FRESH = 2.0  # seconds that what was found holds for
_WITHIN = 4.0  # seconds that a part may take to answer; a probe's own limit is often 5
_LEAST_ROOM = 64 * 2**20  # bytes free on the disk, below which the next ingest is likely to fail

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: `missing` keeps questions from being answered, `worrying` doesn't yet."""

    missing: tuple[str, ...]
    worrying: tuple[str, ...]
    figures: Figures | None
    engines: dict[str, str] = field(default_factory=dict)  # by address: "ready", or why not


class Readiness:
    """Looks after one engine's parts, at most once in a while and never twice at once."""

    def __init__(self, engine: Engine, threads: Executor) -> None:
        """`threads` are for probes alone: those that all share may wait for the very part that hangs."""
        self._engine, self._threads = engine, threads
        self._found: Found | None = None
        self._at = 0.0
        self._looking = asyncio.Lock()
        self._slow: dict[str, asyncio.Future[Any]] = {}  # what has not come back yet, by part

    async def look(self) -> Found:
        """What is found, or was found a moment ago."""
        async with self._looking:
            if self._found is None or time.monotonic() - self._at > _FRESH:
                self._found = await self._look()
                self._at = time.monotonic()
            return self._found

    async def _look(self) -> Found:
        archive = self._engine.archive
        (told, no_ledger), (counts, no_index), (rest, no_disk), engines = await asyncio.gather(
            self._asked("the ledger", lambda: figures(archive.ledger, archive.home)),
            self._asked("the index", archive.index.counts),
            self._asked("the disk", lambda: disk_worries(archive.home)),
            asyncio.gather(*map(self._checked, self._engine.turns.members)),
        )
        missing = [line for line in (no_ledger, no_index) if line]
        worrying = [*([no_disk] if no_disk else []), *(rest or ())]
        if told and not told.articles:
            missing.append("the archive is empty: run archivar ingest")
        elif told and counts and told.passages > told.pending and not all(counts):
            missing.append("the index is empty, though the ledger isn't: run archivar check --repair")
        if archive.is_switching:
            worrying.append("another embedder is being loaded; questions go to the one before till then")
        by_address = {
            member.where: why or "ready" for member, why in zip(self._engine.turns.members, engines, strict=True)
        }
        failed = [why for why in engines if why]
        (missing if len(failed) == len(engines) else worrying).extend(failed)
        return Found(tuple(missing), tuple(worrying), told, by_address)

    async def _checked(self, member: Member) -> str:
        try:
            async with asyncio.timeout(_WITHIN):
                await member.generator.check()
        except TimeoutError:
            return f"the engine at {member.where} does not answer within {_WITHIN:.0f} s; look at it"
        except ArchivarError as error:
            return str(error)
        return ""

    async def _asked(self, part: str, ask: Callable[[], _T]) -> tuple[_T | None, str]:
        """What a part says, or why it says nothing. One that hangs keeps its thread and isn't asked again till then."""
        hanging = f"{part} does not answer within {_WITHIN:.0f} s"
        if (slow := self._slow.get(part)) and not slow.done():
            return None, hanging
        work = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        self._slow[part] = work
        try:
            return await asyncio.wait_for(asyncio.shield(work), _WITHIN), ""
        except TimeoutError:
            return None, hanging
        except ArchivarError as error:
            return None, str(error)


def disk_worries(home: Path, least: int = _LEAST_ROOM) -> list[str]:
    """What will keep the next ingest from writing to `home`; looked at, not tried: a probe writes nothing."""
    worries = []
    if not os.access(home, os.W_OK) or os.statvfs(home).f_flag & os.ST_RDONLY:
        worries.append(f"{home} can't be written to: questions are answered, but nothing new comes in")
    if (free := shutil.disk_usage(home).free) < least:
        worries.append(f"the disk of {home} is full, {free / 1e6:,.0f} MB are left: free some space")
    return worries
