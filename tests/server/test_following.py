"""A server that answers while another embedder's index is built, comes to serve, and goes back: real HTTP, real Chroma,
and the building in a process of its own."""

import subprocess
import sys
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from embedders import LetterEmbedder, WordEmbedder
from scripted import ScriptedGenerator
from test_server import serving

from archive import embedding
from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage
from archive.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DAYS = [date(2022, 1, 1) + timedelta(days=number) for number in range(60)]


@pytest.fixture
def settings(tmp_path):
    """An archive of sixty articles."""
    settings = Settings(home=tmp_path / "home", reranker="none")
    archive = Archive.open(settings, WordEmbedder())
    with archive.writing():
        for day in DAYS:
            published = datetime(day.year, day.month, day.day, 12, tzinfo=TIME_ZONE)
            text = f"Das Werk in Dresden baut Chips, Bericht {day}."
            made = Article(str(day), f"Werk {day}", text, published=published, source="z.de")
            passage = Passage(f"{day}#0", str(day), 0, text, made.title, published)
            archive.ledger.store([(made, [passage])])
        archive.index_pending()
    archive.close()
    return settings


@pytest.fixture
def loading(monkeypatch):
    """The embedders by name, and when the server began to load the other one; that takes half a second."""
    began = []

    def load(settings, store):
        if settings.embedder == LetterEmbedder.name:
            began.append(time.monotonic())
            time.sleep(0.5)
            return LetterEmbedder()
        return WordEmbedder()

    monkeypatch.setattr(embedding, "load_embedder", load)
    return began


class Asker(threading.Thread):
    """Searches and asks all the while."""

    def __init__(self, base):
        super().__init__()
        self.base, self.ended = base, threading.Event()
        self.failed: list[str] = []
        self.embedders: list[str] = []
        self.asked = 0

    def run(self):
        with httpx.Client(base_url=self.base, timeout=30) as http:
            while not self.ended.is_set():
                found = http.post("/v1/search", json={"query": "Chips aus Dresden", "top_k": 5})
                told = {"messages": [{"role": "user", "content": "Was baut das Werk in Dresden?"}]}
                answer = http.post("/v1/chat/completions", json={"model": "heise-archiv", **told})
                self.asked += 2
                for response in (found, answer):
                    if response.status_code != 200:
                        self.failed.append(response.text)
                if not any("dense" in hit["scores"] for hit in found.json().get("data", [])):
                    self.failed.append(f"no vectors: {found.text[:300]}")
                self.embedders.append(http.get("/health/ready").json()["embedder"])

    def until(self, embedder) -> None:
        started = time.monotonic()
        while not (self.embedders and self.embedders[-1] == embedder):
            assert time.monotonic() - started < 60 and self.is_alive() and not self.failed, self.failed
            time.sleep(0.02)


def elsewhere(settings, embedder: str) -> None:
    """`archivar reindex` in another process, with an embedder of the tests."""
    code = (
        "import sys; sys.path[:0] = ['.', 'tests']\n"
        f"from embedders import *; from archive.reindexing import reindex; from archive.settings import Settings\n"
        f"from pathlib import Path; settings = Settings(home=Path({str(settings.home)!r}))\n"
        f"reindex(settings, {embedder}(), lambda progress: None, print)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_no_question_fails_while_another_embedder_comes_to_serve_and_goes_again(settings, loading):
    with serving(settings, ScriptedGenerator()) as base:
        asker = Asker(base)
        asker.start()
        try:
            asker.until(WordEmbedder.name)
            elsewhere(settings, "LetterEmbedder")
            asker.until(LetterEmbedder.name)
            elsewhere(settings, "WordEmbedder")
            asker.until(WordEmbedder.name)
        finally:
            asker.ended.set()
            asker.join(60)
    assert not asker.failed and asker.asked > 10
    assert len(loading) == 1


def test_while_the_other_one_is_loaded_answers_come_from_what_served(settings, loading):
    with serving(settings, ScriptedGenerator()) as base, httpx.Client(base_url=base, timeout=30) as http:

        def ask():
            started = time.monotonic()
            found = http.post("/v1/search", json={"query": "Chips"})
            assert found.status_code == 200 and found.json()["data"]
            return time.monotonic() - started, http.get("/health/ready").json()["embedder"]

        ask()
        elsewhere(settings, "LetterEmbedder")
        assert ask()[1] == WordEmbedder.name and not loading[1:]  # the question that noticed did not wait
        served = ask()[1]
        while served == WordEmbedder.name:
            served = ask()[1]
        assert served == LetterEmbedder.name


def test_a_server_starts_with_the_embedder_that_serves(settings, loading):
    elsewhere(settings, "LetterEmbedder")
    with serving(settings, ScriptedGenerator()) as base, httpx.Client(base_url=base, timeout=30) as http:
        assert http.get("/health/ready").json()["embedder"] == LetterEmbedder.name
        found = http.post("/v1/search", json={"query": "Chips"}).json()["data"]
        assert found and all("dense" in hit["scores"] for hit in found)
