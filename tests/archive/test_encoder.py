"""The ONNX encoder against a plain numpy BERT, on small random weights."""

import math

import numpy as np
import onnxruntime
import pytest

from archive.encoder import read_e5s1
from archive.encoder_graph import BertShape, encoder_graph, int8_rows, pack_blocks
from archive.errors import ModelDamaged

HIDDEN, INNER, WORDS, POSITIONS, LAYERS, HEADS = 64, 128, 100, 32, 2, 4


def random_bert(labels: int = 0, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def dense(name, rows, columns):
        return {
            f"{name}.weight": random.normal(0, 0.15, (rows, columns)).astype(np.float32),
            f"{name}.bias": random.normal(0, 0.1, rows).astype(np.float32),
        }

    def norm(name):
        return {
            f"{name}.weight": random.normal(1, 0.1, HIDDEN).astype(np.float32),
            f"{name}.bias": random.normal(0, 0.1, HIDDEN).astype(np.float32),
        }

    weights = norm("embeddings.LayerNorm")
    for name, rows in (("word", WORDS), ("position", POSITIONS), ("token_type", 2)):
        weights[f"embeddings.{name}_embeddings.weight"] = random.normal(0, 1, (rows, HIDDEN)).astype(np.float32)
    for n in range(LAYERS):
        at = f"encoder.layer.{n}"
        for name in ("query", "key", "value"):
            weights |= dense(f"{at}.attention.self.{name}", HIDDEN, HIDDEN)
        weights |= dense(f"{at}.attention.output.dense", HIDDEN, HIDDEN) | norm(f"{at}.attention.output.LayerNorm")
        weights |= dense(f"{at}.intermediate.dense", INNER, HIDDEN) | dense(f"{at}.output.dense", HIDDEN, INNER)
        weights |= norm(f"{at}.output.LayerNorm")
    if labels:
        weights |= dense("pooler.dense", HIDDEN, HIDDEN) | dense("classifier", labels, HIDDEN)
    return weights


def reference_bert(weights, ids) -> np.ndarray:
    """Hidden states (tokens, hidden) of one text without padding: BERT as its paper has it, in fp64."""

    def dense(name, x):
        return x @ weights[f"{name}.weight"].astype(float).T + weights[f"{name}.bias"]

    def norm(name, x):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    words, places = weights["embeddings.word_embeddings.weight"], weights["embeddings.position_embeddings.weight"]
    x = words[ids] + places[: len(ids)] + weights["embeddings.token_type_embeddings.weight"][0]
    x = norm("embeddings.LayerNorm", x)
    for n in range(LAYERS):
        at = f"encoder.layer.{n}"
        query, key, value = (
            dense(f"{at}.attention.self.{name}", x).reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(HIDDEN / HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        heads = (shares / shares.sum(-1, keepdims=True)) @ value
        joined = heads.transpose(1, 0, 2).reshape(len(ids), HIDDEN)
        x = norm(f"{at}.attention.output.LayerNorm", x + dense(f"{at}.attention.output.dense", joined))
        wide = dense(f"{at}.intermediate.dense", x)
        active = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(f"{at}.output.LayerNorm", x + dense(f"{at}.output.dense", active))
    return x


def run(weights, texts):
    model = encoder_graph(weights, BertShape(heads=HEADS, layers=LAYERS))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    width = max(map(len, texts))
    ids, mask = np.zeros((len(texts), width), np.int64), np.zeros((len(texts), width), np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    return session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


TEXTS = [[3, 14, 15, 92, 65], [35, 89, 79, 32, 38, 46, 26, 43, 38, 32, 79, 50], [7]]


def test_pooled_vectors_match_a_plain_bert_and_ignore_padding():
    weights = random_bert()
    vectors = run(weights, TEXTS)
    means = np.stack([reference_bert(weights, text).mean(0) for text in TEXTS])
    expected = means / np.linalg.norm(means, axis=1, keepdims=True)
    assert vectors.shape == (3, HIDDEN)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert ((vectors * expected).sum(1) > 0.995).all()
    assert np.allclose(run(weights, TEXTS[:1])[0], vectors[0], atol=0.02)


def test_weights_with_a_classifier_give_logits():
    weights = random_bert(labels=1)
    logits = run(weights, TEXTS)
    first = np.stack([reference_bert(weights, text)[0] for text in TEXTS])
    pooled = np.tanh(first @ weights["pooler.dense.weight"].T + weights["pooler.dense.bias"])
    expected = pooled @ weights["classifier.weight"].T + weights["classifier.bias"]
    assert logits.shape == (3, 1)
    assert logits == pytest.approx(expected, abs=0.1)


def test_a_table_made_of_4_bit_blocks_loses_nothing():
    random = np.random.default_rng(1)
    levels = random.integers(-8, 8, (5, 2, 32)).astype(np.float32)
    levels[:, :, 3] = -8  # Q4_0's largest weight is always its lowest level
    table = (levels * random.uniform(0.01, 1, (5, 2, 1))).astype(np.float32).reshape(5, 64)
    packed, scales = pack_blocks(table, 4)
    assert packed.shape == (5, 32) and scales.shape == (5, 2)
    unpacked = np.stack([packed & 15, packed >> 4], 2).reshape(5, 64).astype(np.float32) - 8
    assert unpacked * np.repeat(scales, 32, axis=1) == pytest.approx(table, rel=1e-6)


def test_8_bit_blocks_and_int8_rows_stay_within_one_step():
    table = np.random.default_rng(2).normal(0, 1, (8, 64)).astype(np.float32)
    packed, scales = pack_blocks(table, 8)
    assert np.abs((packed.astype(np.float32) - 128) * np.repeat(scales, 32, 1) - table).max() <= np.abs(scales).max()
    levels, steps = int8_rows(table)
    assert np.abs(levels).max() <= 63
    assert (np.abs(levels * steps[:, None] - table) <= steps[:, None] * 0.5001).all()


def test_a_missing_weight_is_named():
    weights = random_bert()
    del weights["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match=r"layer\.1\.output\.dense\.bias"):
        encoder_graph(weights, BertShape(heads=HEADS, layers=LAYERS))


def test_bytes_that_are_no_weight_file_are_refused():
    with pytest.raises(ModelDamaged, match="E5S1"):
        read_e5s1(b"GGUF" + bytes(100))
