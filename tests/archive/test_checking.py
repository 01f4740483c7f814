"""Comparing and mending: real SQLite, Chroma and Tantivy, damaged on purpose."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

import archive.chroma
import archive.embedding
from archivar import app
from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage
from archive.checking import compare
from archive.chroma import Chroma
from archive.errors import ArchiveError
from archive.index_files import _HEADER, torn_graph, torn_words
from archive.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COUNT = 30
GRAPH = ("data_level0.bin", "header.bin", "length.bin", "link_lists.bin", "index_metadata.pickle")


def put(opened: Archive, *numbers: int, text: str = "Wort{0} und Ort{0} am Tag {0}.") -> None:
    for number in numbers:
        moment = datetime(2023, 1, 1, 12, tzinfo=TIME_ZONE) + timedelta(days=number)
        words = text.format(number)
        made = Article(id=str(number), title=f"Titel {number}", text=words, published=moment, source="z.de")
        passage = Passage(f"{number}#0", str(number), 0, words, made.title, moment, source="z.de")
        opened.ledger.store([(made, [passage])])


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A whole archive of COUNT passages, whose graph was written to its files."""
    home = tmp_path_factory.mktemp("sound") / "home"
    patch = pytest.MonkeyPatch()
    hnsw = {**archive.chroma._HNSW, "batch_size": 5, "sync_threshold": 10}
    patch.setattr(archive.chroma, "_HNSW", type(archive.chroma._HNSW)(**hnsw))
    opened = Archive.open(Settings(home=home), WordEmbedder())
    with opened.writing():
        put(opened, *range(COUNT))
        opened.index_pending()
    opened.close()
    patch.undo()
    return home


@pytest.fixture
def home(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "home"))


@pytest.fixture
def settings(home):
    return Settings(home=home)


@pytest.fixture
def opened(settings):
    opened = Archive.open(settings, WordEmbedder())
    yield opened
    opened.close()


def found(opened: Archive) -> dict[tuple[str, str], int]:
    comparison = compare(opened.ledger, opened.index.vectors, opened.index.words)
    return {(finding.part, finding.kind): finding.count for finding in comparison.findings}


def mended(opened: Archive) -> list[str]:
    with opened.writing():
        done = opened.mend()
        opened.index_pending()
    assert found(opened) == {}
    return done


def assert_answers(opened: Archive) -> None:
    for number in range(COUNT):
        passage = opened.ledger.passages([f"{number}#0"])[f"{number}#0"]
        vector = opened.embedder.embed_queries([passage.embedded_text])[0]
        (_, cosine), *_ = opened.index.search_dense(vector, 3)
        assert cosine == pytest.approx(1, abs=1e-3)
        assert opened.index.search_words(f"Wort{number}", 3)[0][0] == f"{number}#0"
    assert opened.index.counts() == (COUNT, COUNT)


def graph(home: Path) -> Path:
    return next(path for path in (home / "vectors").iterdir() if path.is_dir())


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 8])


def test_a_whole_archive_has_no_findings(opened):
    comparison = compare(opened.ledger, opened.index.vectors, opened.index.words)
    assert comparison.whole
    assert (comparison.articles, comparison.passages, comparison.vectors, comparison.words) == (COUNT,) * 4
    assert (comparison.pending, comparison.unhashed) == (0, 0)


def test_what_is_noted_is_work_and_no_damage(opened):
    put(opened, 0, text="Neuer Wortlaut von {0}.")
    put(opened, COUNT)
    opened.ledger.remove("1")
    comparison = compare(opened.ledger, opened.index.vectors, opened.index.words)
    assert comparison.whole
    assert comparison.pending == 3


def test_missing_and_strange_entries_are_found_and_mended(opened):
    opened.index.discard(["1#0", "2#0"])
    opened.index.words.apply([Passage("x#0", "x", 0, "Fremd", "Fremd")], ["3#0"])
    assert found(opened) == {("vectors", "missing"): 2, ("words", "missing"): 3, ("words", "stray"): 1}
    mended(opened)
    assert_answers(opened)


def test_entries_of_another_text_are_found_and_mended(opened):
    put(opened, 4, text="Anders Wort{0}.")
    opened.ledger.notes.done(opened.ledger.notes.pending(100))
    assert found(opened) == {("vectors", "stale"): 1, ("words", "stale"): 1}
    mended(opened)
    assert_answers(opened)


def test_entries_on_two_shelves_are_found_and_mended(opened):
    shelves, chroma = opened.index.vectors.parts
    (whole,) = shelves.serving()
    middle = int(datetime(2023, 1, 16, tzinfo=TIME_ZONE).timestamp())
    (later,) = shelves.plan([((middle, None), False)])
    shelves.close_at(whole, middle, later)
    held = chroma.collection(whole.name).get(ids=["20#0", "21#0"], include=["embeddings", "metadatas"])
    chroma.create(later.name).upsert(ids=["20#0"], embeddings=held["embeddings"][:1], metadatas=held["metadatas"][:1])
    opened.index.vectors.reopen()
    assert found(opened) == {("vectors", "double"): 1, ("vectors", "misplaced"): COUNT - 15}
    mended(opened)
    assert_answers(opened)


def test_a_ledger_with_an_altered_article_is_told_and_left_alone(opened):
    opened.ledger.db.execute("UPDATE articles SET text = 'Gefälscht' WHERE id = '7'")
    assert found(opened) == {("ledger", "altered"): 1}
    with pytest.raises(ArchiveError, match=r"ledger: 1 articles are not what was stored \(7\); restore a backup"):
        mended(opened)


@pytest.mark.parametrize("harm", [cut, Path.unlink], ids=["cut", "gone"])
@pytest.mark.parametrize("name", GRAPH)
def test_a_torn_graph_is_mended_at_the_next_start(settings, home, name, harm):
    assert torn_graph(graph(home)) is None
    harm(graph(home) / name)
    assert torn_graph(graph(home))
    again = Archive.open(settings, WordEmbedder())
    mended(again)
    assert_answers(again)
    again.close()


def test_links_that_lead_out_of_the_graph_are_noticed(home):
    level = graph(home) / "data_level0.bin"
    level.write_bytes(b"\xff" * 64 + level.read_bytes()[64:])
    assert torn_graph(graph(home)) == "data_level0.bin leads out of the graph"


def test_a_vector_that_is_none_is_noticed(home, settings, opened):
    level = graph(home) / "data_level0.bin"
    size = _HEADER.unpack((graph(home) / "header.bin").read_bytes())[4]
    start = 5 * size + 4 + 4 * 48
    level.write_bytes(level.read_bytes()[:start] + b"\0" * 128 + level.read_bytes()[start + 128 :])
    assert found(opened) == {("vectors", "torn"): 1, ("vectors", "missing"): COUNT}
    (remade,) = [line for line in mended(opened) if "anew" in line]
    assert f"{COUNT - 1} of its vectors could be kept" in remade
    assert_answers(opened)


def test_words_with_a_flipped_byte_are_noticed(home, opened):
    for file in (home / "words").iterdir():
        if file.suffix in (".idx", ".pos", ".term", ".store", ".fast", ".fieldnorm"):
            whole = file.read_bytes()
            file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
            assert torn_words(home / "words") == f"{file.name} is damaged"
            file.unlink()
            assert torn_words(home / "words") == f"{file.name} is gone"
            file.write_bytes(whole)
    assert torn_words(home / "words") is None


def run(home: Path, *arguments: str):
    return CliRunner().invoke(app, ["check", "--home", str(home), *arguments])


@pytest.fixture
def word_embedder(monkeypatch):
    monkeypatch.setattr(archive.embedding, "load_embedder", lambda *_, **__: WordEmbedder())


def test_the_command_tells_a_whole_archive_in_one_line(home):
    result = run(home)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"The archive is whole: {COUNT} articles, {COUNT} passages, ")
    assert len(result.stdout.splitlines()) == 1


def overwrite(file: Path) -> None:
    file.write_bytes(b"no database " * 4000)


def overwrite_an_index(file: Path) -> None:
    """Damage that Chroma opens without a word and meets later."""
    with sqlite3.connect(file) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    whole = bytearray(file.read_bytes())
    whole[(page - 1) * size : page * size] = b"\xff" * size
    file.write_bytes(whole)


def test_a_page_of_rubbish_in_the_database_of_vectors_is_mended(home, settings, word_embedder):
    overwrite_an_index(home / "vectors" / "chroma.sqlite3")
    told = run(home)
    assert told.exit_code == 1
    assert "vectors: can't be read (" in told.stdout
    assert run(home, "--repair").exit_code == 0
    again = Archive.open(settings, WordEmbedder())
    assert_answers(again)
    again.close()


@pytest.mark.parametrize("harm", [cut, overwrite])
def test_a_damaged_database_of_vectors_names_the_command_that_mends_it(home, settings, harm, word_embedder):
    harm(home / "vectors" / "chroma.sqlite3")
    with pytest.raises(ArchiveError, match=r"vectors in .*; run `archivar check --repair`"):
        Archive.open(settings, WordEmbedder())
    told = run(home)
    assert told.exit_code == 1
    assert told.stdout.startswith("vectors: can't be read (")
    assert "run `archivar check --repair`" in told.stdout
    result = run(home, "--repair", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["whole"]
    assert "vectors-damaged-" in said["repaired"][0]
    again = Archive.open(settings, WordEmbedder())
    assert_answers(again)
    again.close()


def test_damaged_words_are_made_anew_by_the_command(home, settings, word_embedder):
    for file in (home / "words").glob("*.store"):
        cut(file)
    told = run(home)
    assert told.exit_code == 1
    assert "words: can't be read (" in told.stdout
    assert run(home, "--repair").exit_code == 0
    again = Archive.open(settings, WordEmbedder())
    assert_answers(again)
    again.close()


@pytest.mark.parametrize("part", ["vectors", "words"])
def test_a_part_that_was_deleted_is_made_anew(home, settings, part):
    shutil.rmtree(home / part)
    again = Archive.open(settings, WordEmbedder())
    with again.writing():
        again.index_pending()
    assert found(again) == {}
    assert_answers(again)
    again.close()


@pytest.mark.parametrize("harm", [cut, overwrite])
def test_a_damaged_ledger_says_to_restore_a_backup(home, settings, harm):
    harm(home / "ledger.sqlite3")
    result = run(home)
    assert result.exit_code == 1
    assert "restore a backup" in result.output
    assert len(result.output.splitlines()) == 1


def test_an_empty_ledger_is_not_taken_for_the_truth(home, settings):
    for file in home.glob("ledger.sqlite3*"):
        file.write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"its ledger is lost, .* restore a backup"):
        Archive.open(settings, WordEmbedder())
    assert "restore a backup" in run(home, "--repair").output
    assert next((home / "words").glob("*.store"))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 12 MB; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)  # Chroma still has files of it open


def test_a_full_disk_is_told_and_the_next_run_goes_on(small_disk, sound):
    home = Path(shutil.copytree(sound, small_disk / "home"))
    news, code = range(COUNT, COUNT + 400), (
        "import sys; sys.path[:0] = ['.', 'tests', 'tests/archive']\n"
        "from test_checking import *\n"
        "opened = Archive.open(Settings(home=Path(sys.argv[1])), WordEmbedder())\n"
        "try:\n"
        "    with opened.writing():\n"
        f"        put(opened, *range({COUNT}, {COUNT + 400}))\n"
        "        opened.index_pending()\n"
        "except ArchiveError as error: sys.exit(f'{type(error).__name__}: {error}')\n"
    )  # fmt: skip
    filler = small_disk / "filler"
    free = shutil.disk_usage(small_disk).free
    filler.write_bytes(b"0" * max(free - 150_000, 0))
    result = subprocess.run([sys.executable, "-c", code, home], cwd=ROOT, capture_output=True, text=True)
    assert result.stderr.startswith("ArchiveError: ")
    assert "the disk is full: free some space" in result.stderr
    filler.unlink()
    again = Archive.open(Settings(home=home), WordEmbedder())
    with again.writing():
        put(again, *news)
        again.index_pending()
    assert found(again) == {}
    assert again.index.counts() == (COUNT + len(news),) * 2
    again.close()


def test_a_panic_of_chroma_is_an_error_that_can_be_told(tmp_path):
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(ArchiveError, match="check --repair"), Chroma(tmp_path).errors():
        raise panic("index out of bounds")
    with pytest.raises(KeyboardInterrupt), Chroma(tmp_path).errors():
        raise KeyboardInterrupt
