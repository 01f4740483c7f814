"""A BERT encoder written as an ONNX graph, straight from its weights: no torch, no exporter.

Matrices become int8 and are multiplied as such (`DynamicQuantizeMatMul`, the input quantized as it comes), word
embeddings stay packed in blocks of 32 (`GatherBlockQuantized`), attention is one fused operator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, NDArray[np.float32]]

MICROSOFT = "com.microsoft"
BLOCK = 32  # weights that share a scale in the word table; Q4_0's own size
# Weights keep to 7 bits: without VNNI instructions, u8 x s8 products are added in pairs in 16 bits and would overflow.
INT8_LIMIT = 63


@dataclass(frozen=True, slots=True)
class BertShape:
    """What a BERT's weights don't say of themselves."""

    heads: int
    layers: int
    epsilon: float = 1e-12


@dataclass(slots=True)
class _Graph:
    """Nodes and constants as they are written down, in order."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(
        self, operator: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: int | float
    ) -> str:
        node = helper.make_node(operator, list(inputs), [output], domain=domain)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return output


def int8_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Each row of (rows, columns) as int8 with its own scale, shape (rows,): row = int8 * scale."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / INT8_LIMIT
    return np.round(matrix / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def pack_blocks(table: NDArray[np.float32], bits: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(rows, columns) in blocks of 32: bytes around their middle value and scales (rows, columns / 32).

    The largest weight of a block, sign and all, takes the lowest level, as in GGML's Q4_0; so a table that came out of
    Q4_0 goes back into the same 4 bits without loss. Two 4-bit values share a byte, the first in the low half.
    """
    middle = 1 << (bits - 1)
    blocks = table.reshape(len(table), -1, BLOCK)
    extremes = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    scales = np.where(extremes == 0, 1, extremes / -middle).astype(np.float32)
    levels = np.clip(np.round(blocks / scales[:, :, None]) + middle, 0, 2 * middle - 1).astype(np.uint8)
    levels = levels.reshape(table.shape)
    return (levels[:, 0::2] | levels[:, 1::2] << 4 if bits == 4 else levels), scales


def unpack_blocks(packed: NDArray[np.uint8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """What pack_blocks() packed, as fp32 (rows, columns); 4 or 8 bits as the shapes tell."""
    if packed.shape[1] == scales.shape[1] * BLOCK:
        levels = packed.astype(np.float32) - 128
    else:
        levels = np.stack([packed & 15, packed >> 4], axis=2).reshape(len(packed), -1).astype(np.float32) - 8
    return np.asarray(levels * np.repeat(scales, BLOCK, axis=1), np.float32)


def _table_bits(table: NDArray[np.float32]) -> int:
    """4 where the table is made of 4-bit levels already (then 4 lose nothing), else 8; judged by its first rows."""
    rows = table[:1024]
    restored = unpack_blocks(*pack_blocks(rows, 4))
    return 4 if np.allclose(restored, rows, atol=1e-4 * float(np.abs(rows).max())) else 8


def _linear(graph: _Graph, source: str, output: str, matrices: Sequence[NDArray[np.float32]],
            biases: Sequence[NDArray[np.float32]]) -> str:  # fmt: skip
    """The matrices side by side as one int8 product: their outputs are concatenated."""
    levels, scales = int8_rows(np.concatenate(matrices))
    inputs = [
        source,
        graph.constant(f"{output}.weight", levels.T),
        graph.constant(f"{output}.scale", scales),
        graph.constant(f"{output}.zero", np.zeros(len(scales), np.int8)),
        graph.constant(f"{output}.bias", np.concatenate(biases)),
    ]
    return graph.node("DynamicQuantizeMatMul", inputs, output, MICROSOFT)


def _add_and_normalize(graph: _Graph, left: str, right: str, output: str, weights: Weights, name: str,
                       epsilon: float) -> str:  # fmt: skip
    # Two plain operators: ONNX Runtime's fused SkipLayerNormalization measured four times slower on CPU.
    graph.node("Add", [left, right], f"{output}.sum")
    scale = graph.constant(f"{output}.gamma", weights[f"{name}.weight"])
    shift = graph.constant(f"{output}.beta", weights[f"{name}.bias"])
    return graph.node("LayerNormalization", [f"{output}.sum", scale, shift], output, axis=-1, epsilon=epsilon)


def _embeddings(graph: _Graph, weights: Weights, shape: BertShape) -> str:
    """Words plus positions, normalized; every token is of type 0, which is folded into the positions."""
    table = weights["embeddings.word_embeddings.weight"]
    bits = _table_bits(table)
    packed, scales = pack_blocks(table, bits)
    words = [graph.constant("words.blocks", packed), "input_ids", graph.constant("words.scales", scales)]
    graph.node("GatherBlockQuantized", words, "words", MICROSOFT, bits=bits, block_size=BLOCK, gather_axis=0,
               quantize_axis=1)  # fmt: skip
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    first, axis = graph.constant("first", np.array([0])), graph.constant("axis", np.array([1]))
    graph.constant("second", np.array([1]))
    graph.node("Slice", [graph.constant("positions.table", positions[None]), first, "length", axis], "positions")
    return _add_and_normalize(graph, "words", "positions", "embedded", weights, "embeddings.LayerNorm", shape.epsilon)


def _layer(graph: _Graph, source: str, number: int, weights: Weights, shape: BertShape, *, first_only: bool) -> str:
    """One layer's output; `first_only`: of each text's first token alone, (texts, 1, hidden), from all of `source`."""
    prefix, at = f"encoder.layer.{number}", f"layer{number}"

    def linear(source: str, output: str, *names: str) -> str:
        parts = [f"{prefix}.{name}" for name in names]
        return _linear(graph, source, f"{at}.{output}", [weights[f"{part}.weight"] for part in parts],
                       [weights[f"{part}.bias"] for part in parts])  # fmt: skip

    query, key, value = (f"attention.self.{name}" for name in ("query", "key", "value"))
    parts = [f"{at}.{name}" for name in ("query", "key", "value")]
    if first_only:
        joined, split = linear(source, "kv", key, value), parts[1:]
        source = graph.node("Slice", [source, "first", "second", "axis"], f"{at}.first")
        linear(source, "query", query)
    else:
        joined, split = linear(source, "qkv", query, key, value), parts
    graph.nodes.append(helper.make_node("Split", [joined], split, axis=-1))
    heads = _attention(graph, parts, f"{at}.heads", shape)
    attended = linear(heads, "attended", "attention.output.dense")
    middle = _add_and_normalize(graph, attended, source, f"{at}.middle", weights,
                                f"{prefix}.attention.output.LayerNorm", shape.epsilon)  # fmt: skip
    wide = linear(middle, "wide", "intermediate.dense")
    narrow = linear(graph.node("Gelu", [wide], f"{at}.active", MICROSOFT), "narrow", "output.dense")
    return _add_and_normalize(graph, narrow, middle, f"{at}.output", weights, f"{prefix}.output.LayerNorm",
                              shape.epsilon)  # fmt: skip


def _attention(graph: _Graph, parts: Sequence[str], output: str, shape: BertShape) -> str:
    """Attention of query, key and value; without a mask where no text is padded.

    Only then ONNX Runtime computes it block by block in the cache (source: Dao, FlashAttention-2, 2023), in four
    fifths of the time.
    """

    def branch(name: str, inputs: Sequence[str]) -> onnx.GraphProto:
        node = helper.make_node("MultiHeadAttention", list(inputs), [f"{output}.{name}"], domain=MICROSOFT,
                                num_heads=shape.heads)  # fmt: skip
        result = helper.make_tensor_value_info(f"{output}.{name}", TensorProto.FLOAT, None)
        return helper.make_graph([node], f"{output}.{name}", [], [result])

    node = helper.make_node("If", ["unpadded"], [output], then_branch=branch("whole", parts),
                            else_branch=branch("masked", [*parts, "", "mask"]))  # fmt: skip
    graph.nodes.append(node)
    return output


def _mean_head(graph: _Graph, source: str) -> str:
    """The mean over the tokens of each text, L2-normalized: (texts, hidden)."""
    graph.node("Cast", ["attention_mask"], "mask.float", to=TensorProto.FLOAT)
    graph.node("Unsqueeze", ["mask.float", "axis"], "mask.row")
    graph.node("MatMul", ["mask.row", source], "sum")
    # Normalizing the sum normalizes the mean: they differ by a positive factor only.
    graph.node("Squeeze", ["sum", "axis"], "flat")
    return graph.node("LpNormalization", ["flat"], "sentence_embedding", axis=-1, p=2)


def _class_head(graph: _Graph, source: str, weights: Weights) -> str:
    """BERT's own head for classification: first token, dense, tanh, dense: (texts, labels). Small, so fp32."""
    start = graph.constant("start", np.array(0))
    graph.node("Gather", [source, start], "first.token", axis=1)
    for name, inputs, output in (("pooler.dense", "first.token", "pooled"), ("classifier", "pooled.tanh", "logits")):
        weight = graph.constant(f"{name}.weight", weights[f"{name}.weight"])
        bias = graph.constant(f"{name}.bias", weights[f"{name}.bias"])
        graph.node("Gemm", [inputs, weight, bias], output, transB=1)
        if output == "pooled":
            graph.node("Tanh", ["pooled"], "pooled.tanh")
    return "logits"


def encoder_graph(weights: Weights, shape: BertShape) -> onnx.ModelProto:
    """The model with inputs `input_ids`, `attention_mask`: int64 (texts, tokens), one fp32 output.

    `weights` go by the names of transformers' `BertModel`, without the `bert.` in front. Where they hold
    `classifier` and `pooler`, the output is `logits` (texts, labels), else `sentence_embedding` (texts, hidden):
    means, of length 1. The hidden size must be a multiple of 32. Raises KeyError naming the weight that is missing.
    """
    graph = _Graph()
    graph.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    graph.node("Cast", [graph.node("ReduceMin", ["mask"], "least", keepdims=0)], "unpadded", to=TensorProto.BOOL)
    hidden = _embeddings(graph, weights, shape)
    classifies = "classifier.weight" in weights
    for number in range(shape.layers):
        # The head for classes reads the first token alone, so the last layer computes no other.
        first_only = classifies and number == shape.layers - 1
        hidden = _layer(graph, hidden, number, weights, shape, first_only=first_only)
    if classifies:
        output, width = _class_head(graph, hidden, weights), len(weights["classifier.weight"])
    else:
        output, width = _mean_head(graph, hidden), weights["embeddings.word_embeddings.weight"].shape[1]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["texts", width])]
    body = helper.make_graph(graph.nodes, "bert", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=8, producer_name="archivar")
