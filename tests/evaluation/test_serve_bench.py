"""The scripted engine and the client for load, over real connections, and what the command refuses."""

import asyncio
import json
import os
import time

import pytest
from typer.testing import CliRunner

from archivar import app
from archive.errors import ArchivarError
from archive.ledger import Ledger
from evaluation.serve_client import Connection, stream, streamed
from evaluation.serve_processes import asked, cpu_seconds, engine, notes, percentiles, resident


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with engine(tmp_path_factory.mktemp("engine")) as port:
        yield port


def test_the_engine_says_what_a_question_orders_at_its_pace(port):
    reply = asyncio.run(streamed(port, asked("first=0.2 rate=50 words=20")))
    words = reply.words()
    assert reply.whole and len(words) == 20
    assert words[0] - reply.began >= 0.2 and words[-1] - words[0] >= 19 / 50 - 0.02
    assert [event["choices"][0]["finish_reason"] for event in reply.events() if event["choices"]][-1] == "stop"


def test_the_engine_notes_who_left_and_when(port):
    async def leave():
        await notes(port)
        whole = await streamed(port, asked("words=2 rate=100"))
        leaver = await stream(port, asked("first=0 rate=20 words=200"))
        await leaver.has(b"Wort")
        left = leaver.close()
        while len(told := await notes(port)) < 1 or not any(note["gone"] for note in told):
            await asyncio.sleep(0.02)
        return whole, left, next(note for note in told if note["gone"])

    whole, left, note = asyncio.run(leave())
    assert len(whole.words()) == 2
    assert 0 < note["sent"] < 200 and note["asked"] < left <= note["ended"] < time.monotonic()


def test_whoever_waits_for_what_never_comes_is_told(port):
    async def wait():
        reply = await stream(port, asked("words=1"))
        await reply.has(b"Platz 1")

    with pytest.raises(EOFError, match="Platz 1"):
        asyncio.run(wait())


def test_a_connection_is_kept_for_one_request_after_the_other(port):
    async def ask():
        connection = await Connection.open(port)
        answers = [await connection.ask("/v1/models") for _ in range(3)]
        answers.append(await connection.ask("/v1/chat/completions", asked("words=3")))
        connection.close()
        return answers

    *models, (status, said) = asyncio.run(ask())
    assert all(status == 200 and b'"scripted"' in body for status, body in models)
    assert status == 200 and json.loads(said)["choices"][0]["message"]["content"] == "Wort Wort Wort "


def test_figures_of_processes_and_percentiles():
    before = cpu_seconds(os.getpid())
    while time.process_time() < before + 0.1:
        pass
    assert cpu_seconds(os.getpid()) > before
    assert resident(os.getpid()) > 20
    assert percentiles([0.001, 0.002, 0.003]) == {"p50": 2.0, "p95": 2.9}
    assert percentiles([5.0], 1, 0, 100) == {"p0": 5.0, "p100": 5.0}


def test_a_phase_that_there_is_none_of_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVAR_HOME", str(tmp_path))
    Ledger.open(tmp_path).close()
    result = CliRunner().invoke(app, ["bench", "serve", "--phases", "start,walk"])
    assert isinstance(result.exception, ArchivarError) and "walk" in str(result.exception)
