"""Training itself, with torch, on a small random BERT: it learns a rule that it was not told."""

import numpy as np
import pytest

from archive.encoder_graph import BertShape
from training.examples import Candidate, Judged

pytest.importorskip("torch", reason="the extra `torch` is not installed")
pytest.importorskip("transformers", reason="the extra `torch` is not installed")

from training import embedder, reranker

HIDDEN, WORDS = 32, 40
SHAPE = BertShape(heads=2, layers=2)


@pytest.fixture
def weights():
    random = np.random.default_rng(0)
    made = {}

    def dense(name, rows, columns):
        made[f"{name}.weight"] = random.normal(0, 0.2, (rows, columns)).astype(np.float32)
        made[f"{name}.bias"] = np.zeros(rows, np.float32)

    def norm(name):
        made[f"{name}.weight"], made[f"{name}.bias"] = np.ones(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)

    for name, rows in (("word", WORDS), ("position", 40), ("token_type", 2)):
        made[f"embeddings.{name}_embeddings.weight"] = random.normal(0, 1, (rows, HIDDEN)).astype(np.float32)
    norm("embeddings.LayerNorm")
    for layer in range(SHAPE.layers):
        at = f"encoder.layer.{layer}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{at}.attention.{name}", HIDDEN, HIDDEN)
        dense(f"{at}.intermediate.dense", 2 * HIDDEN, HIDDEN)
        dense(f"{at}.output.dense", HIDDEN, 2 * HIDDEN)
        norm(f"{at}.attention.output.LayerNorm")
        norm(f"{at}.output.LayerNorm")
    return made


@pytest.fixture
def tokenizer(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"<s>": 0, "<pad>": 1, **{f"w{number}": number for number in range(2, WORDS)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<s>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def judged(count, seed=0):
    """The passage that answers holds w7, wherever it stands; what the question says does not matter."""
    random = np.random.default_rng(seed)

    def text():
        return [f"w{number}" for number in random.integers(8, WORDS, 6)]

    questions = []
    for number in range(count):
        good = text()
        good[random.integers(6)] = "w7"
        candidates = (Candidate(" ".join(good), True), *(Candidate(" ".join(text()), False) for _ in range(4)))
        questions.append(Judged("w2 w3", "made", str(number), candidates))
    return questions


def test_a_cross_encoder_learns_and_keeps_its_embeddings(weights, tokenizer):
    recipe = reranker.Recipe(
        layers=2, negatives=3, epochs=4, batch_tokens=600, part_tokens=200, rate=3e-3, head_rate=3e-3
    )
    losses, kept = [], []
    trained = reranker.train(
        weights,
        SHAPE,
        tokenizer,
        judged(150),
        recipe,
        lambda step, steps, loss: losses.append((step, steps, loss)),
        kept.append,
    )

    assert losses[-1][0] == losses[-1][1] == len(losses) and len(kept) == 4
    assert np.mean([loss for *_, loss in losses[-5:]]) < 0.3 * losses[0][2]
    assert not any(name.startswith("embeddings") for name in trained)
    assert {"pooler.dense.weight", "classifier.weight", "encoder.layer.1.output.dense.weight"} <= trained.keys()


def test_lower_layers_alone_can_be_kept(weights, tokenizer):
    recipe = reranker.Recipe(layers=1, negatives=2, epochs=1, batch_tokens=600)
    trained = reranker.train(weights, SHAPE, tokenizer, judged(8), recipe, lambda *_: None, lambda _: None)

    assert not any("layer.1." in name for name in trained)


def test_the_rate_rises_and_falls():
    assert [reranker.rate_at(at, 0.1) for at in (0, 0.05, 0.1, 0.55, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_parts_hold_the_groups_in_their_order():
    groups = [reranker.Group(((1,) * size,) * 2) for size in (3, 4, 50, 2)]

    assert [len(part) for part in reranker.parts_of(groups, 20)] == [2, 1, 1]


def test_contrast_brings_question_and_passage_together(weights, tokenizer):
    random = np.random.default_rng(5)
    questions = []
    for number in range(60):
        own = [f"w{one}" for one in random.integers(8, WORDS, 3)]
        other = [f"w{one}" for one in random.integers(8, WORDS, 3)]
        candidates = (Candidate(" ".join(own), True), Candidate(" ".join(other), False))
        questions.append(Judged(" ".join(reversed(own)), "made", str(number), candidates))
    losses = []
    recipe = embedder.ContrastiveRecipe(batch=12, epochs=6, rate=2e-3)
    trained = embedder.train(
        weights, SHAPE, tokenizer, questions, recipe, lambda step, steps, loss: losses.append(loss)
    )

    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])
    assert all(name.startswith("encoder.") for name in trained)


def test_a_batch_holds_no_article_twice():
    questions = judged(40) + judged(40, seed=1)
    for batch in embedder.batches_of(questions, embedder.ContrastiveRecipe(batch=8), 0):
        assert len({one.group for one in batch}) == len(batch) > 1
