"""`archivar watch` as a process of its own, beside a server that answers from the same archive."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from scripted import ROOT, ScriptedGenerator
from webserver import Answer, served

from archive.archive import Archive
from archive.settings import Settings
from server.app import create_app
from server.engine import load_engine
from server.ports import free_port

pytestmark = pytest.mark.models

TEXT = "Das Quellwasser der Gemeinde Hinterzarten ist nach Angaben des Landratsamts wieder trinkbar. " * 6
SOON = 120  # seconds after which a test gives up


@pytest.fixture
def home(archive_home, tmp_path):
    return shutil.copytree(archive_home, tmp_path / "home")


@pytest.fixture
def site():
    with served({"/robots.txt": Answer(status=404)}) as site:
        yield site


def publish(site, *titles):
    entries = ""
    for number, title in enumerate(titles):
        link = site.at(f"/{number}.html")
        entries += (
            f"<entry><title>{title}</title><id>{link}</id><link href='{link}'/><summary>{title}</summary></entry>"
        )
        body = f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{TEXT}</p><p>{number}</p>"
        site.routes[f"/{number}.html"] = Answer(body, etag=f'"{number}"')
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Zeitung</title>{entries}</feed>"
    site.routes["/feed"] = Answer(feed, media_type="application/atom+xml", etag=f'"{len(titles)}"')


def command(home, site, *options):
    settings = {"ARCHIVAR_HOME": str(home), "ARCHIVAR_CRAWL_DELAY": "0", "ARCHIVAR_OFFLINE": "true"}
    argv = [sys.executable, "-m", "archivar", "watch", site.at("/feed"), *options]
    return {"args": argv, "cwd": ROOT, "env": os.environ | settings, "stderr": subprocess.PIPE, "text": True}


@contextmanager
def running(home, site, *options):
    with subprocess.Popen(**command(home, site, *options)) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(home):
    port = free_port("127.0.0.1")
    settings = Settings(home=home, port=port, offline=True)
    app = create_app(settings, load=lambda chosen: load_engine(chosen, generator=ScriptedGenerator()))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    server.should_exit = True
    thread.join(20)


def until(true):
    """Waits for it; returns the seconds that it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < SOON
        time.sleep(0.05)
    return time.monotonic() - begun


def test_a_server_finds_what_a_watcher_has_brought_in(home, site, capsys):
    publish(site, "Erste Meldung des heutigen Tages")
    with serving(home) as http, running(home, site, "--every", "5") as watcher:

        def found(words):
            answer = http.post("/v1/search", json={"query": words, "top_k": 1}).json()
            return any(words in hit["title"] for hit in answer["data"])

        until(lambda: site.asked("/0.html"))
        assert not found("Hinterzartens Quellwasser")
        publish(site, "Erste Meldung des heutigen Tages", "Hinterzartens Quellwasser ist trinkbar")
        seconds = until(lambda: found("Hinterzartens Quellwasser"))
        with capsys.disabled():
            sys.stderr.write(f"found {seconds:.1f} s after it appeared in a feed that is read every 5 s\n")

        second = subprocess.run(**command(home, site))
        assert second.returncode == 1 and f"process {watcher.pid}" in second.stderr

        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(SOON) == 0
        assert "Traceback" not in watcher.stderr.read()


def test_killed_in_the_middle_it_goes_on_where_it_was(home, site, real_embedder):
    titles = [f"Meldung Nummer {number} aus Hinterzarten" for number in range(8)]
    publish(site, *titles)
    with running(home, site) as watcher:
        until(lambda: len(site.asked("/3.html")))
        watcher.kill()
    assert subprocess.run(**command(home, site, "--once")).returncode == 0
    archive = Archive.open(Settings(home=home), real_embedder)
    articles = [article for article in archive.ledger.articles() if article.source == "127.0.0.1"]
    assert sorted(article.title for article in articles) == titles
    assert all("Landratsamts" in article.text for article in articles)
    assert archive.index.counts() == (archive.ledger.counts().passages,) * 2
    archive.close()
