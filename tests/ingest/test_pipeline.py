import json
from dataclasses import replace

import pytest

from archive.archive import Archive
from archive.errors import ArchiveLocked
from archive.settings import Settings
from ingest import pipeline
from ingest.pipeline import ingest

TEXT = "Die Störung im Telefonnetz ist behoben, teilte die Bundesnetzagentur mit. " * 30


@pytest.fixture
def stored(archive, now, tmp_path):
    """Writes records into a file of that name and ingests it."""

    def store(*records, name="zeitung.jsonl", **options):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
        return ingest([str(path)], archive, now=now, **options)

    return store


def counted(report):
    return report.stored, report.changed, report.unchanged, len(report.rejected)


def record(number, **fields):
    return {"id": str(number), "title": f"Meldung mit der Nummer {number}"} | fields


def test_articles_are_stored_with_passages_and_found_in_both_indexes(stored, archive, embedder):
    report = stored(record(1, text=TEXT, date="2024-03-23"), record(2))
    assert counted(report) == (2, 0, 0, 0)
    passages = archive.ledger.passages_of("1")
    assert report.passages == len(passages) + 1 == archive.ledger.counts().passages
    assert archive.ledger.counts().pending == 0
    assert set(archive.index.counts()) == {report.passages}
    assert embedder.embedded[0].startswith("Meldung mit der Nummer 1 (23. März 2024)\nDie Störung")
    assert report.exit_code == 0


def test_again_is_nothing_new_and_embeds_nothing(stored, embedder):
    records = [record(number, text=TEXT) for number in range(5)]
    stored(*records)
    embedded = len(embedder.embedded)
    report = stored(*records, records[0])
    assert counted(report) == (0, 0, 6, 0)
    assert (report.passages, len(embedder.embedded), report.exit_code) == (0, embedded, 0)


def test_a_changed_article_replaces_its_passages(stored, archive):
    stored(record(1, text=TEXT * 3), record(2, text=TEXT))
    report = stored(record(1, text="Nun ist alles anders als gedacht."), record(2, text=TEXT))
    assert counted(report) == (0, 1, 1, 0)
    assert [passage.text for passage in archive.ledger.passages_of("1")] == ["Nun ist alles anders als gedacht."]
    assert set(archive.index.counts()) == {archive.ledger.counts().passages}


def test_a_fuller_version_stands(stored, archive):
    stored(record(1, text=TEXT), record(2, teaser="Der Anriss von Meldung zwei."), record(3))
    report = stored(
        record(1, title="Andere Überschrift"), record(2), record(3, url="https://a.de/3"), name="zeitung.jsonl"
    )
    assert counted(report) == (0, 1, 2, 0)
    assert archive.ledger.article("1").text
    assert archive.ledger.article("2").teaser
    assert archive.ledger.article("3").url


def test_a_page_completes_a_headline(stored, archive):
    stored(record(1))
    assert counted(stored(record(1, text=TEXT, title="Ganz anders"))) == (0, 1, 0, 0)
    assert archive.ledger.article("1").title == "Ganz anders"


def test_an_id_that_another_article_has_is_a_reject_that_names_both(stored, archive):
    stored(record(1))
    report = stored(record(1, title="Ein fremder Artikel", source="andere.de"))
    assert counted(report) == (0, 0, 0, 1)
    [reject] = report.rejected
    assert reject.place == "line 1"
    for name in ("Meldung mit der Nummer 1", "zeitung", "Ein fremder Artikel", "andere.de"):
        assert name in reject.reason
    assert archive.ledger.article("1").source == "zeitung"
    assert report.exit_code == 1


def test_the_same_title_under_another_source_is_the_same_article(stored):
    stored(record(1))
    assert counted(stored(record(1, source="andere.de"))) == (0, 0, 1, 0)


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_one_id_several_times_in_a_run(batch, stored, archive, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", batch)
    records = [record(1), record(1), record(1, title="Die Überschrift in der Liste"), record(1, text=TEXT), record(1)]
    report = stored(*records)
    assert report.stored == 1
    assert sum(counted(report)) == 5
    assert archive.ledger.article("1").text
    assert counted(stored(*records)) == (0, 0, 5, 0)


def test_headlines_that_differ_between_lists_do_not_change_in_each_run(stored, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 1)
    lists = [record(1, title="Überschrift in der einen Liste"), record(1, title="Überschrift in der anderen Liste")]
    assert counted(stored(*lists)) == (1, 0, 1, 0)
    assert counted(stored(*lists)) == (0, 0, 2, 0)


def test_of_two_texts_in_a_run_the_last_one_stands(stored, archive):
    stored(record(1, text=TEXT), record(1, text="Die Berichtigung des Artikels."))
    assert archive.ledger.article("1").text == "Die Berichtigung des Artikels."


def test_rejects_do_not_stop_the_rest(stored):
    report = stored(record(1), record(2, date="neulich"), {"id": "3", "text": TEXT}, record(4))
    assert counted(report) == (2, 0, 0, 2)
    assert [reject.place for reject in report.rejected] == ["line 2", "line 3"]
    assert "no title" in report.rejected[1].reason
    assert report.exit_code == 3


def test_a_source_that_fails_midway_keeps_what_was_read(archive, now, tmp_path):
    good, bad = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    good.write_text(json.dumps(record(1)))
    report = ingest([str(bad), str(good)], archive, now=now)
    assert counted(report) == (1, 0, 0, 1)
    assert (report.rejected[0].file, report.rejected[0].place) == (str(bad), "")
    assert report.rejected[0].reason.startswith("no such file")


def test_publisher_goes_before_what_the_source_says(stored, archive):
    stored(record(1, source="andere.de"), publisher="heise.de")
    assert archive.ledger.article("1").source == "heise.de"


def test_progress_counts_up_to_all(stored, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 3)
    seen = []
    report = stored(*[record(number, text=TEXT) for number in range(10)], {}, on_progress=seen.append)
    assert [progress.records for progress in seen] == sorted(progress.records for progress in seen)
    assert [progress.passages for progress in seen] == sorted(progress.passages for progress in seen)
    assert (seen[-1].records, seen[-1].passages) == (11, report.passages)


def test_an_interrupted_run_is_finished_by_the_next(stored, archive, embedder, monkeypatch):
    whole = embedder.embed_passages
    monkeypatch.setattr(embedder, "embed_passages", lambda texts: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        stored(record(1, text=TEXT))
    monkeypatch.setattr(embedder, "embed_passages", whole)
    report = stored(record(1, text=TEXT))
    assert (report.unchanged, report.passages) == (1, archive.ledger.counts().passages)
    assert archive.ledger.counts().pending == 0


def test_a_locked_archive_says_so(stored, archive, tmp_path, embedder):
    other = Archive.open(Settings(home=tmp_path / "home", _env_file=None), embedder)
    with other.writing(), pytest.raises(ArchiveLocked):
        stored(record(1))
    other.close()


def test_the_report_is_a_value(stored):
    report = stored(record(1))
    assert replace(report, seconds=0.0) == replace(report, seconds=0.0)
