"""Engines that are away, hang, die and talk rubbish behind a real server: what the chat shows, and what comes then."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from asking import QUESTION, Answer, ask, body, few_articles
from engine_process import ANSWER, EngineProcess, wait_for
from serving import serving

from archive.archive import Archive
from archive.settings import Settings
from ingest.pipeline import ingest

SILENCE = 3.0  # seconds
EVENTS = {"X-Archivar-Events": "true"}  # as for Open WebUI, but for its user
LIMIT = SILENCE + 10  # within which an error has to be there, on a busy machine


@pytest.fixture(scope="session")
def small_home(tmp_path_factory, real_embedder) -> Path:
    """A few articles of the sample, one of them about the question."""
    folder = tmp_path_factory.mktemp("small")
    archive = Archive.open(Settings(home=folder / "home"), real_embedder)
    assert ingest([str(few_articles(folder))], archive).stored >= 4
    archive.close()
    return folder / "home"


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as process:
        yield process


@pytest.fixture(scope="module")
def base(small_home, engine) -> Iterator[str]:
    settings = Settings(
        home=small_home, wording="written", generator="openai:scripted", generator_url=f"{engine.address}/v1",
        reranker="none", engine_timeout=SILENCE, engine_slots=1, queue=4,
    )  # fmt: skip
    with serving(settings, None) as address:
        first = ask(address)
        assert first.text == ANSWER, first
        yield address


@pytest.fixture(autouse=True)
def _fine(engine) -> None:
    if not engine.answers():
        engine.start()
    engine.behave()


def background(*questions) -> list[Future[Answer]]:
    """Ask at once, each in a thread of its own."""
    pool = ThreadPoolExecutor(len(questions))
    return [pool.submit(question) for question in questions]


def at_work(engine: EngineProcess, count: int = 1) -> bool:
    return wait_for(lambda: engine.notes()["at_work"] == count)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("fault", "after", "told"),
    [
        ("silent", 0, "antwortet nicht mehr"),
        ("hanging", 0, "antwortet nicht mehr"),
        ("hanging", 6, "antwortet nicht mehr"),
        ("dying", 0, "nicht erreichbar"),
        ("dying", 6, "ist ausgefallen"),
        ("closing", 0, "nicht erreichbar"),
        ("closing", 6, "ist ausgefallen"),
        ("rubbish", 0, "nicht erreichbar"),
        ("rubbish", 6, "ist ausgefallen"),
        ("other shape", 6, "ist ausgefallen"),
        ("page", 0, "nicht erreichbar"),
        ("400", 0, "ist ausgefallen"),
        ("500", 0, "ist ausgefallen"),
        ("503", 0, "nicht erreichbar"),
    ],
)
def test_a_fault_is_told_within_a_limit_and_nothing_half_looks_whole(base, engine, fault, after, told, stream):
    engine.behave(fault=fault, after=after, answer=f"{ANSWER} {ANSWER}")
    answer = ask(base, stream=stream)
    assert answer.failed_visibly and answer.closed and told in answer.error
    assert not stream or answer.statuses[-1] == "Abgebrochen"
    assert answer.seconds < LIMIT
    if not engine.answers():
        engine.start()
    engine.behave()
    assert ask(base, stream=stream).text == ANSWER


def test_an_engine_that_is_away_is_named_and_asked_again_as_soon_as_it_is_back(base, engine):
    engine.kill()
    answer = ask(base)
    assert answer.error.startswith("Das Sprachmodell ist gerade nicht erreichbar. Bitte in einer Minute noch ")
    assert "(openai at http://127.0.0.1:" in answer.error
    assert "start it or set ARCHIVAR_GENERATOR_URL" in answer.error and answer.seconds < LIMIT
    ready = httpx.get(f"{base}/health/ready", timeout=20)
    assert ready.status_code == 503 and any("can't be reached" in line for line in ready.json()["missing"])
    engine.start()
    assert ask(base).is_whole


def test_programs_are_told_without_a_readers_words(base, engine):
    engine.behave(fault="500")
    error = ask(base, headers={}, stream=False).error
    assert error.startswith("openai at") and "out of memory" in error


def test_beyond_the_queue_is_a_429_that_says_when_to_come_back(base, engine):
    engine.behave(first=60)
    using = Leaver(base, model="scripted")
    assert at_work(engine)
    engine.behave()
    waiting = background(*[lambda: ask(base, model="scripted", headers=EVENTS)] * 2)
    assert wait_for(lambda: waits(base) == 2)
    refused = httpx.post(f"{base}/v1/chat/completions", json=body(model="scripted"), timeout=20)  # half of four
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
    error = refused.json()["error"]
    assert error["type"] == "rate_limit_error" and "ask again in" in error["message"]
    shown = httpx.post(f"{base}/v1/chat/completions", json=body(model="scripted"), headers=EVENTS, timeout=20)
    assert shown.json()["error"]["message"].startswith("Gerade fragen zu viele auf einmal.")
    using.leave()
    answers = [each.result() for each in waiting]
    assert all(answer.is_whole for answer in answers)
    assert sorted(answer.statuses for answer in answers) == [
        ["Platz 1 in der Warteschlange …"], ["Platz 2 in der Warteschlange …", "Platz 1 in der Warteschlange …"],
    ]  # fmt: skip


def test_a_readers_one_question_goes_before_a_scripts_next(base, engine):
    engine.behave(first=60)
    using = Leaver(base, model="scripted")
    assert at_work(engine)
    engine.behave()
    script = background(*[lambda: ask(base, model="scripted", headers=EVENTS)] * 2)
    assert wait_for(lambda: waits(base) == 2)
    [reader] = background(lambda: ask(base, model="scripted"))
    assert wait_for(lambda: waits(base) == 3)
    using.leave()
    assert reader.result().statuses == ["Platz 2 in der Warteschlange …", "Platz 1 in der Warteschlange …"]
    told = sorted(each.result().statuses for each in script)
    assert [line.split()[1] for line in told[1]] == ["2", "3", "2", "1"]


def waits(base: str) -> int:
    lines = httpx.get(f"{base}/metrics", timeout=20).text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("archivar_queue_waiting "))


class Leaver:
    """A client that asks over a bare socket, reads or doesn't, and goes away."""

    def __init__(self, base: str, **asked: object) -> None:
        host, port = base.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sent = json.dumps(body(**asked)).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(sent)}\r\n\r\n".encode() + sent)

    def read(self, until: bytes) -> None:
        got = b""
        self._socket.settimeout(20)
        while until not in got:
            got += self._socket.recv(1024)

    def leave(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["scripted", "heise-archiv"])
@pytest.mark.parametrize("phase", ["at once", "queue", "prefill", "decode"])
def test_who_leaves_frees_the_engine(base, engine, phase, model, stream):
    if phase == "queue":
        engine.behave(pause=0.2, answer=" ".join(["Wort"] * 20))
        first = Leaver(base, model="scripted")
        assert at_work(engine)
        asked = engine.notes()["asked"]
        Leaver(base, model=model, stream=stream).leave()
        time.sleep(0.3)
        first.leave()
    else:
        engine.behave(first=30 if phase == "prefill" else 0, pause=0.1, answer=f"{ANSWER} " * 100)
        asked = engine.notes()["asked"] + 1
        leaver = Leaver(base, model=model, stream=stream)
        if phase != "at once":
            assert at_work(engine)
        if phase == "decode":
            leaver.read(b"HTTP/1.1 200") if stream else time.sleep(0.5)
        leaver.leave()
    assert wait_for(lambda: engine.notes()["at_work"] == 0 and waits(base) == 0)
    engine.behave()
    assert ask(base).is_whole
    assert engine.notes()["asked"] <= asked + 3  # what was given up in the queue never came to it


def test_who_reads_nothing_holds_up_nobody(base, engine):
    engine.behave(answer=" ".join(["Wort" * 50] * 4000))
    asked = engine.notes()["asked"]
    lazy = Leaver(base, model="scripted")
    assert wait_for(lambda: engine.notes()["asked"] > asked)
    engine.behave()
    began = time.monotonic()
    assert ask(base).is_whole and time.monotonic() - began < 20  # with one slot: the lazy one's turn has ended
    assert engine.notes()["at_work"] == 0
    lazy.leave()


def test_another_address_takes_over_and_the_first_comes_back(small_home, engine):
    with EngineProcess() as other:
        settings = Settings(
            home=small_home, wording="written", generator="openai:scripted", reranker="none", engine_slots=1,
            generator_url=f"{engine.address}/v1, {other.address}/v1", engine_timeout=SILENCE,
        )  # fmt: skip
        with serving(settings, None) as base:
            engine.kill()
            assert all(ask(base).text == ANSWER for _ in range(3))
            other.behave(fault="silent")
            engine.start()
            assert ask(base).text == ANSWER
            assert ask(base).text == ANSWER
            other.behave()
            engine.kill()
            assert ask(base).text == ANSWER


def test_many_streams_at_once_while_the_engine_dies_and_comes_back(base, engine):
    """None of them half: with one slot and a queue of four some are refused, some fail, the rest is whole."""
    engine.behave(pause=0.02)
    answers: list[Answer] = []

    def client() -> None:
        for _ in range(4):
            answers.append(ask(base))

    clients = [threading.Thread(target=client) for _ in range(3)]
    for each in clients:
        each.start()
    for _ in range(2):
        time.sleep(0.4)
        engine.kill()
        time.sleep(0.2)
        engine.start()
    for each in clients:
        each.join()
    assert len(answers) == 12
    assert all(answer.failed_visibly or (answer.is_whole and answer.text == ANSWER) for answer in answers)
    assert wait_for(lambda: ask(base, question=QUESTION).is_whole)
