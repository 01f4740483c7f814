"""Another embedder's index built beside the one that serves: real SQLite, Chroma, Tantivy, and small shelves."""

import logging
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from embedders import LetterEmbedder, WordEmbedder
from test_shelves import make_first_version
from typer.testing import CliRunner

from archivar import app
from archive import archive as archives
from archive import embedding, reindexing, splitting
from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage, Period
from archive.chroma import Chroma
from archive.errors import ArchiveError, ArchiveLocked, ModelError, ModelMismatch, ModelMissing, UnknownModel
from archive.ledger import Ledger
from archive.locking import held
from archive.models import ModelStore
from archive.opening import open_archive
from archive.reindexing import reindex
from archive.serving import with_own_embedder
from archive.settings import Settings
from archive.vectors import Vectors

ROOT = Path(__file__).resolve().parents[2]
DAYS = [str(date(2022, 1, 1) + timedelta(days=17 * number)) for number in range(40)]
WORDS, LETTERS = WordEmbedder.name, LetterEmbedder.name


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(splitting, "FULL", 8)
    monkeypatch.setattr(splitting, "OVERFULL", 12)
    monkeypatch.setattr(reindexing, "_PAGE", 10)
    monkeypatch.setattr(reindexing, "_BATCH", 4)


@pytest.fixture(autouse=True)
def _models(monkeypatch):
    """The two embedders by name, as a store would have them."""
    known = {WORDS: WordEmbedder, LETTERS: LetterEmbedder}
    monkeypatch.setattr(embedding, "load_embedder", lambda settings, store: known[settings.embedder]())


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def archive(settings):
    archive = Archive.open(settings, WordEmbedder(), load)
    yield archive
    archive.close()


def load(name):
    return embedding.load_embedder(Settings(embedder=name), None)


def put(archive, *articles: tuple[str, str]) -> None:
    """(id, text) each; an id is a day, and what follows a `/` in it tells articles of a day apart."""
    with archive.writing():
        for article_id, text in articles:
            published = datetime.fromisoformat(article_id.split("/")[0]).replace(hour=12, tzinfo=TIME_ZONE)
            made = Article(article_id, "Titel", text, published=published, source="z.de")
            archive.ledger.store([(made, [Passage(f"{article_id}#0", article_id, 0, text, "Titel", published)])])
        archive.index_pending()


def fill(archive) -> None:
    for start in range(0, len(DAYS), 8):
        put(archive, *((day, f"Chip Werk {day}") for day in DAYS[start : start + 8]))


def take_out(archive, article_id) -> None:
    with archive.writing():
        archive.ledger.remove(article_id)
        archive.index_pending()


def build(settings, embedder=None):
    return reindex(settings, embedder or LetterEmbedder(), lambda progress: None, lambda line: None)


def holdings(settings, embedder) -> dict[str, str | None]:
    """What an index holds, each passage once and on its shelf, read anew."""
    ledger = Ledger.open(settings.home)
    vectors = Vectors(ledger, Chroma(settings.home).apart(), embedder)
    held = list(vectors.held())
    assert len(held) == len(dict(held)) and not vectors.strays()
    ledger.close()
    return dict(held)


def of_ledger(settings) -> dict[str, str]:
    ledger = Ledger.open(settings.home)
    rows = ledger.passages(row[0] for row in ledger.db.execute("SELECT id FROM passages"))
    ledger.close()
    return {passage_id: passage.content_hash for passage_id, passage in rows.items()}


def found(archive, text, period=None):
    served = archive.served
    vector = served.embedder.embed_queries([text])[0]
    return [passage_id for passage_id, _ in served.index.search_dense(vector, 100, period)]


def until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_it_builds_beside_the_old_one_and_a_reader_follows(settings, archive):
    fill(archive)
    reader = Archive.open(settings, WordEmbedder(), load)
    assert len(found(reader, "Chip")) == 40
    done = build(settings)
    assert (done.before, done.embedded, done.strays) == (WORDS, 40, 0)
    assert holdings(settings, LETTERS) == of_ledger(settings)
    assert reader.embedder.name == WORDS and len(found(reader, "Chip")) == 40  # till it looks
    reader.refresh()
    until(lambda: reader.embedder.name == LETTERS)
    assert len(found(reader, "Chip")) == 40
    assert set(found(reader, "Chip", Period(end=date(2022, 1, 31)))) == {"2022-01-01#0", "2022-01-18#0"}
    assert len(reader.index.search_words("Chip", 100)) == 40
    reader.close()


def test_the_new_one_takes_the_shelves_of_the_old_one(settings, archive):
    fill(archive)
    build(settings)
    rows = archive.ledger.db.execute("SELECT embedder, first FROM shelves").fetchall()
    starts = {name: {row[1] for row in rows if row[0] == name} for name in (WORDS, LETTERS)}
    assert len(starts[WORDS]) > 3 and starts[WORDS] <= starts[LETTERS]  # the newest may have been closed since


def test_what_a_killed_one_has_built_is_not_built_again(settings, archive):
    fill(archive)
    code = (
        "import sys, os, signal; sys.path[:0] = ['.', 'tests', 'tests/archive']\n"
        "from test_reindexing import *; reindexing._PAGE, reindexing._BATCH = 10, 4\n"
        "between = lambda embedded: embedded >= 24 and os.kill(os.getpid(), signal.SIGKILL)\n"
        f"build(Settings(home=Path({str(settings.home)!r})), LetterEmbedder(between))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT)
    assert ended.returncode == -9
    assert archive.ledger.fact("embedder") == WORDS and len(holdings(settings, LETTERS)) == 24
    assert build(settings).embedded == 16
    assert holdings(settings, LETTERS) == of_ledger(settings)


def test_articles_that_come_change_and_leave_meanwhile(settings, archive):
    fill(archive)

    def between(embedded):
        if embedded == 20:
            put(archive, (DAYS[0], "Anders"), ("2022-05-05", "Neu"), (DAYS[-1], "Auch anders"))
            take_out(archive, DAYS[1])
            take_out(archive, DAYS[-2])

    build(settings, LetterEmbedder(between))
    expected = of_ledger(settings)
    assert len(expected) == 39 and holdings(settings, LETTERS) == expected
    archive.refresh()
    until(lambda: archive.embedder.name == LETTERS)
    assert set(found(archive, "Chip")) == set(expected)


def test_while_others_never_stop_writing_it_comes_to_an_end_with_the_lock_in_hand(settings, archive):
    fill(archive)
    written = []

    def between(embedded):
        try:
            put(archive, (f"2024-01-01/{len(written)}", "Schon wieder"))
            written.append(embedded)
        except ArchiveLocked:  # it is this thread that holds the lock
            written.append(None)

    archive_wait = pytest.MonkeyPatch()
    archive_wait.setattr(archives, "waits_its_turn", lambda home, name: 0.0)
    build(settings, LetterEmbedder(between))
    archive_wait.undo()
    assert None in written and holdings(settings, LETTERS) == of_ledger(settings)


def test_back_to_the_old_one_embeds_only_what_has_changed_since(settings, archive):
    fill(archive)
    build(settings)
    put(archive, (DAYS[0], "Anders"), ("2022-05-05", "Neu"))  # follows, into the new index alone
    assert archive.embedder.name == LETTERS
    take_out(archive, DAYS[1])
    assert holdings(settings, LETTERS) == of_ledger(settings)
    done = build(settings, WordEmbedder())
    assert (done.before, done.embedded) == (LETTERS, 2)
    assert holdings(settings, WORDS) == of_ledger(settings)
    put(archive, ("2022-06-06", "Noch einer"))
    assert archive.embedder.name == WORDS and holdings(settings, WORDS) == of_ledger(settings)


def test_what_is_removed_rests_nowhere(settings, archive):
    fill(archive)
    build(settings)
    take_out(archive, DAYS[3])
    assert f"{DAYS[3]}#0" not in holdings(settings, WORDS)


def test_a_passage_that_lies_on_the_wrong_shelf_is_moved(settings, archive):
    fill(archive)
    build(settings)
    build(settings, WordEmbedder())
    with archive.writing():
        published = datetime(2023, 10, 1, tzinfo=TIME_ZONE)
        moved = Passage(f"{DAYS[0]}#0", DAYS[0], 0, "Chip", "Titel", published)
        archive.ledger.store([(Article(DAYS[0], "Titel", "Chip", published=published, source="z.de"), [moved])])
        archive.index_pending()
    done = build(settings)
    assert (done.embedded, done.strays) == (1, 0)  # the writer has taken it out of the resting index, too
    assert holdings(settings, LETTERS) == of_ledger(settings)


def test_two_at_once(settings, archive):
    fill(archive)
    refused = []

    def between(embedded):
        if not refused:
            with pytest.raises(ArchiveLocked, match="is at work on it") as error:
                build(settings)
            refused.append(error)

    build(settings, LetterEmbedder(between))
    assert refused and holdings(settings, LETTERS) == of_ledger(settings)


def test_it_waits_for_a_writer_and_says_so(settings, archive, monkeypatch):
    fill(archive)
    monkeypatch.setattr(reindexing, "_PATIENCE", 0.05)
    code = (
        "import sys, time; sys.path[:0] = ['.', 'tests', 'tests/archive']\nfrom test_reindexing import *\n"
        f"with held(Path({str(settings.home)!r}), 'write'): print('held', flush=True); time.sleep(0.5)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "held\n"
    lines = []
    reindex(settings, LetterEmbedder(), lambda progress: None, lines.append)
    writer.communicate()
    assert len(lines) == 1 and f"process {writer.pid}" in lines[0]


def test_a_writer_waits_its_turn_beside_a_reindex(settings, archive):
    with held(settings.home, "reindex"), held(settings.home, "write"):
        assert archives.waits_its_turn(settings.home, "reindex") > 1
    assert archives.waits_its_turn(settings.home, "reindex") == 0


def test_a_writer_that_can_not_follow_is_refused(settings, archive):
    fill(archive)
    other = Archive.open(settings, WordEmbedder())
    build(settings)
    with pytest.raises(ModelMismatch, match=f"made by {LETTERS}, not by {WORDS}"), other.writing():
        pass
    assert archive.ledger.fact("embedder") == LETTERS
    other.close()


def test_a_reader_whose_next_embedder_can_not_be_loaded_goes_on_and_tries_again(settings, archive, caplog):
    fill(archive)
    there = []

    def load_later(name):
        if not there:
            raise ModelMissing(f"model {name} is not in the store; run `archivar models pull {name}`")
        return load(name)

    reader = Archive.open(settings, WordEmbedder(), load_later)
    build(settings)
    with caplog.at_level(logging.WARNING):
        reader.refresh()
        until(lambda: "archivar models pull" in caplog.text)
    assert reader.embedder.name == WORDS and len(found(reader, "Chip")) == 40
    there.append(True)
    put(archive, ("2022-05-05", "Neu"))
    until(lambda: reader.refresh() or reader.embedder.name == LETTERS)
    assert len(found(reader, "Chip")) == 41
    reader.close()


def test_back_and_forth_while_a_reader_still_loads(settings, archive):
    fill(archive)
    asked, go_on = [], []

    def slow(name):
        asked.append(name)
        until(lambda: go_on)
        return load(name)

    reader = Archive.open(settings, WordEmbedder(), slow)
    build(settings)
    reader.refresh()
    until(lambda: asked == [LETTERS])
    build(settings, WordEmbedder())
    reader.refresh()
    go_on.append(True)
    until(lambda: not reader.is_switching)
    assert reader.embedder.name == WORDS and len(found(reader, "Chip")) == 40
    reader.close()


def test_a_new_archive_belongs_to_its_first_writer(settings):
    first, second = Archive.open(settings, WordEmbedder()), Archive.open(settings, LetterEmbedder())
    put(first, (DAYS[0], "Text"))
    with pytest.raises(ModelMismatch), second.writing():
        pass
    second.refresh()
    assert found(second, "Text") == [] and found(first, "Text") == [f"{DAYS[0]}#0"]
    first.close()
    second.close()


def test_a_dropped_index_is_gone_and_who_still_reads_it_finds_nothing(settings, archive):
    fill(archive)
    reader = Archive.open(settings, WordEmbedder())
    found(reader, "Chip")
    build(settings)
    with pytest.raises(ArchiveError, match="serves"):
        reindexing.drop(settings, LETTERS, lambda line: None)
    with pytest.raises(ArchiveError, match="no index of nothing"):
        reindexing.drop(settings, "nothing", lambda line: None)
    reindexing.drop(settings, WORDS, lambda line: None)
    assert found(reader, "Chip") == [] and reader.index.vectors_of([f"{DAYS[0]}#0"]) == {}
    names = {collection.name for collection in Chroma(settings.home).apart()._client.list_collections()}
    assert names and names <= {row[0] for row in archive.ledger.db.execute("SELECT name FROM shelves")}
    assert [state.embedder for state in reindexing.states(settings)] == [LETTERS]
    assert build(settings, WordEmbedder()).embedded == 40
    reader.close()


@pytest.mark.parametrize("step", ["retire", "forget"])
def test_a_drop_that_breaks_off_is_finished_by_the_next(settings, archive, monkeypatch, step):
    fill(archive)
    build(settings)
    owner = type(archive.index._vectors._shelves)
    whole = getattr(owner, step)

    def breaks(self, *arguments):
        whole(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, breaks)
    with pytest.raises(KeyboardInterrupt):
        reindexing.drop(settings, WORDS, lambda line: None)
    monkeypatch.setattr(owner, step, whole)
    if step == "retire":
        assert build(settings, WordEmbedder()).embedded == 40
    else:
        reindexing.drop(settings, WORDS, lambda line: None)
        assert not archive.ledger.db.execute("SELECT 1 FROM shelves WHERE embedder = ?", (WORDS,)).fetchone()


def test_an_archive_from_before_belongs_to_the_embedder_that_it_names(settings, archive):
    put(archive, *((day, "Chip") for day in DAYS[:6]))
    archive.close()
    make_first_version(settings.home / "ledger.sqlite3")
    again = Archive.open(settings, WordEmbedder(), load)
    assert len(found(again, "Chip")) == 6
    assert {row[0] for row in again.ledger.db.execute("SELECT embedder FROM shelves")} == {WORDS}
    assert build(settings).embedded == 6 and holdings(settings, LETTERS) == of_ledger(settings)
    again.close()


def test_a_shelf_whose_collection_is_gone_is_made_anew(settings, archive):
    fill(archive)
    build(settings)
    build(settings, WordEmbedder())
    query = "SELECT name FROM shelves WHERE embedder = ? AND first IS NULL"
    (lost,) = archive.ledger.db.execute(query, (LETTERS,)).fetchone()
    chroma = Chroma(settings.home).apart()
    count = chroma.collection(lost).count()
    chroma._client.delete_collection(lost)
    assert build(settings).embedded == count > 0
    assert holdings(settings, LETTERS) == of_ledger(settings)


def test_a_shelf_that_a_killed_one_has_torn_is_made_anew(settings, archive, monkeypatch):
    fill(archive)
    build(settings)
    build(settings, WordEmbedder())
    shelves = Vectors(archive.ledger, Chroma(settings.home).apart(), LETTERS).standing
    count = Chroma(settings.home).apart().collection(shelves[0].name).count()
    archive.ledger.db.execute("INSERT INTO suspects VALUES (?)", (shelves[0].name,))
    torn = Chroma.torn
    monkeypatch.setattr(
        Chroma, "torn",
        lambda self, name, **how: "cut off" if name == shelves[0].name else torn(self, name, **how),
    )  # fmt: skip
    assert build(settings).embedded == count > 0
    assert holdings(settings, LETTERS) == of_ledger(settings)
    assert not archive.ledger.db.execute("SELECT 1 FROM suspects").fetchone()


def test_an_empty_archive_has_nothing_to_reindex(settings, archive):
    with pytest.raises(ArchiveError, match="archivar ingest"):
        build(settings)
    with pytest.raises(ArchiveError, match="holds no archive"):
        build(Settings(home=settings.home / "nowhere"))


def test_without_a_setting_an_archive_is_opened_with_its_own_embedder(settings, archive, tmp_path):
    fill(archive)
    build(settings)
    store = ModelStore(tmp_path, offline=True)
    opened = open_archive(settings, store)
    assert opened.embedder.name == LETTERS
    opened.close()
    named = Settings(home=settings.home, embedder=WORDS)
    with pytest.raises(ModelMismatch, match=f"unset ARCHIVAR_EMBEDDER, or run `archivar reindex --embedder {WORDS}`"):
        open_archive(named, store)
    assert with_own_embedder(Settings(home=settings.home, embedder=LETTERS)).embedder == LETTERS
    assert with_own_embedder(Settings(home=tmp_path / "new", embedder=WORDS)).embedder == WORDS


def test_another_embedder_that_comes_to_serve_while_an_archive_is_opened(settings, archive, tmp_path, monkeypatch):
    fill(archive)
    known, asked = embedding.load_embedder, []

    def slow(settings, store):
        asked.append(settings.embedder)
        if len(asked) == 1:
            build(settings)
        return known(settings, store)

    monkeypatch.setattr(embedding, "load_embedder", slow)
    opened = open_archive(settings, ModelStore(tmp_path, offline=True))
    assert opened.embedder.name == LETTERS and asked == [WORDS, LETTERS]
    opened.close()


def test_an_archive_whose_embedder_is_gone_says_how_another_one_may_serve(settings, archive, tmp_path, monkeypatch):
    fill(archive)

    def gone(settings, store):
        raise UnknownModel(f"unknown model {settings.embedder!r}")

    monkeypatch.setattr(embedding, "load_embedder", gone)
    with pytest.raises(ModelError, match=f"unknown model '{WORDS}'; or let another .* `archivar reindex --embedder"):
        open_archive(settings, ModelStore(tmp_path, offline=True))


def test_a_folder_is_the_same_embedder_from_everywhere(settings, archive, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    folder.mkdir()
    fill(archive)
    archive.ledger.set_fact("embedder", str(folder))
    monkeypatch.chdir(tmp_path)
    assert with_own_embedder(Settings(home=settings.home, embedder="model")).embedder == str(folder)


def test_the_command_lists_builds_goes_back_and_drops(settings, archive, monkeypatch):
    fill(archive)
    monkeypatch.setenv("ARCHIVAR_HOME", str(settings.home))
    niceness = []
    monkeypatch.setattr("os.nice", lambda step: niceness.append(step) or 0)  # it would stay with this process

    def run(*arguments):
        result = CliRunner().invoke(app, ["reindex", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    assert f"{WORDS} serves 40 100%" in run()
    built = run("--embedder", LETTERS)
    assert f"{LETTERS} serves: 40 passages embedded" in built and f"--embedder {WORDS}` brings it back" in built
    listed = run()
    assert f"{LETTERS} serves 40 100%" in listed and f"{WORDS} rests 40 100%" in listed
    assert run("--embedder", LETTERS) == f"{LETTERS} serves already."
    monkeypatch.setenv("ARCHIVAR_EMBEDDER", LETTERS)
    back = run("--embedder", WORDS)
    assert "0 passages embedded" in back and f"ARCHIVAR_EMBEDDER={LETTERS} is set: unset it" in back
    run("--drop", LETTERS)
    assert LETTERS not in run()
    assert max(niceness) > 0


def test_progress_tells_rate_and_what_is_left(settings, archive, monkeypatch):
    fill(archive)
    told = []
    reindex(settings, LetterEmbedder(), told.append, lambda line: None)
    assert [progress.compared for progress in told] == sorted(progress.compared for progress in told)
    assert (told[-1].compared, told[-1].embedded, told[-1].total) == (40, 40, 40)
