"""Large weights of an ONNX file, left in the file: only the pages that are read take memory, and processes share them.

A word table has a row for each of 250,000 words, 60 MB, and a thousand questions read a few megabytes of it.
"""

import mmap
from collections.abc import Iterator
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import OrtValue, SessionOptions

_LARGE = 8_000_000  # bytes
# Fields of onnx.proto (github.com/onnx/onnx/blob/main/onnx/onnx.proto): a model's graph, a graph's weights, a weight's.
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_TYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 2: np.dtype("u1"), 3: np.dtype("i1")}  # by TensorProto.DataType

Kept = tuple[NDArray[Any], OrtValue]
Span = tuple[int, int]  # first byte, and the one behind the last


def leave_in_file(model: Path, options: SessionOptions) -> list[Kept]:
    """Have a session of `model` with these options read its large weights where they are in the file.

    Returns them, to be kept as long as the session is, which reads freed memory otherwise. What isn't aligned in the
    file is left to ONNX Runtime, and so is a damaged file: it tells what is wrong.
    """
    kept: list[Kept] = []
    with suppress(ValueError, IndexError, KeyError), model.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        for name, values in _large_weights(data):
            value = OrtValue.ortvalue_from_numpy(values)
            options.add_initializer(name, value)
            kept.append((values, value))
    return kept


def _large_weights(data: mmap.mmap) -> Iterator[tuple[str, NDArray[Any]]]:
    for graph in (span for number, span in _fields(data, (0, len(data))) if number == _GRAPH):
        for number, span in _fields(data, graph):
            if number == _INITIALIZER and span[1] - span[0] > _LARGE:
                yield from _weight(data, span)


def _weight(data: mmap.mmap, span: Span) -> Iterator[tuple[str, NDArray[Any]]]:
    """Its name and values, where they can be read as they lie."""
    found = list(_fields(data, span))
    once = dict(found)
    kind, dims = _TYPES.get(once[_TYPE][0]), [first for number, (first, _) in found if number == _DIMS]
    start, end = once.get(_RAW, (0, 0))
    if kind and start % kind.itemsize == 0 and prod(dims) * kind.itemsize == end - start:
        values = np.frombuffer(data, kind, prod(dims), start).reshape(dims)
        yield data[slice(*once[_NAME])].decode(), values


def _fields(data: mmap.mmap, span: Span) -> Iterator[tuple[int, Span]]:
    """Number and span of each field of a message; a whole number is given twice in place of a span.

    Source: protobuf.dev/programming-guides/encoding.
    """
    place, end = span
    while place < end:
        key, place = _varint(data, place)
        if key & 7 == 0:
            value, place = _varint(data, place)
            yield key >> 3, (value, value)
            continue
        length = {1: 8, 5: 4}.get(key & 7)
        if length is None:
            length, place = _varint(data, place)
        if place + length > end:
            raise ValueError("a field goes beyond its message")
        yield key >> 3, (place, place + length)
        place += length


def _varint(data: mmap.mmap, place: int) -> tuple[int, int]:
    """A whole number in 7 bits a byte, lowest first, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
