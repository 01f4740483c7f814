"""Parts of the archive that are away, hang, are full, locked or lost under a running server: what the chat shows."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asking import Answer, ask, few_articles
from chroma_process import ChromaProcess, forget_clients, proxy
from engine_process import ANSWER, wait_for
from scripted import ScriptedGenerator
from serving import serving

import archive.chroma_server
import archive.ledger
from archive.archive import Archive
from archive.errors import ArchiveError
from archive.settings import Settings
from ingest.pipeline import ingest
from server.problems import describe


@pytest.fixture(scope="module")
def articles(tmp_path_factory) -> Path:
    return few_articles(tmp_path_factory.mktemp("articles"))


class Freund(ScriptedGenerator):
    """Always says the same."""

    async def stream(self, messages, sampling):
        self.answers.clear()
        self.enqueue(ANSWER)
        async for piece in super().stream(messages, sampling):
            yield piece


# Chroma's client never closes its connections; a server's collection of garbage finds them.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def settings_of(home: Path, **more: object) -> Settings:
    return Settings(home=home, wording="written", reranker="none", **more)


def fill(settings: Settings, articles: Path, embedder) -> None:
    archive = Archive.open(settings, embedder)
    assert ingest([str(articles)], archive).stored >= 4
    archive.close()


def assert_told(answer: Answer, *parts: str) -> None:
    assert answer.failed_visibly and answer.closed
    assert answer.error.startswith("Das Archiv kann gerade nicht durchsucht werden. Bitte in einer Minute ")
    assert all(part in answer.error for part in parts), answer.error


@pytest.fixture
def chroma(tmp_path) -> Iterator[ChromaProcess]:
    with ChromaProcess(tmp_path / "server") as process:
        yield process


def test_a_chroma_server_that_dies_is_named_and_found_again(tmp_path, articles, real_embedder, chroma):
    settings = settings_of(tmp_path / "home", chroma_url=chroma.url)
    fill(settings, articles, real_embedder)
    chroma.kill()
    with serving(settings, Freund()) as base:  # it starts without
        assert_told(ask(base), f"Chroma at {chroma.url}", "can't be reached", "start the Chroma server")
        ready = httpx.get(f"{base}/health/ready", timeout=20)
        assert ready.status_code == 503 and any(chroma.url in line for line in ready.json()["missing"])
        chroma.start()
        assert ask(base).text == ANSWER
        chroma.kill()
        assert_told(ask(base), f"Chroma at {chroma.url}")
        found = httpx.post(f"{base}/v1/search", json={"query": "XZ"}, timeout=20)
        assert found.status_code == 503 and chroma.url in found.json()["error"]["message"]
        chroma.start()
        assert ask(base).text == ANSWER
        assert wait_for(lambda: httpx.get(f"{base}/health/ready", timeout=20).status_code == 200)
    forget_clients()


def test_a_chroma_server_that_has_lost_its_data_is_mended_under_the_running_server(
    tmp_path, articles, real_embedder, chroma
):
    settings = settings_of(tmp_path / "home", chroma_url=chroma.url)
    fill(settings, articles, real_embedder)
    with serving(settings, Freund()) as base:
        assert ask(base).text == ANSWER
        chroma.kill()
        shutil.rmtree(chroma.folder)
        chroma.start()
        assert_told(ask(base), f"Chroma at {chroma.url}", "archivar check --repair")
        archive_ = Archive.open(settings, real_embedder)
        with archive_.writing():
            archive_.mend()
            archive_.index_pending()
        archive_.close()
        assert ask(base).text == ANSWER
    forget_clients()


def test_a_chroma_server_that_hangs_is_given_up_and_holds_nobody_for_long(
    tmp_path, articles, real_embedder, chroma, monkeypatch
):
    monkeypatch.setattr(archive.chroma_server, "_LIMITS", httpx.Timeout(2.0))
    with proxy(chroma.port) as between:
        url = f"http://127.0.0.1:{between.port}"
        settings = settings_of(tmp_path / "home", chroma_url=url)
        fill(settings, articles, real_embedder)
        with serving(settings, Freund()) as base:
            assert ask(base).text == ANSWER
            between.silent = True
            answer = ask(base)
            assert_told(answer, url, "does not answer")
            assert answer.seconds < 12
            answer = ask(base)
            assert_told(answer, "silent a moment ago")
            between.silent = False
            assert wait_for(lambda: ask(base).text == ANSWER, 30)
        forget_clients()
        between.silent = True
        with serving(settings, Freund()) as base:
            assert_told(ask(base), "does not answer")
            between.silent = False
            assert wait_for(lambda: ask(base).text == ANSWER, 30)
        forget_clients()


@pytest.fixture
def home(tmp_path, articles, real_embedder) -> Path:
    fill(settings_of(tmp_path / "home"), articles, real_embedder)
    return tmp_path / "home"


def test_a_writer_of_the_ledger_keeps_nobody_from_asking(home):
    with serving(settings_of(home), Freund()) as base:
        other = sqlite3.connect(home / "ledger.sqlite3", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE facts SET value = value WHERE name = 'generation'")
        answer = ask(base)
        assert answer.text == ANSWER and answer.seconds < 20
        other.execute("ROLLBACK")
        other.close()


def test_a_ledger_that_another_program_holds_for_itself_is_told(home, real_embedder, monkeypatch):
    monkeypatch.setattr(archive.ledger, "PATIENCE", 0.5)
    other = sqlite3.connect(home / "ledger.sqlite3", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("UPDATE facts SET value = value WHERE name = 'generation'")
    with pytest.raises(ArchiveError, match="another program holds it; ask again when that has ended"):
        Archive.open(settings_of(home), real_embedder)
    other.close()
    Archive.open(settings_of(home), real_embedder).close()


def test_an_error_of_the_ledger_is_told_readably_wherever_it_arises():
    status, told = describe(sqlite3.OperationalError("database is locked"), "de")
    assert status == 503 and told["message"].startswith("Das Archiv kann gerade nicht durchsucht werden. Bitte ")
    assert "another program holds it" in told["message"]


def test_a_lost_word_index_is_told_with_the_next_ingest_and_made_anew(home, real_embedder):
    with serving(settings_of(home), Freund()) as base:
        assert ask(base).text == ANSWER
        shutil.rmtree(home / "words")
        assert ask(base).text == ANSWER  # what is open is still read
        db = sqlite3.connect(home / "ledger.sqlite3", isolation_level=None)
        db.execute("UPDATE facts SET value = value + 1 WHERE name = 'generation'")
        db.close()
        assert wait_for(lambda: ask(base).error is not None, 10) is True
        assert_told(ask(base), "words in", "archivar check --repair")
        archive_ = Archive.open(settings_of(home), real_embedder)
        with archive_.writing():
            archive_.mend()
        archive_.close()
        assert wait_for(lambda: ask(base).text == ANSWER, 20)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 16 MB; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)  # Chroma still has files of it open


def fill_up(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as filler:
        for size in (100_000, 1000, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


def test_a_full_disk_keeps_nobody_from_asking_and_is_told(small_disk, home):
    shutil.copytree(home, small_disk / "home")
    with serving(settings_of(small_disk / "home"), Freund()) as base:
        fill_up(small_disk)
        assert ask(base).text == ANSWER
        ready = httpx.get(f"{base}/health/ready", timeout=20).json()
        assert any("full" in line for line in ready.get("worrying", [])), ready
    with serving(settings_of(small_disk / "home"), Freund()) as base:  # it starts on a full disk, too
        answer = ask(base)
        assert answer.text == ANSWER or "the disk is full" in answer.error
        (small_disk / "filler").unlink()
        assert wait_for(lambda: ask(base).text == ANSWER, 20)


def test_a_read_only_archive_is_refused_with_the_mend(small_disk, home, real_embedder):
    shutil.copytree(home, small_disk / "home")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(ArchiveError, match="make the folder writable"):
        Archive.open(settings_of(small_disk / "home"), real_embedder)
