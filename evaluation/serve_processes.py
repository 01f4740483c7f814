"""The processes of a measurement: a server, a scripted engine, and what the system tells of them."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archive.errors import ArchivarError
from evaluation.live_bench import ROOT
from evaluation.serve_client import Connection
from evaluation.serve_engine import MODEL
from server.ports import free_port

Figures = dict[str, Any]

_READY_WITHIN = 120.0
_LOOK = 0.01  # seconds between two looks at a server that starts


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured and how much of it."""

    home: Path
    questions: Sequence[str]
    answers: int = 100
    streams: int = 200
    seconds: float = 15.0
    at_once: int = 8
    workers: int = 1
    in_process: bool = False


@contextmanager
def engine(folder: Path) -> Iterator[int]:
    """The scripted engine; yields its port."""
    port = free_port("127.0.0.1")
    argv = [sys.executable, "-m", "evaluation.serve_engine", str(port)]
    with (folder / "engine.log").open("wb") as out, subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=out) as process:
        try:
            _await(lambda: _answers(port, "/v1/models"), process, folder / "engine.log")
            yield port
        finally:
            process.terminate()


@contextmanager
def server(plan: Plan, engine_port: int | None, **settings: str) -> Iterator[tuple[int, int, float, float]]:
    """`archivar serve` with these settings; yields its port, its process and the seconds until it was live and ready.

    Without an engine's port it has the default generator in its process.
    """
    port, log = free_port("127.0.0.1"), plan.home / "bench" / "server.log"
    env = {name: value for name, value in os.environ.items() if not name.startswith("ARCHIVAR_GENERATOR")}
    env |= {"ARCHIVAR_HOME": str(plan.home), "ARCHIVAR_LOG_LEVEL": "warning"} | settings
    if engine_port is not None:
        env |= {"ARCHIVAR_GENERATOR": f"openai:{MODEL}"}
        env |= {"ARCHIVAR_GENERATOR_URL": f"http://127.0.0.1:{engine_port}/v1"}
    argv = [sys.executable, "-m", "archivar", "serve", "--port", str(port)]
    argv += ["--workers", str(plan.workers)] if plan.workers > 1 and engine_port is not None else []
    began = time.monotonic()
    with log.open("wb") as out, subprocess.Popen(argv, cwd=ROOT, env=env, stdout=out, stderr=out) as process:
        try:
            live = _await(lambda: _answers(port, "/health/live"), process, log) - began
            ready = _await(lambda: _answers(port, "/health/ready"), process, log) - began
            yield port, process.pid, live, ready
        finally:
            process.terminate()


def _await(is_there: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> float:
    begun = time.monotonic()
    while not is_there():
        if process.poll() is not None or time.monotonic() - begun > _READY_WITHIN:
            raise ArchivarError(f"{process.args!r} did not come up; its log is {log}")
        time.sleep(_LOOK)
    return time.monotonic()


def _answers(port: int, path: str) -> bool:
    async def ask() -> bool:
        connection = await Connection.open(port)
        try:
            return (await connection.ask(path))[0] == 200
        finally:
            connection.close()

    try:
        return asyncio.run(ask())
    except (OSError, EOFError):
        return False


def asked(orders: str, model: str = MODEL) -> Figures:
    """A question that tells the scripted engine what to do; see serve_engine.py."""
    return {"model": model, "messages": [{"role": "user", "content": orders}], "max_tokens": 4000}


def percentiles(values: Sequence[float], unit: float = 1000.0, *which: float) -> Figures:
    """p50, p95 (or `which`) of values, times `unit`."""
    wanted = which or (50, 95)
    found = np.percentile(values, wanted) if len(values) else [float("nan")] * len(wanted)
    return {f"p{percent:g}": round(float(value) * unit, 2) for percent, value in zip(wanted, found, strict=True)}


async def notes(engine_port: int) -> list[Figures]:
    """What the scripted engine noted of each answer that has ended since it was last asked; see serve_engine.py."""
    connection = await Connection.open(engine_port)
    told: list[Figures] = json.loads((await connection.ask("/notes"))[1])
    connection.close()
    return told


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its children so far."""
    return sum(_ticks(one) for one in _family(pid)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _family(pid: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    ]
    return [pid, *(one for child in children for one in _family(child))]


def resident(pid: int) -> float:
    """Resident memory of a process and its children, megabytes (1,000,000 bytes)."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) for one in _family(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
