"""Weights that stay in their file."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from archive.mapped_weights import leave_in_file

TABLES = {
    "floats": np.random.default_rng(0).random((70_000, 32), np.float32),
    "bytes": np.random.default_rng(1).integers(0, 256, (300_000, 32), np.uint8),
    "longs": np.arange(2_000_000, dtype=np.int64).reshape(-1, 32),  # of a type that is left to ONNX Runtime
    "small": np.ones((4, 32), np.float32),
}


def write(path, names, padding=0):
    """A model that looks up rows of each table; `padding` moves what follows it in the file."""
    nodes = [helper.make_node("Gather", [name, "rows"], [f"{name}.rows"]) for name in names]
    types = {name: helper.np_dtype_to_tensor_dtype(TABLES[name].dtype) for name in names}
    outputs = [helper.make_tensor_value_info(f"{name}.rows", types[name], None) for name in names]
    rows = helper.make_tensor_value_info("rows", TensorProto.INT64, [None])
    weights = [numpy_helper.from_array(TABLES[name], name) for name in names]
    graph = helper.make_graph(nodes, "g" * (1 + padding), [rows], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


@pytest.mark.parametrize("padding", range(4))
def test_a_session_finds_the_same_whether_weights_are_aligned_or_not(tmp_path, padding):
    model, options = tmp_path / "model.onnx", onnxruntime.SessionOptions()
    write(model, TABLES, padding)
    kept = leave_in_file(model, options)
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    rows = np.array([0, 3, 1])
    found = dict(zip([output.name for output in session.get_outputs()], session.run(None, {"rows": rows}), strict=True))
    assert all(np.array_equal(found[f"{name}.rows"], table[rows]) for name, table in TABLES.items())
    mapped = [values for values, _ in kept]
    assert any(np.array_equal(values, TABLES["bytes"]) for values in mapped)
    assert all(one.flags.aligned and not one.flags.owndata and one.nbytes > 8_000_000 for one in mapped)


def test_only_where_they_are_aligned_weights_stay(tmp_path):
    kept = []
    for padding in range(4):
        write(tmp_path / "model.onnx", ["floats"], padding)
        kept.append(len(leave_in_file(tmp_path / "model.onnx", onnxruntime.SessionOptions())))
    assert sorted(kept) == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "data", [b"", b"\x3a\xff\xff\xff\x7fxx", b"\x80", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_what_is_no_model_is_left_to_onnx_runtime(tmp_path, data):
    file, options = tmp_path / "model.onnx", onnxruntime.SessionOptions()
    file.write_bytes(data)
    assert leave_in_file(file, options) == []
    with pytest.raises(Exception, match=r"model\.onnx"):
        onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
