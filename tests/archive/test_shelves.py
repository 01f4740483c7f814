"""Shelves and their splits: real SQLite and Chroma, shelves of a few passages."""

import gc
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from chromadb.api.rust import RustBindingsAPI
from chromadb.api.shared_system_client import SharedSystemClient
from embedders import WordEmbedder

from archive import shelf_reading, splitting
from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage, Period
from archive.chroma import Chroma
from archive.schema import FIRST_SHELF, MIGRATIONS
from archive.settings import Settings
from archive.shelves import Shelf, cut, next_month

ROOT = Path(__file__).resolve().parents[2]
MAY = Period(date(2023, 5, 1), date(2023, 5, 31))
DAYS = [f"{year}-{month:02}-{day:02}" for year in (2022, 2023) for month in range(1, 13) for day in (1, 11, 21)]


@pytest.fixture(autouse=True)
def _small_shelves(monkeypatch):
    monkeypatch.setattr(splitting, "FULL", 8)
    monkeypatch.setattr(splitting, "OVERFULL", 12)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def archive(settings):
    archive = Archive.open(settings, WordEmbedder())
    yield archive
    archive.close()


def moment(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=TIME_ZONE).timestamp())


def store(archive, days, batch=4, text="Chip Werk") -> None:
    """An article of one passage for each day, its id the day; `-` and what follows tells articles of a day apart."""
    with archive.writing():
        for start in range(0, len(days), batch):
            for day in days[start : start + batch]:
                put(archive, day, None if day.startswith("undated") else day.split("/")[0], text)
            archive.index_pending()


def put(archive, article_id, day, text="Chip Werk") -> None:
    published = datetime.fromisoformat(day).replace(hour=12, tzinfo=TIME_ZONE) if day else None
    made = Article(article_id, text, f"{text} {article_id}", published=published, source="z.de")
    archive.ledger.store([(made, [Passage(f"{article_id}#0", article_id, 0, made.text, text, published)])])


def standing(archive) -> tuple[Shelf, ...]:
    return archive.index._vectors._standing


def contents(archive) -> dict[str, set[str]]:
    chroma = archive.index._vectors._chroma
    return {shelf.name: set(chroma.create(shelf.name).get(include=[])["ids"]) for shelf in standing(archive)}


def found(archive, period=None, text="Chip Werk", limit=100):
    vector = archive.embedder.embed_queries([text])[0]
    return [passage_id.removesuffix("#0") for passage_id, _ in archive.index.search_dense(vector, limit, period)]


def assert_in_order(archive, days) -> None:
    """Each passage lies once, on the shelf of its date, and the shelves cover all time without a gap."""
    lying = contents(archive)
    assert sorted(passage_id for ids in lying.values() for passage_id in ids) == sorted(f"{day}#0" for day in days)
    shelves = [shelf for shelf in standing(archive) if shelf.dated]
    assert shelves[0].first is None and shelves[-1].after is None
    assert [shelf.after for shelf in shelves[:-1]] == [shelf.first for shelf in shelves[1:]]
    for shelf in standing(archive):
        dates = archive.index._vectors._shelves.moments(lying[shelf.name])
        assert all(shelf.holds(date) for date in dates.values())


def test_a_young_archive_has_one_shelf(archive):
    store(archive, [*DAYS[:5], "undated"])
    assert [shelf.name for shelf in standing(archive)] == [FIRST_SHELF]
    assert_in_order(archive, [*DAYS[:5], "undated"])


def test_in_order_of_time_the_newest_shelf_is_closed_at_a_month_and_nothing_moves(archive):
    store(archive, DAYS)
    shelves = standing(archive)
    assert len(shelves) > 3 and shelves[0].name == FIRST_SHELF
    assert all(datetime.fromtimestamp(shelf.first, TIME_ZONE).day == 1 for shelf in shelves[1:])
    assert_in_order(archive, DAYS)


@pytest.mark.parametrize("seed", range(2))
def test_in_any_order_shelves_are_split_by_date(archive, seed):
    days = [str(day) for day in np.random.default_rng(seed).permutation([*DAYS, "undated1", "undated2"])]
    store(archive, days)
    lying = contents(archive)
    assert len(lying) > 4 and all(len(ids) <= 12 for ids in lying.values())
    assert FIRST_SHELF not in lying
    assert_in_order(archive, days)
    assert len(found(archive)) == len(days)
    assert archive.index.counts() == (len(days), len(days))


PERIODS = [
    MAY, Period(date(2023, 5, 1)), Period(end=date(2022, 5, 11)), Period(date(2022, 11, 11), date(2023, 2, 1)),
    Period(date(2023, 5, 11), date(2023, 5, 11)), Period(date(2022, 1, 1), date(2023, 12, 31)),
    Period(date(2030, 1, 1)), Period(end=date(2000, 1, 1)), Period(),
]  # fmt: skip


@pytest.mark.parametrize(("shuffled", "many"), [(False, 100), (True, 100), (False, 0)])
def test_a_period_finds_its_passages_on_whichever_shelves(archive, shuffled, many, monkeypatch):
    monkeypatch.setattr(shelf_reading, "_MANY", many)  # with 0, what was found is told by its rows
    store(archive, [*(np.random.default_rng(1).permutation(DAYS).tolist() if shuffled else DAYS), "undated"], 12)
    for period in PERIODS:
        first, last = period.start or date.min, period.end or date.max
        expected = [day for day in DAYS if first <= date.fromisoformat(day) <= last]
        assert sorted(found(archive, period)) == expected
        assert found(archive, period, limit=2) == found(archive, period)[:2]


def test_the_nearest_come_first_across_shelves(archive):
    store(archive, DAYS)
    for day in ("2022-01-05", "2023-12-05"):
        store(archive, [day], text="Quanten Rechner")
    assert set(found(archive, text="Quanten Rechner", limit=2)) == {"2022-01-05", "2023-12-05"}


def test_few_passages_of_a_period_are_found_behind_many_nearer_ones(archive, monkeypatch):
    """The nearest of the shelf lie outside the period; the search goes on until the period has its share."""
    monkeypatch.setattr(splitting, "FULL", 10_000)
    with archive.writing():
        for number in range(600):
            put(archive, f"n{number}", "2023-04-11", "Chip Werk")
        for number in range(60):
            put(archive, f"f{number}", "2023-05-11", "Ein ganz anderer Satz über Chip")
        archive.index_pending()
    assert len(found(archive, MAY, limit=30)) == 30
    assert all(article_id.startswith("f") for article_id in found(archive, MAY, limit=30))


def asked(archive, ask) -> list[str]:
    """What the ledger is asked meanwhile."""
    statements: list[str] = []
    archive.ledger.db.set_trace_callback(statements.append)
    ask()
    archive.ledger.db.set_trace_callback(None)
    return statements


def test_which_passages_a_period_holds_is_read_from_indexes_alone(archive):
    """The rows lie between long texts: read from the disk, those of a month's candidates take a quarter of a second."""
    store(archive, ["2023-05-01", "2023-05-01/a#b", "2023-06-01", "undated"])
    shelves, _ = archive.index.vectors.parts
    may, held = (moment("2023-05-01"), moment("2023-06-01")), ["2023-05-01#0", "2023-05-01#1", "2023-05-01/a#b#0"]
    ids = [*held, "2023-06-01#0", "undated#0", "nowhere#0"]
    assert shelves.dated_within(ids, may) == set(held)
    assert shelves.dated_within(ids, (None, None)) == {*held, "2023-06-01#0"}
    assert shelves.dated_within([], may) == set()
    statements = asked(archive, lambda: shelves.dated_within(ids, may))
    steps = [row["detail"] for one in statements for row in archive.ledger.db.execute(f"EXPLAIN QUERY PLAN {one}")]
    assert [step for step in steps if "COVERING INDEX" in step and "(id=?)" in step]
    assert [step for step in steps if "articles_by_moment" in step]
    assert not [step for step in steps if "passages" in step or step.startswith("SCAN")]


def test_the_dates_of_a_shelf_are_counted_again_only_when_it_has_changed(archive):
    store(archive, DAYS[:5])
    period = Period(date(2022, 1, 1), date(2022, 1, 31))

    def counts() -> int:
        return sum("count(*)" in one for one in asked(archive, lambda: found(archive, period)))

    assert (counts(), counts()) == (2, 1)
    store(archive, DAYS[5:6])
    assert (counts(), counts()) == (2, 1)


def test_a_changed_date_moves_the_passage_to_its_new_shelf(archive):
    store(archive, DAYS)
    with archive.writing():
        put(archive, "2022-01-01", "2023-05-05")
        archive.index_pending()
        put(archive, "2022-01-11", "2023-05-06")
        put(archive, "2022-01-11", None)
        archive.index_pending()
    assert_in_order(archive, DAYS)
    assert "2022-01-01" in found(archive, MAY)
    assert "2022-01-11" not in found(archive, Period(date(2022, 1, 1), date(2023, 12, 31)))
    assert not archive.ledger.notes.pending(1).last


def test_a_removed_article_leaves_its_shelf(archive):
    store(archive, DAYS)
    with archive.writing():
        archive.ledger.remove("2022-01-01")
        archive.index_pending()
    assert_in_order(archive, DAYS[1:])


def test_applying_again_changes_nothing(archive):
    store(archive, DAYS)
    with archive.writing():
        put(archive, "2022-01-01", "2023-05-05")
        pending = archive.ledger.notes.pending(10)
        vectors = archive.embedder.embed_passages([passage.embedded_text for passage in pending.passages])
        for _ in range(2):
            archive.index.apply(pending, vectors)
    assert_in_order(archive, DAYS)


def test_passages_of_one_day_stay_together(archive):
    days = [f"2023-05-11/{number}" for number in range(20)]
    store(archive, days)
    assert_in_order(archive, days)
    assert [len(ids) for ids in contents(archive).values() if ids] == [20]


def make_first_version(file):
    """Turn a ledger into what the first version of the program would have left of it."""
    now = file.rename(file.with_name("now.sqlite3"))
    old = sqlite3.connect(file)
    for statement in MIGRATIONS[0].split(";"):
        old.execute(statement)
    old.execute("ATTACH ? AS now", (str(now),))
    for table in ("articles", "passages", "notes", "facts"):
        columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM now.{table}")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()


def test_the_one_collection_of_an_older_archive_is_the_first_shelf_and_is_split_later(settings):
    """As versions before the shelves left it: one collection with dates as metadata, the ledger without the table."""
    archive = Archive.open(settings, WordEmbedder())
    for day in [*DAYS[:7], "undated"]:
        put(archive, day, None if day == "undated" else day)
    pending = archive.ledger.notes.pending(100)
    chroma = Chroma(settings.home)
    chroma._client.create_collection(FIRST_SHELF, embedding_function=None, configuration={"hnsw": {"space": "ip"}})
    chroma.collection(FIRST_SHELF).upsert(
        ids=[passage.id for passage in pending.passages],
        embeddings=archive.embedder.embed_passages([passage.embedded_text for passage in pending.passages]),
        metadatas=[{"article": passage.article_id} for passage in pending.passages],
    )
    archive.index._words.apply(pending.passages, [])
    archive.index.close_writer()
    archive.ledger.notes.done(pending)
    archive.ledger.set_fact("embedder", archive.embedder.name)
    archive.close()
    make_first_version(settings.home / "ledger.sqlite3")

    again = Archive.open(settings, WordEmbedder())
    assert sorted(found(again, Period(end=date(2022, 1, 31)))) == DAYS[:3]
    store(again, DAYS[7:])
    assert_in_order(again, [*DAYS, "undated"])
    with again.writing():
        put(again, DAYS[0], "2023-05-05")
        again.index_pending()
    assert_in_order(again, [*DAYS, "undated"])
    again.close()


@pytest.mark.parametrize("step", ["plan", "create", "switch", "drop", "forget"])
def test_a_split_that_breaks_off_loses_nothing_and_is_made_good(settings, monkeypatch, step):
    archive = Archive.open(settings, WordEmbedder())
    days = DAYS[::-1][:11]
    store(archive, days)
    owner = Chroma if step in ("create", "drop") else type(archive.index._vectors._shelves)
    whole = getattr(owner, step)

    def breaks(self, *arguments):
        if step == "create" and arguments[0] == FIRST_SHELF:
            return whole(self, *arguments)
        if step in ("plan", "switch"):
            whole(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, breaks)
    with pytest.raises(KeyboardInterrupt):
        store(archive, DAYS[:2])
    archive.close()
    monkeypatch.setattr(owner, step, whole)

    again = Archive.open(settings, WordEmbedder())
    assert set(found(again)) == {*days, *DAYS[:2]}
    with again.writing():
        again.index_pending()
    assert_in_order(again, [*days, *DAYS[:2]])
    kept = {collection.name for collection in again.index._vectors._chroma._client.list_collections()}
    assert kept == {shelf.name for shelf in standing(again)}
    assert not again.index._vectors._shelves.unfinished()
    again.close()


def elsewhere(settings, days) -> None:
    """Ingest in another process, with shelves as small as here."""
    code = (
        "import sys; sys.path[:0] = ['.', 'tests', 'tests/archive']\n"
        "from test_shelves import *; splitting.FULL, splitting.OVERFULL = 8, 12\n"
        f"archive = Archive.open(Settings(home=Path({str(settings.home)!r})), WordEmbedder())\n"
        f"store(archive, {days!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_reader_meets_shelves_that_another_process_split(settings, archive):
    store(archive, DAYS[:6])
    found(archive)
    elsewhere(settings, DAYS[:5:-1])
    assert set(found(archive)) == set(DAYS)  # the shelf that it knew is gone, and nobody told it
    archive.refresh()
    assert_in_order(archive, DAYS)


def test_a_reader_reads_only_changed_shelves_anew(settings, archive):
    store(archive, DAYS[:20])
    found(archive)
    before = dict(archive.index._vectors._chroma._opened)
    elsewhere(settings, DAYS[20:22])
    archive.refresh()
    assert set(found(archive)) == set(DAYS[:22])
    after = archive.index._vectors._chroma._opened
    same = [name for name in before if after.get(name) is before[name]]
    assert len(same) == len(before) - 1


def test_reading_changed_shelves_anew_lets_go_of_what_was_read_before(archive):
    def clients():
        return sum(type(thing) is RustBindingsAPI for thing in gc.get_objects())

    store(archive, DAYS[:20])
    held = []
    for _ in range(4):
        archive.index._vectors._shelves.changed([standing(archive)[0].name])
        archive.index.reload()
        assert set(found(archive)) == set(DAYS[:20])
        held.append(clients())
    assert held[-1] == held[1]


def test_a_writer_sees_what_another_process_wrote_between_its_own_writes(settings, archive):
    store(archive, DAYS[:3])
    elsewhere(settings, DAYS[3:5])
    store(archive, DAYS[5:7])
    archive.close()
    again = Archive.open(settings, WordEmbedder())
    assert set(found(again)) == set(DAYS[:7])
    again.close()


def test_vectors_of_passages_on_several_shelves(archive):
    store(archive, [*DAYS, "undated"])
    wanted = [f"{DAYS[0]}#0", f"{DAYS[-1]}#0", "undated#0", "never#0"]
    vectors = archive.index.vectors_of(wanted)
    assert set(vectors) == set(wanted[:3])
    texts = [archive.ledger.passages([passage_id])[passage_id].embedded_text for passage_id in wanted[:3]]
    np.testing.assert_allclose(
        np.stack([vectors[passage_id] for passage_id in wanted[:3]]), archive.embedder.embed_passages(texts), atol=1e-6
    )
    assert archive.index.vectors_of([]) == {}


def test_vectors_deleted_by_hand_are_built_again_on_the_shelves_that_stood(settings):
    archive = Archive.open(settings, WordEmbedder())
    store(archive, DAYS)
    shelves = [shelf.name for shelf in standing(archive)]
    for collection in archive.index._vectors._chroma._client.list_collections():
        archive.index._vectors._chroma._client.delete_collection(collection.name)
    archive.close()
    again = Archive.open(settings, WordEmbedder())
    with again.writing():
        again.index_pending()
    assert [shelf.name for shelf in standing(again)] == shelves
    assert_in_order(again, DAYS)
    again.close()


@pytest.fixture
def chroma_url(tmp_path):
    """A Chroma server of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("chroma"), "run", "--path", tmp_path / "server", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    SharedSystemClient.clear_system_cache()
    with warnings.catch_warnings():  # Chroma's client never closes its connections, and the next test would hear of it
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    server.terminate()
    server.wait()


def test_shelves_on_a_chroma_server(settings, chroma_url):
    settings = settings.model_copy(update={"chroma_url": chroma_url})
    archive, reader = (Archive.open(settings, WordEmbedder()) for _ in range(2))
    store(archive, [*DAYS[::-1], "undated"], 12)
    assert len(standing(archive)) > 4
    assert found(archive, MAY) == ["2023-05-01", "2023-05-11", "2023-05-21"]
    with archive.writing():
        put(archive, DAYS[0], "2023-05-05")
        archive.index_pending()
    assert_in_order(archive, [*DAYS, "undated"])
    assert len(found(reader)) == len(DAYS) + 1  # it has seen none of the splits
    archive.close()
    reader.close()


def test_a_shelf_holds_its_half_open_range():
    shelf = Shelf("a", 10, 20)
    assert [shelf.holds(at) for at in (9, 10, 19, 20, None)] == [False, True, True, False, False]
    assert shelf.overlap((None, 10)) is None and shelf.overlap((20, None)) is None
    assert shelf.overlap((15, None)) == (15, 20)
    assert Shelf("a", None, None).overlap((None, 5)) == (None, 5)
    undated = Shelf("u", 0, 0, undated=True)
    assert undated.holds(None) and not undated.holds(0) and not undated.dated


@pytest.mark.parametrize(("days", "at"), [
    (["2023-04-11", "2023-04-21", "2023-05-02", "2023-05-03"], "2023-05-01"),
    (["2023-04-30", "2023-05-02", "2023-05-03", "2023-05-04", "2023-05-05", "2023-05-06"], "2023-05-04"),
    (["2023-05-02", "2023-05-02", "2023-05-02", "2023-05-03"], "2023-05-03"),
    (["2023-05-02", "2023-05-02"], None),
    ([], None),
])  # fmt: skip
def test_a_cut_lies_at_a_month_near_the_middle_else_at_a_day(days, at):
    assert cut([moment(day) + 3600 for day in days]) == (moment(at) if at else None)


@pytest.mark.parametrize(
    ("day", "following"), [("2023-05-31", "2023-06-01"), ("2023-12-31", "2024-01-01"), ("2024-01-31", "2024-02-01")]
)
def test_the_next_month(day, following):
    assert next_month(moment(day) + 86_000) == moment(following)
