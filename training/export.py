"""A trained cross-encoder as a small file: its layers in int8, without the word table, which the embedder has."""

from pathlib import Path

import numpy as np

from archive.cross_encoder import HEADS
from archive.encoder_graph import int8_rows
from training.reranker import Weights


def save_layers(weights: Weights, heads: int, path: Path) -> int:
    """Write the layers and their number of attention heads at `path`; returns the file's size in bytes.

    Matrices of the layers become int8 with one scale for each row, as the ONNX graph multiplies them; all else is fp16.
    """
    arrays: dict[str, np.ndarray] = {HEADS: np.array(heads)}
    for name, value in weights.items():
        if value.ndim == 2 and name.startswith("encoder.layer."):
            arrays[f"{name}:levels"], arrays[f"{name}:scales"] = int8_rows(value)
        else:
            arrays[name] = value.astype(np.float16)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path.stat().st_size
