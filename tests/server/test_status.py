"""`archivar status` and the logs of `archivar serve`, over real servers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from scripted import ScriptedGenerator
from serving import serving
from typer.testing import CliRunner

from archivar import app
from archive.archive import Archive
from archive.settings import Settings
from ingest.pipeline import ingest
from server.ports import free_port
from server.status import quantile

ARTICLE = {
    "id": "a1", "title": "Berlin plant eine Brücke", "text": "Die Stadt Berlin plant eine neue Brücke über die Spree.",
    "date": "2024-05-03T10:00:00+02:00", "url": "https://example.org/a1",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory, real_embedder):
    folder = tmp_path_factory.mktemp("status")
    (folder / "articles.jsonl").write_text(json.dumps(ARTICLE), encoding="utf-8")
    archive = Archive.open(Settings(home=folder / "home"), real_embedder)
    assert ingest([str(folder / "articles.jsonl")], archive).stored == 1
    archive.close()
    return folder / "home"


@pytest.fixture(scope="module")
def address(home) -> Iterator[str]:
    with serving(Settings(home=home, api_key=SecretStr("geheim")), ScriptedGenerator()) as address:
        headers = {"Authorization": "Bearer geheim"}
        body = {"model": "scripted", "messages": [{"role": "user", "content": "Hallo"}]}
        assert httpx.post(f"{address}/v1/chat/completions", json=body, headers=headers, timeout=60).is_success
        yield address


def status(*arguments, key="geheim"):
    return CliRunner().invoke(app, ["status", *arguments], env={"ARCHIVAR_API_KEY": key, "COLUMNS": "120"})


def test_a_ready_server_is_told_with_all_that_it_is_at(address):
    done = status("--url", address)
    assert done.exit_code == 0, done.output
    for line in (f"{address}: ready", "1 article", "in process: 0 running", "0 waiting", " whole"):
        assert line in done.output
    assert "newest article" in done.output and "2024-05-03 10:00" in done.output


def test_json_tells_the_same(address):
    done = status("--url", address, "--json")
    told = json.loads(done.output)
    assert done.exit_code == 0 and told["is_ready"] is True and told["missing"] == []
    figures = told["figures"]
    # Other servers of this process count with it.
    assert (figures["articles"], figures["pending"]) == (1, 0) and figures["answers"]["whole"] >= 1
    assert 0 < figures["first_token"]["p50"] <= figures["first_token"]["p95"]
    assert figures["models"]["generator"] == "scripted" and time.time() - figures["started"] < 600
    assert 0 <= time.time() - figures["last_run"] < 600


def test_without_a_key_only_that_it_is_ready_is_told(address):
    done = status("--url", address, key="")
    assert done.exit_code == 0 and "ready" in done.output and "ARCHIVAR_API_KEY" in done.output
    assert "articles" not in done.output and "scripted" not in done.output
    assert httpx.get(f"{address}/health/ready").json() == {"status": "ready"}
    assert httpx.get(f"{address}/metrics").status_code == 401


def test_no_server_and_another_program_are_errors(monkeypatch, tmp_path):
    done = status("--url", f"http://127.0.0.1:{free_port('127.0.0.1')}")
    assert done.exit_code == 1 and "no server answers at" in str(done.exception)
    assert done.exit_code == 1 and "archivar serve" in str(done.exception)
    assert "no archivar" in str(status("--url", "http://[::1").exception)


@pytest.fixture(scope="module")
def process(home, tmp_path_factory) -> Iterator[tuple[str, subprocess.Popen, list[str]]]:
    """`archivar serve` with two engines that are away; its address, and the file that it logs to."""
    port, log = free_port("127.0.0.1"), tmp_path_factory.mktemp("log") / "log.jsonl"
    away = [f"http://127.0.0.1:{free_port('127.0.0.1')}/v1" for _ in range(2)]
    environment = {
        **os.environ, "ARCHIVAR_HOME": str(home), "ARCHIVAR_PORT": str(port), "ARCHIVAR_LOG_FORMAT": "json",
        "ARCHIVAR_LOG_LEVEL": "debug", "ARCHIVAR_GENERATOR": "openai:klein", "ARCHIVAR_OFFLINE": "1",
        "ARCHIVAR_GENERATOR_URL": ",".join(away), "ARCHIVAR_SHUTDOWN_SECONDS": "1",
    }  # fmt: skip
    with log.open("wb") as out:
        running = subprocess.Popen([sys.executable, "-m", "archivar", "serve"], env=environment, stdout=out, stderr=out)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
    while True:
        try:
            if httpx.get(f"{address}/health/live").is_success:
                break
        except httpx.HTTPError:
            assert running.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    yield address, running, away
    running.send_signal(signal.SIGTERM)
    running.wait(60)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]  # each is one JSON object
    assert {"uvicorn.error", "server.access", "server.engine_pool"} <= {line["logger"] for line in lines}
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    asked = [line for line in lines if line.get("request_id") == "asked-1"]
    assert any(line["logger"] == "server.access" and line["error"] == "EngineUnavailable" for line in asked)
    assert "Brücke" not in log.read_text(encoding="utf-8") and "Br\\u00fccke" not in log.read_text(encoding="utf-8")


def test_engines_that_are_away_are_named_and_the_server_is_not_ready(process):
    address, _, away = process
    answer = httpx.get(f"{address}/health/ready")
    assert answer.status_code == 503
    told = answer.json()
    assert len(told["missing"]) == 2 and all(any(url in line for line in told["missing"]) for url in away)
    done = status("--url", address)
    assert done.exit_code == 1 and "NOT READY" in done.output and away[0] in done.output


def test_a_question_is_not_logged_at_any_level(process):
    address, _, away = process
    body = {"model": "klein", "messages": [{"role": "user", "content": "Was ist mit der Brücke?"}]}
    answer = httpx.post(f"{address}/v1/chat/completions", json=body, headers={"X-Request-Id": "asked-1"}, timeout=60)
    assert answer.status_code == 503
    figures = json.loads(status("--url", address, "--json").output)["figures"]
    assert figures["engines"][away[0]]["failures"] >= 1 and not figures["engines"][away[0]]["is_up"]


@pytest.mark.parametrize(
    ("buckets", "share", "expected"),
    [
        ([], 0.5, None),
        ([(1.0, 0), (float("inf"), 0)], 0.5, None),
        ([(1.0, 10), (2.0, 20), (float("inf"), 20)], 0.5, 1.0),
        ([(1.0, 10), (2.0, 20), (float("inf"), 20)], 0.75, 1.5),
        ([(1.0, 0), (float("inf"), 4)], 0.5, 1.0),
    ],
)
def test_quantiles_are_those_of_prometheus(buckets, share, expected):
    assert quantile(buckets, share) == expected
