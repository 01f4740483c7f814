"""A reranker out of its own layers and the embedder's word table is the model that it was before it was taken apart."""

import numpy as np
import onnx
import onnxruntime
import pytest
from test_encoder import HEADS, LAYERS, WORDS, random_bert

from archive.cross_encoder import build_cross_encoder, read_embeddings, read_layers
from archive.encoder_graph import BertShape, encoder_graph, pack_blocks, unpack_blocks
from archive.errors import ModelDamaged
from training.export import save_layers

SHAPE = BertShape(heads=HEADS, layers=LAYERS)


@pytest.fixture
def parts(tmp_path):
    """(weights, layers file, embedder): the embedder has the same word table, and layers of its own."""
    weights = random_bert(labels=1)
    embeddings = {name: value for name, value in weights.items() if name.startswith("embeddings")}
    onnx.save(encoder_graph({**random_bert(seed=1), **embeddings}, SHAPE), str(tmp_path / "embedder.onnx"))
    own = {name: value for name, value in weights.items() if not name.startswith("embeddings")}
    save_layers(own, HEADS, tmp_path / "layers.npz")
    return weights, tmp_path / "layers.npz", tmp_path / "embedder.onnx"


def logits(model, ids):
    session = onnxruntime.InferenceSession(model)
    return session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]


def test_the_parts_make_the_whole(parts, tmp_path):
    weights, layers, embedder = parts
    build_cross_encoder(layers, embedder, tmp_path / "model.onnx")
    ids = np.random.default_rng(3).integers(2, WORDS, (40, 6))
    whole, built = (
        logits(model, ids)[:, 0]
        for model in (encoder_graph(weights, SHAPE).SerializeToString(), str(tmp_path / "model.onnx"))
    )

    # int8 levels come through unchanged; heads and biases are kept in fp16, which moves a rounding now and then.
    assert np.corrcoef(whole, built)[0, 1] > 0.99
    assert built == pytest.approx(whole, abs=0.2 * float(whole.std()))


def test_the_file_holds_no_word_table(parts):
    _, layers, _ = parts

    assert not any("embeddings" in name for name in read_layers(layers))


def test_embeddings_come_back_out_of_the_graph(parts):
    weights, _, embedder = parts
    read = read_embeddings(embedder)
    words = weights["embeddings.word_embeddings.weight"]

    assert read["embeddings.word_embeddings.weight"] == pytest.approx(words, abs=float(np.abs(words).max()) / 120)
    assert np.array_equal(read["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.weight"])


@pytest.mark.parametrize("bits", [4, 8])
def test_packed_blocks_unpack(bits):
    table = np.random.default_rng(0).normal(size=(7, 96)).astype(np.float32)
    packed, scales = pack_blocks(table, bits)

    assert unpack_blocks(packed, scales) == pytest.approx(table, abs=float(np.abs(table).max()) / (1 << (bits - 1)))


def test_a_damaged_file_is_named(parts, tmp_path):
    _, layers, _ = parts
    layers.write_bytes(layers.read_bytes()[:500])
    with pytest.raises(ModelDamaged, match=r"layers\.npz"):
        read_layers(layers)
    onnx.save(encoder_graph(random_bert(labels=1), SHAPE), str(tmp_path / "other.onnx"))
    model = onnx.load(str(tmp_path / "other.onnx"))
    del model.graph.initializer[:]
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelDamaged, match="other"):
        read_embeddings(tmp_path / "other.onnx")
