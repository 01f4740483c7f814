"""The benchmark of scale on archives of a few dozen passages: what it writes, resumes, asks and reports."""

import json
from datetime import date

import numpy as np
import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive.archive import Archive
from archive.articles import TIME_ZONE, Period
from archive.errors import ArchiveError, SettingsError, SourceError
from archive.settings import Settings
from evaluation import scale as scale_module
from evaluation.bench_commands import _sizes
from evaluation.scale import Scale, fill, queries
from evaluation.scale_articles import BATCH, DrawnEmbedder, articles_for, draw, gather, moments, read_days
from evaluation.scale_probe import KINDS, Query, probe, read_queries, write_queries
from evaluation.scale_report import measure_all, table

DAYS = [(date(2023, 5, 1), 1.0), (date(2023, 5, 2), 0.0), (date(2023, 5, 3), 3.0)]


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return gather(Settings(home=tmp_path_factory.mktemp("empty")), WordEmbedder())


@pytest.fixture
def work(tmp_path, material):
    return Scale(tmp_path / "bench", material, DAYS, shuffled=False, queries=3)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "archive")


def silent(done, total, rate):
    pass


def test_articles_spread_over_time_like_the_days(settings):
    published = moments(DAYS, 400)
    days = [moment.astimezone(TIME_ZONE).date() for moment in published]
    assert days == sorted(days)
    assert [days.count(day) for day, _ in DAYS] == [100, 0, 300]


def test_a_batch_is_the_same_whichever_is_drawn_first(material):
    published = moments(DAYS, BATCH + 3)
    both, last = list(draw(material, published)), list(draw(material, published, 1))
    assert [len(batch) for batch in both] == [BATCH, 3]
    assert last == both[1:]


def test_articles_consist_of_real_sentences_and_hold_about_as_many_passages_as_asked(material):
    batches = list(draw(material, moments(DAYS, articles_for(4000))))
    passages = [passage for batch in batches for _, passages in batch for passage in passages]
    assert 3600 < len(passages) < 4400
    assert all(any(passage.text.startswith(sentence) for sentence in material.sentences) for passage in passages[:20])
    assert len({passage.id for passage in passages}) == len(passages)


def test_drawn_vectors_lie_around_real_ones(material):
    around = material.vectors[np.linalg.norm(material.vectors, axis=1) > 0]
    drawn = DrawnEmbedder("bag-of-words", around).embed_passages(["a"] * 50)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-5)
    assert 0.9 < float((drawn @ around.T).max(axis=1).mean()) < 0.99


def test_a_filling_that_broke_off_goes_on_where_it_was(work, settings, monkeypatch):
    def breaks(done, total, rate):
        raise KeyboardInterrupt

    monkeypatch.setattr(scale_module, "BATCH", 10)
    monkeypatch.setattr("evaluation.scale_articles.BATCH", 10)
    with pytest.raises(KeyboardInterrupt):
        fill(work, settings, 100, "bag-of-words", breaks)
    filled = fill(work, settings, 100, "bag-of-words", silent)
    assert filled["articles"] == articles_for(100)
    assert fill(work, settings, 100, "bag-of-words", silent)["passages"] == filled["passages"]
    archive = Archive.open(settings, WordEmbedder())
    assert set(archive.index.counts()) == {filled["passages"]}
    archive.close()


def test_shuffled_articles_are_the_same_in_another_order(work, settings, tmp_path):
    fill(work, settings, 100, "bag-of-words", silent)
    other = Settings(home=tmp_path / "other")
    fill(Scale(work.folder, work.material, DAYS, True, 3), other, 100, "bag-of-words", silent)
    dates = []
    for home in (settings, other):
        archive = Archive.open(home, WordEmbedder())
        dates.append([article.published for article in archive.ledger.articles()])
        archive.close()
    assert dates[0] == sorted(dates[0]) and dates[1] != dates[0] and sorted(dates[1]) == dates[0]


def test_each_question_is_asked_with_every_kind_of_period_and_survives_its_file(work, tmp_path):
    asked = queries(work)
    assert len(asked) == 3
    for query in asked:
        assert query.periods["no period"] is None
        assert query.periods["month"] == Period(date(2023, 5, 1), date(2023, 5, 31))
        assert query.periods["year"] == Period(date(2023, 1, 1), date(2023, 12, 31))
        assert (query.periods["open period"].start is None) != (query.periods["open period"].end is None)
    write_queries(tmp_path / "queries.json", asked)
    assert read_queries(tmp_path / "queries.json") == asked


def test_the_probe_times_every_kind_and_stage(work, settings):
    fill(work, settings, 100, "bag-of-words", silent)
    measured = probe(settings, WordEmbedder(), queries(work))
    assert set(measured["ms"]) == set(KINDS)
    for stages in measured["ms"].values():
        assert set(stages) == {"fused", "dense", "words"}
        assert all(0 < times["p50"] <= times["p95"] for times in (stages["fused"], stages["dense"]))
    assert measured["memory_mb"]["resident"] > 50


def test_the_probe_refuses_an_archive_that_is_not_whole(work, settings):
    fill(work, settings, 100, "bag-of-words", silent)
    archive = Archive.open(settings, WordEmbedder())
    (article, passages), *_ = next(draw(work.material, moments(DAYS, 900), 1))
    archive.ledger.store([(article, passages)])
    archive.close()
    with pytest.raises(ArchiveError, match="run again"):
        probe(settings, WordEmbedder(), [Query("Was?", dict.fromkeys(KINDS))])


def test_a_finished_size_is_not_measured_again(work, settings, monkeypatch):
    figures = {
        "passages": 100, "shelves": 1, "insert": {"passages_per_second": 50}, "disk_mb": {"ledger": 1},
        "memory_mb": {"resident": 60},
        "ms": {kind: {"fused": {"p50": 1.0, "p95": 2.0, "cpu": 3.0}} for kind in KINDS},
    }  # fmt: skip
    asked = []

    def run(work, settings, size, embedder, progress):
        asked.append(size)
        work.folder.mkdir(parents=True, exist_ok=True)
        if size == 300:
            raise ArchiveError("disk full")
        return figures

    monkeypatch.setattr("evaluation.scale_report.run", run)
    with pytest.raises(ArchiveError):
        measure_all(work, settings, [100, 300], WordEmbedder(), lambda size: silent, keep=False)
    results = measure_all(work, settings, [100, 200], WordEmbedder(), lambda size: silent, keep=False)
    assert asked == [100, 300, 200] and results == [figures, figures]
    assert not work.folder.exists()
    assert table(results).row_count == 2


@pytest.mark.parametrize("content", ["", "date,articles\nheute,3\n", "day,count\n2023-05-01,3\n", "date,articles\n"])
def test_a_file_of_days_that_is_none(tmp_path, content):
    path = tmp_path / "days.csv"
    path.write_text(content)
    with pytest.raises(SourceError, match=r"days\.csv.*columns date and articles"):
        read_days(path)


def test_days_of_a_file_and_without_one(tmp_path):
    path = tmp_path / "days.csv"
    path.write_text("date,articles\n2023-05-03,2\n2023-05-01,1\n")
    assert read_days(path) == [(date(2023, 5, 1), 1.0), (date(2023, 5, 3), 2.0)]
    growing = read_days(None)
    assert growing[-1][1] > growing[0][1] and growing[-1][0].year - growing[0][0].year == 24


def test_sizes():
    assert _sizes("1_000,100") == [100, 1000]
    for text in ("", "viele", "10"):
        with pytest.raises(SettingsError, match="--passages"):
            _sizes(text)


@pytest.mark.models
def test_the_command_fills_asks_and_draws(tmp_path, monkeypatch, model_store):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("ARCHIVAR_HOME", str(tmp_path / "data"))
    plot = tmp_path / "scale.svg"
    done = CliRunner().invoke(app, ["bench", "scale", "--passages", "100,200", "--queries", "2", "--plot", str(plot)])
    assert done.exit_code == 0, done.output
    sizes = json.loads(done.stdout.splitlines()[-1])["sizes"]
    assert [round(one["passages"], -2) for one in sizes] == [100, 200]
    assert "open period" in plot.read_text() and plot.read_text().startswith("<svg")
    assert not (tmp_path / "data" / "bench" / "scale").exists()
