from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.articles import Article, Passage
from archive.errors import ArchiveError
from archive.ledger import Ledger


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path)
    yield ledger
    ledger.close()


def article(number: int, **fields) -> Article:
    made = Article(
        id=f"a{number}", title=f"Titel {number}", text=f"Text {number}", source="zeitung.de",
        published=datetime(2023, 5, 3, 12, tzinfo=UTC), authors=("Ä. Öl",), topics=("IT", "Chips"), comments=7,
    )  # fmt: skip
    return replace(made, **fields)


def passages(of: Article, count: int = 2) -> list[Passage]:
    return [
        Passage(f"{of.id}#{n}", of.id, n, f"Teil {n}", of.title, of.published, of.url, of.source) for n in range(count)
    ]


def test_an_article_comes_back_as_it_went_in(ledger):
    stored = article(1, teaser="Vorspann", url="https://zeitung.de/1")
    ledger.store([(stored, passages(stored))])
    assert ledger.article("a1") == stored
    assert ledger.passages_of("a1") == tuple(passages(stored))
    assert ledger.article("a2") is None


def test_index_work_is_noted_with_the_article_and_struck_when_done(ledger):
    stored = article(1)
    ledger.store([(stored, passages(stored))])
    pending = ledger.notes.pending(10)
    assert [passage.id for passage in pending.passages] == ["a1#0", "a1#1"]
    ledger.notes.done(pending)
    assert ledger.counts().pending == 0
    assert ledger.notes.pending(10).last == 0


def test_a_new_version_removes_what_it_no_longer_has(ledger):
    first = article(1)
    ledger.store([(first, passages(first, 3))])
    ledger.notes.done(ledger.notes.pending(10))
    second = article(1, text="Kürzer")
    ledger.store([(second, passages(second, 1))])
    pending = ledger.notes.pending(100)
    assert [passage.id for passage in pending.passages] == ["a1#0"]
    assert {passage_id for passage_id, _ in pending.removed} == {"a1#0", "a1#1", "a1#2"}
    assert ledger.counts().passages == 1


def test_a_text_completes_a_headline_and_only_then_are_versions_counted(ledger):
    headline, full = article(1, text=""), article(1)
    for one, version in ((headline, 1), (full, 1), (replace(full, text="Berichtigt"), 2), (headline, 3)):
        ledger.store([(one, passages(one))])
        record = ledger.record("a1")
        assert (record.version, record.updated is not None) == (version, version > 1)


def test_notes_are_handed_out_oldest_first_and_in_parts(ledger):
    for number in range(5):
        one = article(number)
        ledger.store([(one, passages(one, 1))])
    first = ledger.notes.pending(3)
    assert [passage.id for passage in first.passages] == ["a0#0", "a1#0", "a2#0"]
    ledger.notes.done(first)
    assert [passage.id for passage in ledger.notes.pending(3).passages] == ["a3#0", "a4#0"]


def test_a_failed_batch_stores_nothing(ledger):
    good, bad = article(1), article(2)
    twice = passages(bad, 1) * 2
    with pytest.raises(Exception, match="UNIQUE"):
        ledger.store([(good, passages(good)), (bad, twice)])
    assert ledger.counts().articles == 0
    assert ledger.counts().pending == 0


def test_removal_takes_article_passages_and_notes_the_index_work(ledger):
    one = article(1)
    ledger.store([(one, passages(one))])
    ledger.notes.done(ledger.notes.pending(10))
    assert ledger.remove("a1")
    assert not ledger.remove("a1")
    moment = int(one.published.timestamp())
    assert ledger.notes.pending(10).removed == (("a1#0", moment), ("a1#1", moment))
    assert ledger.article("a1") is None


def test_known_tells_text_from_headline(ledger):
    full, headline = article(1), article(2, text="")
    ledger.store([(full, passages(full)), (headline, passages(headline, 1))])
    known = ledger.known(["a1", "a2", "a3"])
    assert known["a1"].whole and not known["a2"].whole
    paid = article(2, text="", teaser="Der Anriss.", paid=True)
    ledger.store([(paid, passages(paid, 1))])
    assert ledger.known(["a2"])["a2"].whole
    assert "a3" not in known
    assert known["a1"].content_hash == full.content_hash


def test_note_all_notes_every_passage_again(ledger):
    one = article(1)
    ledger.store([(one, passages(one))])
    ledger.notes.done(ledger.notes.pending(10))
    ledger.notes.all_again()
    assert ledger.counts().pending == 2


def test_a_folder_that_is_a_file_is_one_clear_line(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(ArchiveError, match="ARCHIVAR_HOME"):
        Ledger.open(tmp_path / "data")


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    (tmp_path / "ledger.sqlite3").write_text("kein SQLite" * 500)
    with pytest.raises(ArchiveError, match=r"ledger\.sqlite3"):
        Ledger.open(tmp_path)
