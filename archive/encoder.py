"""The default embedder's own weight file, and the ONNX model that is made of it."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from archive.encoder_graph import BertShape, encoder_graph
from archive.errors import ModelDamaged

_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMALIZATIONS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])


@dataclass(slots=True)
class _Reader:
    """A position in the bytes that moves on with each value read; little endian throughout."""

    data: bytes
    position: int = 0

    def read(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return values

    def skip(self, count: int) -> None:
        self.position += count


def _dequantize(data: bytes, count: int, offset: int, length: int) -> NDArray[np.float32]:
    """A tensor of `count` weights, flat: fp32 as it is, or Q4_0 blocks of 32 (byte j holds weights j and j + 16)."""
    if length == 4 * count:
        return np.frombuffer(data, "<f4", count, offset)
    blocks = np.frombuffer(data, _Q4_BLOCK, count // 32, offset)
    levels = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32) - 8
    flat: NDArray[np.float32] = (levels * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return flat


def read_e5s1(data: bytes) -> tuple[dict[str, NDArray[np.float32]], BertShape]:
    """The weights in an `E5S1` file by the names that transformers' BertModel gives them, in fp32.

    Layout: magic, header, a tokenizer (skipped: tokenizer.json is used), a directory of tensors, the tensors. Raises
    ModelDamaged where the bytes are no such file.
    """
    if data[:4] != b"E5S1":
        raise ModelDamaged("weight file is damaged: it does not begin with E5S1; run `archivar models pull`")
    reader = _Reader(data, 4)
    _version, hidden, layers, heads, inner, vocabulary, positions, types = reader.read("I7i")
    reader.skip(8)  # epsilon, which rounds to BERT's 1e-12, and the block size
    pieces, *_special, text_bytes = reader.read("5iQ")
    reader.skip((pieces + 1) * 4 + pieces * 4 + text_bytes + 4)
    (normalization_bytes,) = reader.read("I")
    reader.skip(normalization_bytes)
    tensors: dict[str, NDArray[np.float32]] = {}
    (count,) = reader.read("i")
    for _ in range(count):
        (length,) = reader.read("H")
        name = data[reader.position : reader.position + length].decode()
        reader.skip(length)
        _type, size, offset, stored = reader.read("BIQQ")
        tensors[name] = _dequantize(data, size, offset, stored)

    weights = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(vocabulary, hidden),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(positions, hidden),
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(types, hidden),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    columns = {"fo": inner}
    for n in range(layers):
        for key, name in _MATRICES.items():
            at = f"encoder.layer.{n}.{name}"
            weights[f"{at}.weight"] = tensors[f"l{n}.{key}.w"].reshape(-1, columns.get(key, hidden))
            weights[f"{at}.bias"] = tensors[f"l{n}.{key}.b"]
        for key, name in _NORMALIZATIONS.items():
            weights[f"encoder.layer.{n}.{name}.weight"] = tensors[f"l{n}.{key}.w"]
            weights[f"encoder.layer.{n}.{name}.bias"] = tensors[f"l{n}.{key}.b"]
    return weights, BertShape(heads=heads, layers=layers)


def build_encoder(source: Path, target: Path) -> None:
    """Write the ONNX model at `target` from the weight file at `source`; takes seconds and about 1 GB of memory."""
    weights, shape = read_e5s1(source.read_bytes())
    onnx.save(encoder_graph(weights, shape), str(target))
