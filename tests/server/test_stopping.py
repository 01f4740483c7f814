"""The end of a real `archivar serve` while it answers: what is short ends whole, the rest is broken off readably."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from asking import Answer, ask
from engine_process import EngineProcess, wait_for

from archive.archive import Archive
from archive.settings import Settings
from server.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 3  # seconds, ARCHIVAR_SHUTDOWN_SECONDS
WORDS = " ".join(["Wort"] * 10)


class NoEmbedder:
    """For archives that are only made."""

    name = "multilingual-e5-small-q4"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("stopping")
    Archive.open(Settings(home=home), NoEmbedder()).close()
    return home


@contextmanager
def served(home: Path, engine: EngineProcess) -> Iterator[tuple[str, subprocess.Popen]]:
    port = free_port("127.0.0.1")
    env = os.environ | {
        "ARCHIVAR_HOME": str(home), "ARCHIVAR_PORT": str(port), "ARCHIVAR_GENERATOR": "openai:scripted",
        "ARCHIVAR_GENERATOR_URL": f"{engine.address}/v1", "ARCHIVAR_SHUTDOWN_SECONDS": str(LIMIT),
        "ARCHIVAR_ENGINE_SLOTS": "2", "ARCHIVAR_RERANKER": "none", "ARCHIVAR_OFFLINE": "true",
        "ARCHIVAR_MODELS": str(Settings().models),
    }  # fmt: skip
    with (home / "log").open("w") as log:
        command = [sys.executable, "-m", "archivar", "serve"]
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    try:
        assert wait_for(lambda: is_live(base), 90), (home / "log").read_text()
        yield base, process
    finally:
        process.kill()
        process.wait()


def is_live(base: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{base}/health/live", timeout=2).status_code == 200
    return False


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as process:
        yield process


def asked(pool: ThreadPoolExecutor, engine: EngineProcess, base: str, **mode: object) -> Future[Answer]:
    """A question that the engine is at, and answers as it is told to."""
    count = engine.notes()["asked"] + 1
    engine.behave(**mode)
    question = pool.submit(ask, base, model="scripted")
    assert wait_for(lambda: engine.notes()["asked"] == count)
    return question


def stopped(process: subprocess.Popen, within: float) -> float:
    """Seconds until it has ended, which it does without a failure."""
    began = time.monotonic()
    assert process.wait(within + 20) == 0
    return time.monotonic() - began


def assert_broken_off(answer: Answer) -> None:
    assert answer.failed_visibly and answer.closed
    assert answer.error.startswith("Der Server wird gerade beendet, deshalb bricht die Antwort hier ab.")


def test_running_answers_end_and_those_that_take_too_long_are_broken_off(home, engine):
    with served(home, engine) as (base, process), ThreadPoolExecutor(4) as pool:
        long = asked(pool, engine, base, pause=60, answer=WORDS)
        short = asked(pool, engine, base, pause=0.15, answer=WORDS)
        queued = pool.submit(ask, base, model="scripted")
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        late = ask(base, model="scripted")
        seconds = stopped(process, LIMIT)
        assert late.failed_visibly  # it listens no more
        assert short.result().is_whole and short.result().text == WORDS
        assert_broken_off(long.result())
        answer = queued.result()  # it comes to the engine once the short one has ended, which answers as that one
        assert answer.is_whole or (answer.failed_visibly and answer.closed)
        assert LIMIT - 1 < seconds < LIMIT + 15


def test_it_ends_at_once_where_nobody_waits_and_when_it_is_told_twice(home, engine):
    with served(home, engine) as (_, process):
        process.send_signal(signal.SIGTERM)
        stopped(process, 0)
    with served(home, engine) as (base, process), ThreadPoolExecutor(3) as pool:
        first, second = (asked(pool, engine, base, first=60) for _ in range(2))
        queued = pool.submit(ask, base, model="scripted")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        stopped(process, 0)
        for answer in (first, second, queued):
            assert_broken_off(answer.result())
        assert wait_for(lambda: engine.notes()["at_work"] == 0)
