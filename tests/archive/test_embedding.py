"""Embedders over a small real ONNX encoder, and, marked `models`, over the default one."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from archive.embedding import OnnxEmbedder, Prefixes, SentenceTransformersEmbedder, load_embedder, prefixes_of
from archive.errors import ModelError
from archive.models import ModelStore
from archive.settings import Settings

WORDS = ["[PAD]", "[UNK]", "query", "passage", ":", "alpha", "beta", "gamma", "delta"]


@pytest.fixture
def folder(tmp_path):
    """A hub-like model folder: token vectors are rows of a table; mean pooling is left to the embedder."""
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    table = np.eye(len(WORDS), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "table",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "t", len(WORDS)])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "onnx").mkdir()
    onnx.save(model, str(tmp_path / "onnx" / "model.onnx"))
    return tmp_path


def test_token_vectors_are_pooled_over_the_text_only(folder):
    embedder = OnnxEmbedder(folder, "plain")
    vectors = embedder.embed_passages(["alpha", "alpha beta beta", "gamma delta alpha beta"])
    assert embedder.dimensions == len(WORDS) and vectors.dtype == np.float32
    assert vectors[0, 5] == pytest.approx(1)
    assert vectors[1, 5:7] == pytest.approx(np.array([1, 2]) / np.sqrt(5))
    assert vectors[2, 5:] == pytest.approx(0.5)
    assert embedder.embed_queries([]).shape == (0, len(WORDS))


def test_the_order_of_many_texts_is_kept(folder):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS[5:], random.integers(1, 300))) for _ in range(40)]
    embedder = OnnxEmbedder(folder, "plain")
    together = embedder.embed_passages(texts)
    assert together == pytest.approx(np.concatenate([embedder.embed_passages([text]) for text in texts]), abs=1e-6)


def test_prefixes_and_pooling_come_from_the_folder(folder):
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "query ", "document": ""}})
    )
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    embedder = OnnxEmbedder(folder, "plain")
    assert embedder.embed_queries(["alpha"])[0].argmax() == WORDS.index("query")
    assert embedder.embed_passages(["alpha"])[0].argmax() == WORDS.index("alpha")
    assert prefixes_of("multilingual-e5-small-q4", folder / "none") == Prefixes("query: ", "passage: ")
    assert prefixes_of("bge-m3", folder / "none") == Prefixes()


def test_settings_may_name_a_folder(folder, tmp_path):
    embedder = load_embedder(Settings(embedder=str(folder), threads=1), ModelStore(tmp_path / "store", offline=True))
    assert isinstance(embedder, OnnxEmbedder) and embedder.name == str(folder)


def test_broken_and_missing_encoders_are_named(folder, tmp_path, monkeypatch):
    (folder / "onnx" / "model.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"can't load .*model\.onnx"):
        OnnxEmbedder(folder, "plain")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelError, match=r"pip install 'archivar\[torch\]'"):
        SentenceTransformersEmbedder(tmp_path, "plain")


@pytest.fixture(scope="module")
def embedder(model_store):
    return load_embedder(Settings(), model_store)


@pytest.mark.models
def test_german_questions_find_their_passage(embedder):
    passages = [
        "Berlin ist die Hauptstadt der Bundesrepublik Deutschland.",
        "Der neue Prozessor von AMD hat 16 Kerne und kostet 700 Euro.",
        "Die Bahn verlor im vergangenen Jahr zwei Milliarden Euro.",
    ]
    questions = ["Was ist die Hauptstadt Deutschlands?", "Wie teuer ist die CPU?", "Wie hoch war der Verlust der Bahn?"]
    similarity = embedder.embed_queries(questions) @ embedder.embed_passages(passages).T
    assert similarity.argmax(axis=1).tolist() == [0, 1, 2]
    assert embedder.dimensions == 384


@pytest.mark.models
def test_int8_is_faithful_to_fp32(embedder, model_store):
    """Against the same graph with fp32 products: what the inputs lose by being made int8 as they come."""
    texts = ["Der Bundestag hat ein Gesetz beschlossen.", "Apple stellt ein neues iPhone vor. " * 8, "Kurz."]
    source = model_store.folder / "multilingual-e5-small-q4" / "model.onnx"
    model = onnx.load(str(source))
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type != "DynamicQuantizeMatMul":
            nodes.append(node)
            continue
        data, weight, scale, _zero, bias = node.input
        floats = numpy_helper.to_array(constants[weight]).astype(np.float32) * numpy_helper.to_array(constants[scale])
        constants[weight].CopyFrom(numpy_helper.from_array(floats, weight))
        nodes.append(helper.make_node("MatMul", [data, weight], [f"{node.output[0]}.product"]))
        nodes.append(helper.make_node("Add", [f"{node.output[0]}.product", bias], [node.output[0]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(source.parent / "tokenizer.json"))
    tokenizer.no_padding()
    ours = embedder.embed_passages(texts)
    for text, vector in zip(texts, ours, strict=True):
        ids = np.array([tokenizer.encode(f"passage: {text}").ids])
        exact = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
        assert float(exact @ vector) >= 0.99


@pytest.mark.models
def test_the_cpu_path_does_not_import_torch(model_store):
    code = (
        "import sys; from pathlib import Path; from archive.embedding import load_embedder;"
        "from archive.models import ModelStore; from archive.settings import Settings;"
        f"e = load_embedder(Settings(), ModelStore(Path({str(model_store.folder)!r}), offline=True));"
        "e.embed_queries(['Hallo']); sys.exit('torch' in sys.modules or 'sentence_transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
