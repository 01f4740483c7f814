"""Ledger and both indexes together: real SQLite, Chroma and Tantivy, an embedder of hashed words."""

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from threading import Event

import pytest
from embedders import WordEmbedder

from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage, Period
from archive.chroma import Chroma
from archive.deferred import DeferredEmbedder
from archive.errors import ArchiveError, ArchiveLocked, ModelMismatch
from archive.ledger import Ledger
from archive.settings import Settings
from archive.vectors import Vectors
from archive.words import Words

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def archive(settings):
    archive = Archive.open(settings, WordEmbedder())
    yield archive
    archive.close()


def store(archive, *articles: tuple[str, str, str]) -> None:
    """(id, day, text) each."""
    with archive.writing():
        for article_id, day, text in articles:
            moment = datetime.fromisoformat(day).replace(hour=12, tzinfo=TIME_ZONE) if day else None
            made = Article(id=article_id, title=text.split(".")[0], text=text, published=moment, source="z.de")
            passage = Passage(f"{article_id}#0", article_id, 0, text, made.title, moment)
            archive.ledger.store([(made, [passage])])
        archive.index_pending()


def store_elsewhere(settings, *articles: tuple[str, str, str]) -> None:
    """The same by another process."""
    code = (
        "import sys; sys.path[:0] = ['.', 'tests', 'tests/archive']\n"
        "from test_archive import WordEmbedder, store; from archive.archive import Archive\n"
        "from archive.settings import Settings; from pathlib import Path\n"
        f"archive = Archive.open(Settings(home=Path({str(settings.home)!r})), WordEmbedder())\n"
        f"store(archive, *{articles!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def by_words(archive, text, period=None):
    return [passage_id for passage_id, _ in archive.index.search_words(text, 10, period)]


def by_vector(archive, text, period=None):
    vector = archive.embedder.embed_queries([text])[0]
    return [passage_id for passage_id, _ in archive.index.search_dense(vector, 10, period)]


def test_words_find_german_forms(archive):
    store(archive, ("1", "2023-05-01", "Die Häuser brannten."), ("2", "2023-05-02", "Ein Auto fuhr vorbei."))
    assert by_words(archive, "Haus") == ["1#0"]
    assert by_words(archive, "Haeuser") == ["1#0"]
    assert by_words(archive, "Welches Auto fährt?") == ["2#0"]


@pytest.mark.parametrize("text", ['"', "((", "a AND", "title:x", "+-!^~*?:\\/", "NOT", "[1 TO 2]", "😀", "\0", " ", ""])
def test_no_text_is_a_query_error(archive, text):
    store(archive, ("1", "2023-05-01", "Ein Text."))
    by_words(archive, text)


def test_the_title_counts_more_than_the_text(archive):
    store(
        archive,
        ("1", "2023-05-01", "Etwas. Von Quanten handelt es hier."),
        ("2", "2023-05-02", "Quanten. Es handelt von etwas."),
    )
    assert by_words(archive, "Quanten")[0] == "2#0"


@pytest.mark.parametrize("search", [by_words, by_vector])
def test_a_period_filters_by_german_days(archive, search):
    store(archive, ("1", "2023-04-30", "Chip Werk"), ("2", "2023-05-01", "Chip Werk"), ("3", "2023-05-31", "Chip Werk"),
          ("4", "2023-06-01", "Chip Werk"), ("5", "", "Chip Werk"))  # fmt: skip
    may = Period(date(2023, 5, 1), date(2023, 5, 31))
    assert sorted(search(archive, "Chip Werk", may)) == ["2#0", "3#0"]
    assert sorted(search(archive, "Chip Werk", Period(start=date(2023, 6, 1)))) == ["4#0"]
    assert sorted(search(archive, "Chip Werk", Period(end=date(2023, 4, 30)))) == ["1#0"]
    assert len(search(archive, "Chip Werk")) == 5


def test_a_changed_article_is_found_by_its_new_words_only(archive):
    store(archive, ("1", "2023-05-01", "Alte Fassung"))
    store(archive, ("1", "2023-05-01", "Neuer Wortlaut"))
    assert by_words(archive, "alte") == []
    assert by_words(archive, "Wortlaut") == ["1#0"]
    assert archive.index.counts() == (1, 1)


def test_what_a_crash_left_noted_is_indexed_on_the_next_run(settings):
    archive = Archive.open(settings, WordEmbedder())
    made = Article(id="1", title="Titel", text="Vergessener Text")
    archive.ledger.store([(made, [Passage("1#0", "1", 0, made.text, made.title)])])
    archive.close()
    again = Archive.open(settings, WordEmbedder())
    with again.writing():
        assert again.index_pending() == 1
    assert by_words(again, "vergessen") == ["1#0"]
    again.close()


def test_an_index_that_was_deleted_is_built_again(settings, tmp_path):
    archive = Archive.open(settings, WordEmbedder())
    store(archive, ("1", "2023-05-01", "Ein Text"))
    archive.close()
    for path in sorted((settings.home / "words").iterdir()):
        path.unlink()
    again = Archive.open(settings, WordEmbedder())
    with again.writing():
        again.index_pending()
    assert again.index.counts() == (1, 1)
    again.close()


def test_a_reader_sees_what_another_process_ingested(settings, archive):
    store(archive, ("1", "2023-05-01", "Erster Text"))
    vector = archive.embedder.embed_queries(["Text"])[0]
    archive.index.search_dense(vector, 5)
    store_elsewhere(settings, ("2", "2023-05-02", "Zweiter Text"))
    archive.refresh()
    assert sorted(by_vector(archive, "Text")) == ["1#0", "2#0"]
    assert sorted(by_words(archive, "Text")) == ["1#0", "2#0"]


def test_what_is_open_answers_till_its_successor_is_read(settings, archive, monkeypatch):
    store(archive, ("1", "2023-05-01", "Ein Haus brannte."))
    may_read, opened = Event(), Chroma._open
    assert by_vector(archive, "Auto") == ["1#0"]

    def slowly(self, name):
        assert may_read.wait(30)
        return opened(self, name)

    monkeypatch.setattr(Chroma, "_open", slowly)
    store_elsewhere(settings, ("2", "2023-05-02", "Ein Auto fuhr vorbei."))
    archive.refresh(0.01)
    assert by_vector(archive, "Auto") == ["1#0"]
    may_read.set()
    archive.refresh()
    assert by_vector(archive, "Auto") == ["2#0", "1#0"]


def test_one_writer_at_a_time(settings, archive):
    other = Archive.open(settings, WordEmbedder())
    with archive.writing(), pytest.raises(ArchiveLocked, match="wait"), other.writing():
        pass
    with other.writing():
        pass
    other.close()


def test_another_embedder_is_refused(settings, archive):
    store(archive, ("1", "2023-05-01", "Text"))
    other = WordEmbedder()
    other.name = "another"
    with pytest.raises(
        ModelMismatch,
        match="unset ARCHIVAR_EMBEDDER, or run `archivar reindex --embedder another`",
    ):
        Archive.open(settings, other)


def test_damaged_words_say_what_to_run(tmp_path):
    words = Words(tmp_path)
    words.apply([Passage("1#0", "1", 0, "Text", "Titel")], [])
    words.close_writer()
    (tmp_path / "words" / "meta.json").write_text("{")
    with pytest.raises(ArchiveError, match="archivar check --repair"):
        Words(tmp_path)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://"])
def test_a_chroma_address_that_is_none(tmp_path, url):
    with pytest.raises(ArchiveError, match="ARCHIVAR_CHROMA_URL"):
        Vectors(Ledger.open(tmp_path), Chroma(tmp_path, url), "a")


def test_a_chroma_server_that_is_away(tmp_path):
    with pytest.raises(ArchiveError, match="start the Chroma server"):
        Vectors(Ledger.open(tmp_path), Chroma(tmp_path, "http://127.0.0.1:9"), "a")


def test_a_deferred_embedder_is_loaded_when_something_is_embedded_first(settings):
    asked = []

    def load(name):
        asked.append(name)
        return WordEmbedder()

    archive = Archive.open(settings, DeferredEmbedder(WordEmbedder.name, load))
    with archive.writing():
        assert archive.index_pending() == 0
    assert asked == []
    store(archive, ("1", "2023-05-01", "Die Häuser brannten."))
    assert by_vector(archive, "Die Häuser brannten.") == ["1#0"]
    assert asked == [WordEmbedder.name]
    archive.close()
