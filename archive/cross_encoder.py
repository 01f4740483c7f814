"""A reranker out of two parts: its own layers, and the word table of the embedder that it was trained from."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from archive.encoder_graph import BertShape, encoder_graph, unpack_blocks
from archive.errors import ModelDamaged

HEADS = "heads"  # name of the number of attention heads, which no weight tells


def read_layers(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights in a file of `archivar train reranker`, fp32, by the names that encoder_graph() takes, and HEADS.

    Raises ModelDamaged where the file is none.
    """
    try:
        # Opened here: np.load leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            weights = {name: arrays[name].astype(np.float32) for name in arrays.files if ":" not in name}
            _ = weights[HEADS]
            for name in arrays.files:
                if name.endswith(":levels"):
                    matrix = name.removesuffix(":levels")
                    weights[matrix] = arrays[name].astype(np.float32) * arrays[f"{matrix}:scales"][:, None]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ModelDamaged(f"{path} holds no layers of a reranker ({error}); check it out or train it again") from error
    return weights


def read_embeddings(encoder: Path) -> dict[str, NDArray[np.float32]]:
    """Word table, positions and their normalization out of the embedder's ONNX model, fp32.

    Token types are folded into the positions there, so they come as zeros.
    """
    constants = {one.name: numpy_helper.to_array(one) for one in onnx.load(str(encoder)).graph.initializer}
    try:
        packed, scales = constants["words.blocks"], constants["words.scales"]
        words = unpack_blocks(packed, scales)
        return {
            "embeddings.word_embeddings.weight": words,
            "embeddings.position_embeddings.weight": constants["positions.table"][0],
            "embeddings.token_type_embeddings.weight": np.zeros((1, words.shape[1]), np.float32),
            "embeddings.LayerNorm.weight": constants["embedded.gamma"],
            "embeddings.LayerNorm.bias": constants["embedded.beta"],
        }
    except KeyError as error:
        raise ModelDamaged(f"{encoder} has no {error}; run `archivar models pull` for the embedder") from error


def build_cross_encoder(layers: Path, encoder: Path, target: Path) -> None:
    """Write the ONNX cross-encoder at `target` from its `layers` and the embedder's ONNX model `encoder`."""
    weights = read_layers(layers)
    heads = int(weights.pop(HEADS))
    depth = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    shape = BertShape(heads=heads, layers=depth)
    onnx.save(encoder_graph({**read_embeddings(encoder), **weights}, shape), str(target))
