"""The benchmark of ingest: what is measured is the same for both pipelines, and the fp32 weights are the embedder's."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive.archive import Archive
from archive.articles import Article
from archive.encoder_graph import BertShape
from archive.errors import SourceError
from archive.settings import Settings
from evaluation import ingest_bench
from evaluation.bench_weights import write_folder
from evaluation.ingest_bench import measure, read_articles, recut, write_articles
from evaluation.scale_articles import SAMPLE
from ingest.split import sentences


def words(text):
    return len(text.split()) + 2


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


def taken(limit=20):
    return list(recut(read_articles([str(SAMPLE)], limit), words, 120))


def test_articles_are_cut_anew_at_sentences_without_losing_one():
    articles = read_articles([str(SAMPLE)], 5)
    cut = list(recut(articles, words, 120))
    whole = " ".join(sentence for one in articles for sentence in sentences(one.text.replace("\n", " ")))
    assert len(cut) > 3 and whole.startswith(" ".join(one.text for one in cut))
    assert all(95 < words(one.text) + words(one.title) < 150 for one in cut)


def test_both_pipelines_take_the_same_passages_in_turn(settings, tmp_path):
    articles = taken()
    write_articles(articles, tmp_path / "articles.jsonl")
    got = []
    measured = measure(
        settings, WordEmbedder(), tmp_path / "articles.jsonl", lambda folder, texts: got.append(texts), words, 2
    )
    assert len(got) == 2 and got[0] == got[1]
    bodies = " ".join(text.split("\n")[1] for text in got[0])
    assert bodies.split() == " ".join(article.text for article in articles).split()
    assert measured.passages == len(got[0]) >= len(articles) and measured.tokens_mean == np.mean(
        [words(text) for text in got[0]]
    )
    summary = measured.summary()
    assert len(summary["ours"]["rounds"]) == len(summary["plain"]["rounds"]) == 2
    assert summary["ratio"] == pytest.approx(measured.ours.median / measured.plain.median, abs=0.01)
    assert not settings.home.exists()  # the archive of the user is left alone


def test_without_the_plain_packages_ours_is_measured_alone(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVAR_HOME", str(settings.home))
    monkeypatch.setattr(ingest_bench, "PLAIN_PACKAGES", ("langchain_chroma_of_tomorrow",))
    monkeypatch.setattr("archive.models.ModelStore.path", lambda self, name: tmp_path)
    monkeypatch.setattr(ingest_bench, "token_counter", lambda path: words)
    monkeypatch.setattr("archive.embedding.load_embedder", lambda settings, store: WordEmbedder())
    result = CliRunner().invoke(app, ["bench", "ingest", "--articles", "5", "--rounds", "1", "--tokens", "100"])
    assert result.exit_code == 0
    assert "pip install" in result.stderr and "langchain_chroma_of_tomorrow" in result.stderr
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["ours"]["passages_per_second"] > 0 and summary["plain"] is None and summary["ratio"] is None


def test_files_without_texts_are_refused(tmp_path):
    path = tmp_path / "headlines.jsonl"
    path.write_text('{"id": "1", "title": "Nur eine Schlagzeile und sonst gar nichts"}\n')
    with pytest.raises(SourceError, match="headlines"):
        read_articles([str(path)], None)


def test_the_written_folder_embeds_like_the_int8_model(tmp_path):
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="needs the extra torch")
    sys.path.insert(0, str(Path(__file__).parents[1] / "archive"))
    from test_encoder import HEADS, LAYERS, random_bert, reference_bert
    from tokenizers import Tokenizer, models, pre_tokenizers

    weights = random_bert()
    tokenizer = Tokenizer(models.WordLevel({f"w{n}": n for n in range(98)} | {"<pad>": 98, "u": 99}, unk_token="u"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    write_folder(tmp_path, weights, BertShape(heads=HEADS, layers=LAYERS), "w7 ")
    model = sentence_transformers.SentenceTransformer(str(tmp_path), device="cpu")
    vector = model.encode("w3 w14 w15", prompt="w7 ", show_progress_bar=False)
    mean = reference_bert(weights, [7, 3, 14, 15]).mean(0)
    assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-4)


def test_an_article_keeps_its_date(tmp_path, settings):
    dated = read_articles([str(SAMPLE)], 1)[0]
    write_articles([Article("1", dated.title, dated.text[:300], published=dated.published)], tmp_path / "one.jsonl")
    _, texts = ingest_bench.ingested(settings, WordEmbedder(), tmp_path / "one.jsonl", settings.home)
    archive = Archive.open(settings, WordEmbedder())
    assert archive.ledger.article("1").published == dated.published and len(texts) == 1
    archive.close()
