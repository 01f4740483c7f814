"""Locks between processes that tell who holds them."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from archive.articles import TIME_ZONE
from archive.errors import ArchiveLocked

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

_TURN = 60.0  # seconds


@contextmanager
def held(home: Path, name: str, *, wait: float = 0) -> Iterator[None]:
    """Hold the lock `name` of the archive in `home`; the system frees it when this process ends, however it ends.

    Raises ArchiveLocked, naming the holder, where another has it for longer than `wait` seconds.
    """
    # Beside the lock and not in it: who asks for a lock may empty its file.
    lock, holder = FileLock(home / f"{name}.lock"), home / f"{name}.holder"
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise ArchiveLocked(f"{home}: {_named(holder)} is at work on it; wait for its end, or stop it") from error
    try:
        with suppress(OSError):  # who holds it is a courtesy; a full disk is told by whoever writes what matters
            holder.write_text(json.dumps(_myself()), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def whole(home: Path, name: str, *, writes: bool) -> Iterator[None]:
    """Read files that no process writes meanwhile, or write (`writes`) while none reads them; for moments only."""
    if fcntl is None:
        yield
        return
    with (home / f"{name}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if writes else fcntl.LOCK_SH)
        yield  # closing the file gives the lock back


def waits_its_turn(home: Path, name: str) -> float:
    """Seconds of patience with the one that works under the lock `name`, who holds others for moments only; or 0."""
    return _TURN if (home / f"{name}.holder").exists() else 0.0


def _myself() -> dict[str, object]:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]).strip()
    since = datetime.now(TIME_ZONE).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": since}


def _named(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f"`{who['command']}` (process {who['pid']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
