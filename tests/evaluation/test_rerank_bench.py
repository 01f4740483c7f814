"""The benchmark of reranking asks a real archive and times every depth with every question."""

import json

import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive.archive import Archive
from archive.errors import SourceError
from archive.settings import Settings
from evaluation.rerank_bench import candidates_for, measure, read_questions, titles
from evaluation.scale_articles import SAMPLE
from ingest.pipeline import ingest


class CountingReranker:
    name, blend = "counting", None

    def __init__(self):
        self.asked = []

    def logits(self, query, passages):
        import numpy as np

        self.asked.append((query, tuple(passages)))
        return np.arange(len(passages), dtype=np.float32)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("archive")
    archive = Archive.open(Settings(home=home), WordEmbedder())
    ingest([str(SAMPLE)], archive)
    archive.close()
    return home


@pytest.fixture
def archive(home):
    archive = Archive.open(Settings(home=home), WordEmbedder())
    yield archive
    archive.close()


def test_every_question_is_asked_at_every_depth(archive):
    reranker = CountingReranker()
    asked = titles(archive, 3)
    depths = measure(archive, reranker, asked, [2, 5], lambda text: len(text))
    assert [(depth.candidates, depth.questions) for depth in depths] == [(2, 3), (5, 3)]
    assert [(query, len(passages)) for query, passages in reranker.asked[1:]] == [
        (query, depth) for query in asked for depth in (2, 5)
    ]
    texts = [text for _, passages in reranker.asked[1:] if len(passages) == 5 for text in passages]
    assert depths[1].tokens_mean == pytest.approx(sum(map(len, texts)) / len(texts), abs=0.1)
    assert all(0 < depth.ms_p50 <= depth.ms_p95 for depth in depths)


def test_candidates_are_the_nearest_passages(archive):
    title = titles(archive, 1)[0]
    hits = candidates_for(archive, title, 4)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True) and len(hits) == 4


def test_titles_spread_over_the_archive(archive):
    every = [article.title for article in archive.ledger.articles()]
    chosen = titles(archive, 4)
    assert len(chosen) == 4 and chosen[0] == every[0] and chosen[-1] in every[len(every) // 2 :]


def test_an_archive_that_is_too_small_says_so(archive):
    with pytest.raises(SourceError, match="ask for fewer"):
        candidates_for(archive, "Chip", 100_000)


def test_questions_are_lines_or_a_file_of_evaluate_questions(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"qid": "1", "kind": "fact", "question": "Wer?"}) + "\n\nWas?\n")
    assert read_questions(path) == ["Wer?", "Was?"]
    path.write_text("{broken\n")
    with pytest.raises(SourceError, match="questions"):
        read_questions(path)
    path.write_text("")
    with pytest.raises(SourceError, match="holds no questions"):
        read_questions(path)


@pytest.mark.parametrize("candidates", ["many", "0,30"])
def test_bad_numbers_are_named(candidates):
    result = CliRunner().invoke(app, ["bench", "rerank", "--candidates", candidates])
    assert result.exit_code == 1 and f"--candidates {candidates}" in str(result.exception)
