"""Several server processes over one archive: both follow what is ingested and swapped, and end together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from archive.errors import SettingsError
from archive.models import ModelStore
from archive.settings import Settings
from server.ports import free_port
from server.workers import serve, share

CONNECTIONS = 16
ENGINE = {"ARCHIVAR_GENERATOR": "openai:none", "ARCHIVAR_GENERATOR_URL": "http://127.0.0.1:9/v1"}


def article(number: int, title: str) -> str:
    text = f"{title}. Das teilte die Stadt am Montag mit. Die Arbeiten dauern bis zum Herbst."
    return json.dumps({"id": f"a{number}", "title": title, "text": text, "date": "2024-05-06"})


def environment(home: Path) -> dict[str, str]:
    ours = {"ARCHIVAR_HOME": str(home), "ARCHIVAR_OFFLINE": "true", "ARCHIVAR_SHUTDOWN_SECONDS": "5"}
    return {**os.environ, **ENGINE, **ours}


def archivar(home: Path, *argv: str) -> subprocess.CompletedProcess:
    argv = (sys.executable, "-m", "archivar", *argv)
    return subprocess.run(argv, env=environment(home), capture_output=True, text=True, timeout=240, check=False)


def ingest(home: Path, *lines: str) -> None:
    file = home.parent / "articles.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    done = archivar(home, "ingest", str(file))
    assert done.returncode == 0, done.stderr


@contextmanager
def serving(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen, str]]:
    port = free_port("127.0.0.1")
    argv = [sys.executable, "-m", "archivar", "serve", "--workers", "2", "--port", str(port), *more]
    with subprocess.Popen(argv, env=environment(home), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def counted(home: Path) -> set[int]:
    """Worker processes that have counted a request."""
    return {int(file.stem.rpartition("_")[2]) for file in (home / "metrics").glob("*/counter_*.db")}


def until(true, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/live", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def connections(stack: ExitStack, base: str, home: Path, processes: int = 2) -> list[httpx.Client]:
    """Kept-alive connections, until so many processes have answered: whoever accepts first has one."""
    kept: list[httpx.Client] = []

    def all_of_them() -> bool:
        for _ in range(CONNECTIONS):
            kept.append(stack.enter_context(httpx.Client(base_url=base, timeout=120)))
            assert kept[-1].get("/v1/models").status_code == 200
        return len(counted(home)) == processes

    until(all_of_them)
    return kept


def ids(client: httpx.Client, query: str) -> list[str]:
    found = client.post("/v1/search", json={"query": query, "rerank": False})
    assert found.status_code == 200, found.text
    return [hit["article_id"] for hit in found.json()["data"]]


@pytest.mark.models
def test_each_worker_follows_an_ingest_and_a_swap_and_all_end_together(tmp_path):
    home = tmp_path / "home"
    ingest(home, article(1, "Brücke über die Weser gesperrt"))
    with serving(home) as (process, base), ExitStack() as stack:
        until(lambda: answers(base))
        clients = connections(stack, base, home)
        assert all(ids(client, "Schwimmbad") == ["a1"] for client in clients)

        ingest(home, article(2, "Neues Schwimmbad in Celle"))  # while all are asked once more
        assert all(ids(client, "Schwimmbad")[0] == "a2" for client in clients)

        other = str(ModelStore(Settings().models, offline=True).path(Settings().embedder))
        assert archivar(home, "reindex", "--embedder", other).returncode == 0

        def swapped() -> bool:
            assert all(ids(client, "Schwimmbad")[0] == "a2" for client in clients)
            return all(client.get("/health/ready").json()["embedder"] == other for client in clients)

        until(swapped)
        assert all(ids(client, "Brücke")[0] == "a1" for client in clients)
        assert "archivar_workers 2.0" in clients[0].get("/metrics").text

        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        assert not answers(base) and not list((home / "metrics").iterdir())


@pytest.mark.models
def test_a_worker_that_is_killed_is_replaced_and_none_outlives_its_parent(tmp_path):
    home = tmp_path / "home"
    ingest(home, article(1, "Brücke über die Weser gesperrt"))
    with serving(home) as (process, base), ExitStack() as stack:
        until(lambda: answers(base))
        connections(stack, base, home)
        os.kill(min(counted(home)), signal.SIGKILL)
        connections(stack, base, home, 3)
        process.kill()
        process.wait()
        until(lambda: not answers(base))


def test_a_generator_in_the_process_is_refused_in_one_line(tmp_path):
    with pytest.raises(SettingsError, match=r"llama\.cpp's server, Ollama"):
        serve(Settings(home=tmp_path, workers=2), {})


@pytest.mark.parametrize(
    ("slots", "queue", "workers", "expected"),
    [(0, 64, 2, (2, 32)), (256, 65, 2, (128, 33)), (1, 1, 4, (1, 1)), (3, 0, 2, (1, 0))],
)
def test_workers_share_slots_and_queue(slots, queue, workers, expected):
    part = share(Settings(engine_slots=slots, queue=queue, workers=workers))
    assert (part.engine_slots, part.queue) == expected
