"""`archivar evaluate retrieval` on a hand-made corpus: real ledger, Chroma and Tantivy, an embedder of hashed words."""

import json
from pathlib import Path

import numpy as np
import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive import embedding
from archive.archive import Archive
from archive.errors import ArchiveError, SourceError
from archive.settings import Settings
from evaluation.beir import Document, read_benchmark
from evaluation.corpus import add_corpus
from evaluation.measures import ranking_measures, summarize
from evaluation.retrieval import DEPTH, StageRunner, judge, measure, ranked_documents, search_all
from evaluation.runs import read_run
from ingest.pipeline import ingest

CORPUS = (
    {"_id": "d1", "title": "Hafen", "text": "Im Hafen von Hamburg brannte am Morgen ein Frachter mit Bananen."},
    {"_id": "d2", "title": "Zirkus", "text": "Der Zirkus zeigt in diesem Winter zwei Elefanten und einen Clown."},
    {"_id": "d3", "text": "Quantenrechner lösen eine Aufgabe schneller als jeder Großrechner der Welt."},
    {"_id": "d4", "title": "Kurz", "text": "Knapp."},
)
QUERIES = (
    {"_id": "q1", "text": "Was brannte im Hafen von Hamburg?"},
    {"_id": "q2", "text": "Wie viele Elefanten zeigt der Zirkus?"},
    {"_id": "q3", "text": "Was lösen Quantenrechner?"},
    {"_id": "unjudged", "text": "Was kostet ein Frachter?"},
)
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td3\t1\n"


class LastWins:
    """A reranker that turns every order round."""

    name = "last-wins"
    blend = None

    def logits(self, query, passages):
        return np.linspace(0, 1, len(passages), dtype=np.float32)


@pytest.fixture
def files(tmp_path):
    paths = tuple(tmp_path / name for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"))
    for path, records in zip(paths, (CORPUS, QUERIES), strict=False):
        path.write_text("".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records), encoding="utf-8")
    paths[2].write_text(QRELS, encoding="utf-8")
    return paths


@pytest.fixture
def archive(tmp_path):
    archive = Archive.open(Settings(home=tmp_path / "home"), WordEmbedder())
    yield archive
    archive.close()


def add(archive, tmp_path, documents, keep=False):
    return add_corpus(archive, documents, tmp_path / "home", keep=keep)


def test_measures_of_known_ranks():
    earned = ranking_measures({"a": {"x": 1}, "b": {"y": 1}, "c": {"z": 1}}, {"a": ["x"], "b": ["n", "y"]})
    assert earned["b"]["MRR@10"] == 0.5 and set(earned["c"].values()) == {0.0}
    assert summarize(earned.values()) == {
        "n": 3, "MRR@10": 0.5, "nDCG@10": pytest.approx((1 + 0.6309) / 3, abs=1e-4), "R@1": 0.3333, "R@5": 0.6667,
        "R@30": 0.6667,
    }  # fmt: skip


def test_the_best_passage_counts_for_its_document():
    found = [("b#1", 3.0), ("a#0", 2.0), ("b#0", 1.0), ("x#0", 0.5), ("c#0", None)]
    documents = {"a": "d1", "b": "d2", "c": "d3"}
    assert ranked_documents(found, documents) == [("d2", 3.0), ("d1", 2.0), ("\x1fx", 0.5), ("d3", None)]


def test_every_stage_is_measured(archive, tmp_path, files):
    benchmark = read_benchmark(*files)
    documents = add(archive, tmp_path, benchmark.documents)
    plain = measure(judge(benchmark, search_all(StageRunner(archive, None, 30), benchmark), documents))
    assert list(plain) == ["dense", "words", "fused"]
    assert list(plain["fused"]) == ["MRR@10", "nDCG@10", "R@1", "R@5", "R@30", "ms_p50", "ms_p95"]
    assert plain["words"]["MRR@10"] == plain["fused"]["MRR@10"] == 1.0
    turned = measure(judge(benchmark, search_all(StageRunner(archive, LastWins(), 30), benchmark), documents))
    assert turned["fused"]["MRR@10"] == 1.0 > turned["reranked"]["MRR@10"]


def test_lists_go_on_until_they_name_as_many_articles_as_are_counted(archive, tmp_path):
    paragraphs = "\n\n".join(f"Im Hafen brannte Frachter {n}. " + "Er lag am Kai von Hamburg. " * 30 for n in range(40))
    long = [Document("long", "Hafen", paragraphs)]
    short = [Document(f"s{n}", f"Meldung {n}", f"Meldung {n} vom Hafen, ausführlich genug.") for n in range(35)]
    add(archive, tmp_path, [*long, *short])
    assert archive.ledger.counts().passages > DEPTH + len(short)
    for stage, found in StageRunner(archive, LastWins(), 30).search("q", "Hafen Frachter Kai Hamburg").lists.items():
        articles = {passage.rpartition("#")[0] for passage, _ in found}
        assert len(articles) >= DEPTH, stage
        scores = [score for _, score in found]
        assert None in scores and None not in scores[: scores.index(None)], stage
        assert set(scores[scores.index(None) :]) == {None}, stage
        assert len({passage for passage, _ in found}) == len(found)


def test_no_document_is_left_out_and_none_is_stored_twice(archive, tmp_path, files):
    benchmark = read_benchmark(*files)
    assert add(archive, tmp_path, benchmark.documents) == {f"d{n}": f"d{n}" for n in range(1, 5)}
    generation = archive.ledger.fact("generation")
    add(archive, tmp_path, benchmark.documents)
    assert archive.ledger.counts().articles == 4
    assert archive.ledger.fact("generation") == generation
    assert archive.ledger.article("d3").title.startswith("Quantenrechner lösen")


def test_other_articles_are_kept_or_refused(archive, tmp_path, files):
    news = tmp_path / "news.jsonl"
    news.write_text('{"id": "d1", "title": "Eine ganz andere Meldung", "text": "Sie hat dieselbe Nummer."}\n')
    ingest([str(news)], archive)
    documents = read_benchmark(*files).documents
    with pytest.raises(ArchiveError, match="1 other article: add --keep"):
        add(archive, tmp_path, documents)
    first = add(archive, tmp_path, documents, keep=True)
    assert archive.ledger.counts().articles == 5
    assert archive.ledger.article("d1").title == "Eine ganz andere Meldung"
    assert "d1" not in first and set(first.values()) == {"d1", "d2", "d3", "d4"}
    assert add(archive, tmp_path, documents, keep=True) == first
    assert archive.ledger.counts().articles == 5


def test_a_changed_document_is_no_longer_the_same_corpus(archive, tmp_path):
    add(archive, tmp_path, [Document("d1", "Titel", "Ein Text, lang genug.")])
    with pytest.raises(ArchiveError, match="--keep"):
        add(archive, tmp_path, [Document("d1", "Titel", "Ein anderer Text, lang genug.")])


def test_limit_takes_the_first_judged_queries(files):
    assert list(read_benchmark(*files, limit=2).queries) == ["q1", "q2"]


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        (0, "", "holds no documents"),
        (0, "{", "line 1: is no JSON"),
        (0, '{"id": 1}\n', "line 1: has no _id"),
        (0, '{"_id": "other", "text": "x"}\n', "names no document"),
        (1, '{"_id": "other", "text": "x"}\n', "judges none"),
        (2, "query-id\tcorpus-id\tscore\nq1 d1 1\n", "line 2: is not query-id"),
        (2, "q1\td1\tyes\n", "line 1: is not query-id"),
        (2, None, "No such file"),
    ],
)
def test_bad_files_are_one_clear_line(files, place, content, message):
    if content is None:
        files[place].unlink()
    else:
        files[place].write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=message) as caught:
        read_benchmark(*files)
    assert "\n" not in str(caught.value)


def test_the_last_line_of_the_command_is_one_json_object(files, monkeypatch):
    monkeypatch.setattr(embedding, "load_embedder", lambda settings, store: WordEmbedder())
    names = ("--corpus", "--queries", "--qrels")
    arguments = [str(part) for pair in zip(names, files, strict=True) for part in pair]
    result = CliRunner().invoke(app, ["evaluate", "retrieval", *arguments])
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout.splitlines()[-1])
    assert shown["fused"]["R@1"] == 1.0 and shown["ci"]["fused"]["R@1"] == [1.0, 1.0]
    assert "MRR@10" in result.stderr
    kept = read_run(Path(shown["run"]))
    assert kept.run.measures["dense"]["R@1"] == shown["dense"]["R@1"]
    assert [one.id for one in kept.results] == ["q1", "q2", "q3"] and kept.articles["d1"].title == "Hafen"
    assert "## How it was measured" in (Path(shown["run"]) / "report.md").read_text(encoding="utf-8")
