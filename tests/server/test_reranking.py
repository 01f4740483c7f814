"""The reranker over a small real ONNX cross-encoder: it counts a word that marks the answer."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from archive.articles import Hit, Passage
from archive.errors import ModelError
from archive.models import ModelStore
from archive.settings import Settings
from server.blending import Blend, write_blend
from server.reranking import CrossEncoderReranker, OnnxReranker, load_reranker, log_odds, probabilities, rerank

WORDS = {"[PAD]": 0, "[UNK]": 1, "frage": 2, "antwort": 3, "anderes": 4}


@pytest.fixture
def folder(tmp_path):
    """Logit: the sum over the tokens of +2 for "antwort" and -1 for "anderes", padding counted as nothing."""
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in ("input_ids", "attention_mask")
    ]
    nodes = [
        helper.make_node("Gather", ["worth", "input_ids"], ["tokens"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["tokens", "mask"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axis"], ["logits"], keepdims=1),
    ]
    constants = [
        numpy_helper.from_array(np.array([9, 0, 0, 2, -1], np.float32), "worth"),
        numpy_helper.from_array(np.array([1]), "axis"),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1])]
    graph = helper.make_graph(nodes, "counter", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "model.onnx"))
    return tmp_path


def test_logits_come_in_the_order_given(folder):
    logits = OnnxReranker(folder, "counter").logits("frage", ["anderes anderes anderes", "antwort", "frage"])
    assert logits == pytest.approx([-3.0, 2.0, 0.0], abs=1e-6)
    assert logits.dtype == np.float32
    assert OnnxReranker(folder, "counter").logits("frage", []).shape == (0,)


def test_the_passage_is_cut_at_the_length_limit(folder):
    logits = OnnxReranker(folder, "counter").logits("frage", ["anderes " * 600 + "antwort", "antwort"])
    assert logits[0] < -400 < logits[1]


def test_one_or_two_outputs_become_a_probability():
    one = log_odds(np.array([[0.0], [1000.0], [-1000.0]], np.float32))
    two = log_odds(np.array([[0.0, 0.0], [1.0, 3.0]], np.float32))
    assert probabilities(one) == pytest.approx([0.5, 1, 0])
    assert probabilities(two) == pytest.approx([0.5, 1 / (1 + np.exp(-2))])
    with pytest.raises(ModelError, match="this model has 3"):
        log_odds(np.zeros((2, 3), np.float32))


def hit(name, text, **scores):
    return Hit(Passage(f"{name}#0", name, 0, text, "frage"), scores["fused"], scores)


def test_hits_are_ordered_by_their_probability(folder):
    hits = [hit("a", "anderes", fused=2.0), hit("b", "antwort", fused=1.0)]
    ranked = rerank(OnnxReranker(folder, "counter"), "frage", hits)

    assert [one.passage.article_id for one in ranked] == ["b", "a"]
    assert ranked[0].score == ranked[0].scores["reranked"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert ranked[0].scores["fused"] == 1.0


def test_a_model_with_a_blend_weighs_retrieval_too(folder):
    write_blend(folder, Blend((0.1, 5.0), 0.0))
    hits = [hit("a", "anderes", fused=2.0), hit("b", "antwort", fused=1.0)]

    assert [one.passage.article_id for one in rerank(OnnxReranker(folder, "counter"), "frage", hits)] == ["a", "b"]


def test_settings_choose_the_reranker(folder, tmp_path):
    store = ModelStore(tmp_path / "store", offline=True)
    assert load_reranker(Settings(reranker="none"), store) is None
    assert isinstance(load_reranker(Settings(reranker=str(folder)), store), OnnxReranker)


def test_what_can_not_rerank_is_named(folder, tmp_path, monkeypatch):
    model = onnx.load(str(folder / "model.onnx"))
    model.graph.node[-1].output[0] = model.graph.output[0].name = "sentence_embedding"
    onnx.save(model, str(folder / "model.onnx"))
    with pytest.raises(ModelError, match="no cross-encoder"):
        OnnxReranker(folder, "counter")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelError, match=r"pip install 'archivar\[torch\]'"):
        CrossEncoderReranker(tmp_path, "counter")
