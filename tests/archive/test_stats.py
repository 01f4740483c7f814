import json
from datetime import UTC, datetime

import pytest
from rich.console import Console
from typer.testing import CliRunner

from archivar import app
from archive.articles import Article, Passage
from archive.errors import ArchiveError
from archive.ledger import Ledger
from archive.stats import Rejects, stats
from archive.stats_view import show


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path)
    yield ledger
    ledger.close()


def put(ledger, article_id, published, source="z.de", text="Text"):
    moment = datetime.fromisoformat(published) if published else None
    made = Article(id=article_id, title="Titel", text=text, published=moment, source=source)
    ledger.store([(made, [Passage(f"{article_id}#0", article_id, 0, text, made.title, moment)])])


def shown(counted, width=80) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    show(counted, console)
    console.file.close()
    return console.export_text()


def test_months_are_german_ones_and_none_is_left_out(ledger, tmp_path):
    put(ledger, "1", "2024-01-31T23:30:00+00:00")  # in Germany it is February already
    put(ledger, "2", "2024-02-29T22:59:00+00:00")
    put(ledger, "3", "2024-04-30T23:59:59+02:00")
    put(ledger, "4", "2024-05-01T00:00:00+02:00")
    put(ledger, "5", None)
    counted = stats(tmp_path)
    assert counted.months == {"2024-02": 2, "2024-03": 0, "2024-04": 1, "2024-05": 1}
    assert (counted.articles, counted.undated) == (5, 1)


def test_sources_come_largest_first_with_their_newest(ledger, tmp_path):
    put(ledger, "1", "2024-01-01T12:00:00+01:00")
    put(ledger, "2", "2024-03-01T12:00:00+01:00", "heise.de")
    put(ledger, "3", "2024-02-01T12:00:00+01:00", "heise.de")
    put(ledger, "4", None, "ohne.de")
    sources = stats(tmp_path).sources
    assert [(source.name, source.articles) for source in sources] == [("heise.de", 2), ("z.de", 1), ("ohne.de", 1)]
    assert sources[0].newest == datetime(2024, 3, 1, 11, tzinfo=UTC)
    assert sources[2].newest is None


def test_withdrawn_ones_are_counted_apart_and_changed_ones_noted(ledger, tmp_path):
    for number in range(3):
        put(ledger, str(number), "2024-01-01T12:00:00+01:00")
    put(ledger, "0", "2024-01-01T12:00:00+01:00", text="Neuer Text")
    ledger.withdraw("1")
    counted = stats(tmp_path)
    assert (counted.articles, counted.withdrawn, counted.changed) == (2, 1, 1)
    assert counted.months == {"2024-01": 2}
    assert counted.sources[0].articles == 2
    assert (counted.passages, counted.pending) == (
        2,
        6,
    )  # nothing is applied yet
    assert "2 articles (1 changed since, 1 withdrawn besides)" in shown(counted)


def test_the_last_runs_and_their_rejects_are_shown(ledger, tmp_path):
    insert = "INSERT INTO runs (what, started, ended, stored, rejected) VALUES (?, ?, ?, ?, ?)"
    ledger.db.execute(insert, ("ingest a.jsonl", "2024-01-01T11:00:00+00:00", "2024-01-01T11:01:00+00:00", 7, 2))
    ledger.db.execute(insert, ("watch", "2024-01-02T11:00:00+00:00", None, 0, 0))
    lines = [("2024-01-01T09:00:00+00:00", 3), ("2024-01-01T11:01:00+00:00", 2)]
    text = "".join(f'{{"time": "{time}", "file": "a", "reason": "b"}}\n' * count for time, count in lines)
    (tmp_path / "rejects.jsonl").write_text(text, encoding="utf-8")
    counted = stats(tmp_path)
    assert [run.what for run in counted.runs] == ["watch", "ingest a.jsonl"]
    assert counted.rejects == Rejects(str(tmp_path / "rejects.jsonl"), 5, 2, "2024-01-01T11:01:00+00:00")
    text = shown(counted)
    assert "2024-01-01 12:00  ingest a.jsonl: 7 stored, 2 rejected" in text
    assert "watch: nothing new (not ended)" in text
    assert "rejects: 2 on 2024-01-01 12:01, 5 in all" in text


def test_disk_is_told_by_part(ledger, tmp_path):
    (tmp_path / "vectors" / "graph").mkdir(parents=True)
    (tmp_path / "vectors" / "graph" / "data.bin").write_bytes(b"x" * 1000)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.idx").write_bytes(b"x" * 10)
    disk = stats(tmp_path).disk
    assert (disk["vectors"], disk["words"]) == (1000, 10)
    assert disk["ledger"] == sum(path.stat().st_size for path in tmp_path.glob("ledger*"))


def test_old_years_are_one_row_each_and_every_width_will_do(ledger, tmp_path):
    for year in range(2016, 2025):
        for month in (1, 7, 12):
            put(ledger, f"{year}-{month}", f"{year}-{month:02}-15T12:00:00+01:00")
    for width in (20, 80, 200):
        rows = [line.split()[0] for line in shown(stats(tmp_path), width).splitlines() if line.startswith("20")]
        assert rows[:7] == [str(year) for year in range(2016, 2023)]
        assert rows[7:] == [f"{year}-{month:02}" for year in (2023, 2024) for month in range(1, 13)]
        assert max(map(len, shown(stats(tmp_path), width).splitlines()[4:40])) <= max(width, 25)


def test_an_empty_archive_and_none(ledger, tmp_path):
    counted = stats(tmp_path)
    assert (counted.articles, counted.months, counted.sources, counted.rejects) == (0, {}, (), None)
    assert "0 articles" in shown(counted)
    with pytest.raises(ArchiveError, match="holds no archive"):
        stats(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_the_command_speaks_json(ledger, tmp_path):
    put(ledger, "1", "2024-01-01T12:00:00+01:00")
    result = CliRunner().invoke(app, ["stats", "--home", str(tmp_path), "--json"])
    counted = json.loads(result.stdout)
    assert (counted["articles"], counted["months"]) == (1, {"2024-01": 1})
    assert counted["sources"] == [{"name": "z.de", "articles": 1, "newest": "2024-01-01 12:00:00+01:00"}]
