"""A client that asks all the while: how long its questions take while the archive is written to, by command.

A real server, a real client, and each command in a process of its own, on a copy of an archive. Questions come at a
steady rate whatever becomes of those before, and their time counts from when they were due: a server that stops for
ten seconds makes all of those slow that would have come meanwhile, not one.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import numpy as np

from archive.errors import ArchivarError

ROOT = Path(__file__).resolve().parent.parent
_NOT_COPIED = shutil.ignore_patterns("bench", "evaluation", "*.lock", "*.holder")
_READY_WITHIN = 300.0
_AFTER = 10.0  # seconds of a phase after its command has ended: a server sees what is new with its next question
_WARM = 10  # questions before anything counts
_AT_ONCE = 32  # questions on their way at the same time

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question: when it was due on the monotonic clock, seconds from then to its answer, and what went wrong."""

    due: float
    seconds: float
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """What goes on while the client asks; an empty command waits for so many `seconds`."""

    name: str
    command: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """When a phase was, on the monotonic clock, and how its command ended (None: there was none)."""

    phase: Phase
    start: float
    end: float
    exit_code: int | None = None
    last_line: str = ""


@dataclass(slots=True)
class Client:
    """Asks `questions` in turn, `rate` a second, until the block ends."""

    base_url: str
    questions: Sequence[str]
    rate: float
    answered: list[Answered] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Asks while the block runs; leaves it when every question is answered."""
        thread = threading.Thread(target=self._run, name="client")
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _run(self) -> None:
        with httpx.Client(base_url=self.base_url, timeout=60) as http, ThreadPoolExecutor(_AT_ONCE) as pool:
            due = time.monotonic()
            for question in cycle(self.questions):
                if self._end.wait(max(0.0, due - time.monotonic())):
                    return
                pool.submit(self._ask, http, question, due)
                due += 1 / self.rate

    def _ask(self, http: httpx.Client, question: str, due: float) -> None:
        failure = ""
        try:
            answer = http.post("/v1/search", json={"query": question})
            if answer.status_code != httpx.codes.OK or not answer.json()["data"]:
                failure = f"{answer.status_code}: {answer.text[:200]}"
        except (httpx.HTTPError, ValueError, KeyError) as error:
            failure = f"{type(error).__name__}: {error}"
        self.answered.append(Answered(due, time.monotonic() - due, failure))


def copied(home: Path, to: Path) -> Path:
    """A copy of an archive that nobody writes to just now; an older copy goes."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(home, to, ignore=_NOT_COPIED))


@contextmanager
def serving(env: dict[str, str], port: int, log: Path) -> Iterator[str]:
    """A server as its own process; yields its address once it is ready. Raises ArchivarError where it isn't."""
    argv = [sys.executable, "-m", "archivar", "serve", "--port", str(port)]
    base_url, begun = f"http://127.0.0.1:{port}", time.monotonic()
    with log.open("wb") as out, subprocess.Popen(argv, cwd=ROOT, env=env, stdout=out, stderr=out) as process:
        try:
            while not _is_ready(base_url):
                if process.poll() is not None or time.monotonic() - begun > _READY_WITHIN:
                    raise ArchivarError(f"the server did not come up; its log is {log}")
                time.sleep(0.2)
            yield base_url
        finally:
            process.terminate()


def _is_ready(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/health/live", timeout=30).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def run(phases: Sequence[Phase], client: Client, env: dict[str, str], tell: Tell) -> list[Span]:
    """Let the client ask through all phases; each command is waited for."""
    spans = []
    with client.asking():
        while len(client.answered) < _WARM:
            time.sleep(0.1)
        for phase in phases:
            tell(f"{phase.name} ...")
            spans.append(_phase(phase, env))
    return spans


def _phase(phase: Phase, env: dict[str, str]) -> Span:
    start = time.monotonic()
    if not phase.command:
        time.sleep(phase.seconds)
        return Span(phase, start, time.monotonic())
    argv = [sys.executable, "-m", "archivar", *phase.command]
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    time.sleep(_AFTER)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return Span(phase, start, time.monotonic(), done.returncode, lines[-1] if lines else "")


def summary(spans: Sequence[Span], answered: Sequence[Answered]) -> dict[str, dict[str, object]]:
    """By phase: questions, failures, milliseconds, and the share slower than twice the p95 of the first phase."""
    by_phase = {span.phase.name: [one for one in answered if span.start <= one.due < span.end] for span in spans}
    usual = _percentile(by_phase[spans[0].phase.name], 95)
    return {span.phase.name: _summary(span, by_phase[span.phase.name], usual) for span in spans}


def _summary(span: Span, answered: Sequence[Answered], usual: float) -> dict[str, object]:
    slower = sum(one.seconds > 2 * usual for one in answered)
    return {
        "seconds": round(span.end - span.start, 1),
        "requests": len(answered),
        "failed": sum(bool(one.failure) for one in answered),
        "slower": round(slower / max(len(answered), 1), 4),
        "ms_p50": round(1000 * _percentile(answered, 50), 1),
        "ms_p95": round(1000 * _percentile(answered, 95), 1),
        "ms_max": round(1000 * max((one.seconds for one in answered), default=0.0), 1),
        **({"exit_code": span.exit_code, "said": span.last_line} if span.exit_code is not None else {}),
    }


def _percentile(answered: Sequence[Answered], percent: float) -> float:
    times = [one.seconds for one in answered if not one.failure]
    return float(np.percentile(times, percent)) if times else 0.0


def environment(home: Path) -> dict[str, str]:
    """For the processes: the copy, its own embedder, and an engine that nobody asks."""
    ours = {
        "ARCHIVAR_HOME": str(home), "ARCHIVAR_GENERATOR": "openai:none", "ARCHIVAR_LOG_LEVEL": "warning",
        "ARCHIVAR_GENERATOR_URL": "http://127.0.0.1:9/v1",
    }  # fmt: skip
    return {name: value for name, value in os.environ.items() if name != "ARCHIVAR_EMBEDDER"} | ours
