"""Probes of a server whose parts are away, hang or come back: bounded, and asked seldom."""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripted import ScriptedGenerator

from archive.errors import ArchiveError, EngineUnavailable
from archive.ledger import Ledger
from archive.models import ModelStore
from archive.settings import Settings
from server import readiness
from server.generation import load_generators
from server.ports import free_port
from server.readiness import Readiness, disk_worries
from server.turns import Turns


class Index:
    """Counts as it is told to."""

    def __init__(self) -> None:
        self.asked, self.hold = 0, threading.Event()
        self.hold.set()
        self.error: ArchiveError | None = None

    def counts(self) -> tuple[int, int]:
        self.asked += 1
        self.hold.wait(30)
        if self.error:
            raise self.error
        return 1, 1


@pytest.fixture
def home(tmp_path):
    ledger = Ledger.open(tmp_path)
    ledger.db.execute(
        """INSERT INTO articles (id, source, title, teaser, text, authors, topics, content_hash, added)
           VALUES ('a', 's', 't', '', 'x', '[]', '[]', 'h', '2024-01-01T00:00:00+00:00')"""
    )
    ledger.close()
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(readiness, "_WITHIN", 0.3)
    monkeypatch.setattr(readiness, "_FRESH", 0.2)


def engine(home: Path, *generators) -> SimpleNamespace:
    archive = SimpleNamespace(ledger=Ledger.open(home), home=home, index=Index(), is_switching=False)
    return SimpleNamespace(archive=archive, turns=Turns(generators or [ScriptedGenerator()], 1, 4))


def generators_at(url: str) -> list:
    settings = Settings(generator="openai:klein", generator_url=url)
    return load_generators(settings, ModelStore(settings.models, offline=True))


def looking(one, look):
    """Run `look(readiness)` on an event loop, as a server does."""
    with ThreadPoolExecutor(4) as threads:
        try:
            return asyncio.run(look(Readiness(one, threads)))
        finally:
            one.archive.index.hold.set()
            one.archive.ledger.close()


def test_all_that_is_needed_is_there(home):
    async def look(ready):
        return await ready.look()

    found = looking(engine(home), look)
    assert (found.missing, found.worrying, found.figures.articles) == ((), (), 1)
    assert found.engines == {"in process": "ready"}


def test_many_probes_at_once_ask_each_part_once(home):
    one = engine(home)

    async def look(ready):
        return await asyncio.gather(*(ready.look() for _ in range(20)))

    assert len(set(map(id, looking(one, look)))) == 1 and one.archive.index.asked == 1


def test_a_part_that_hangs_is_named_within_the_limit_and_asked_again_when_it_has_come_back(home, quick):
    one = engine(home)
    one.archive.index.hold.clear()

    async def look(ready):
        start = time.monotonic()
        first = await ready.look()
        took = time.monotonic() - start
        await asyncio.sleep(0.25)
        second = await ready.look()
        asked_while_hanging = one.archive.index.asked
        one.archive.index.hold.set()
        await asyncio.sleep(0.25)
        return first, took, second, asked_while_hanging, await ready.look()

    first, took, second, asked, third = looking(one, look)
    assert took < 5 and any("the index does not answer" in line for line in first.missing)
    assert second.missing == first.missing and asked == 1, "each probe would cost a thread"
    assert third.missing == ()


def test_an_index_that_is_away_is_told_in_its_own_words(home):
    one = engine(home)
    one.archive.index.error = ArchiveError("Chroma at http://x: away; start the Chroma server")

    async def look(ready):
        return await ready.look()

    assert looking(one, look).missing == ("Chroma at http://x: away; start the Chroma server",)


class Away(ScriptedGenerator):
    where = "http://away"

    async def check(self) -> None:
        raise EngineUnavailable("openai at http://away can't be reached; start it")


def test_one_engine_of_two_is_enough_but_told(home):
    async def look(ready):
        return await ready.look()

    found = looking(engine(home, ScriptedGenerator(), Away()), look)
    assert found.missing == () and found.worrying == ("openai at http://away can't be reached; start it",)
    assert found.engines["in process"] == "ready" and "can't be reached" in found.engines["http://away"]
    assert looking(engine(home, Away()), look).missing == found.worrying


def test_a_real_engine_that_accepts_and_says_nothing_is_given_up_within_the_limit(home, monkeypatch):
    monkeypatch.setattr(readiness, "_WITHIN", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"

        async def look(ready):
            return await ready.look()

        found = looking(engine(home, *generators_at(url)), look)
    assert len(found.missing) == 1 and url in found.missing[0]


def test_an_embedder_that_is_being_loaded_takes_no_server_out_of_service(home):
    one = engine(home)
    one.archive.is_switching = True

    async def look(ready):
        return await ready.look()

    found = looking(one, look)
    assert found.missing == () and "embedder" in found.worrying[0]


def test_a_disk_without_room_and_one_that_cannot_be_written_to(tmp_path):
    assert disk_worries(tmp_path) == []
    (full,) = disk_worries(tmp_path, least=2**60)
    assert "is full" in full and str(tmp_path) in full
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    read_only = next((m[1] for m in mounts if m[3].split(",")[0] == "ro" and Path(m[1]).is_dir()), None)
    if read_only is None:
        pytest.skip("nothing is mounted read-only here")
    assert any("can't be written to" in line for line in disk_worries(Path(read_only), least=0))


def test_an_address_that_nobody_listens_at_is_named(home):
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}/v1"

    async def look(ready):
        return await ready.look()

    found = looking(engine(home, *generators_at(url)), look)
    assert found.engines == {url: found.missing[0]} and "can't be reached" in found.missing[0]
