"""Texts, or pairs of texts, through an ONNX encoder with its tokenizer.json, on every core, without padding."""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from archive.errors import ModelError
from archive.mapped_weights import leave_in_file
from archive.pieces import Text
from archive.tokenizing import Tokens, vocabulary_of

MAX_TOKENS = 512  # longer texts are cut
BATCH_TOKENS = 512  # a larger batch is no quicker on CPU, and leaves cores idle at the end

Batch = tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.int64]]


def read_json(path: Path) -> dict[str, object]:
    """The object in a JSON file of a model folder; empty where there is none. Raises ModelError on a bad one."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is no JSON: {error}; pull the model again") from error
    return value if isinstance(value, dict) else {}


def _length_limit(folder: Path) -> int:
    limits = (
        read_json(folder / "sentence_bert_config.json").get("max_seq_length"),
        read_json(folder / "tokenizer_config.json").get("model_max_length"),
    )
    return min([MAX_TOKENS, *(int(limit) for limit in limits if isinstance(limit, int | float) and limit > 0)])


class OnnxEncoder:
    """One ONNX session and its tokenizer; safe to call from several threads.

    A batch holds texts of one length and belongs to one core. So nothing is computed for padding, attention needs no
    mask, and no core waits for another within a batch: where the generator works beside it, threads that share each
    product would wait at every one of a hundred of them.
    """

    def __init__(self, model: Path, tokenizer: Path, *, threads: int = 0) -> None:
        """`threads` 0 takes all cores. Raises ModelError where a file can't be loaded."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        limit = _length_limit(tokenizer.parent)
        try:
            mapped = leave_in_file(model, options)
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            self._mapped = mapped  # after the session, so that it goes after it
            self._cutter = vocabulary_of(tokenizer).cutting_after(limit)
        except Exception as error:  # both libraries raise plain exceptions of many kinds
            raise ModelError(f"can't load {model}: {error}; pull the model again or name another") from error
        self._pool = ThreadPoolExecutor(threads or os.cpu_count(), "encoder")  # a session runs without Python's lock
        self.inputs = {item.name for item in self._session.get_inputs()}
        self.outputs = {item.name: item.shape for item in self._session.get_outputs()}

    def run(self, texts: Sequence[Text], output: str) -> Iterator[Batch]:
        """Yield (places in `texts`, the named output for them, their attention mask, all ones), longest texts first."""
        encodings = self._cutter.encode(texts)

        def encode(places: NDArray[np.intp]) -> Batch:
            feed = self._feed([encodings[place] for place in places])
            return places, self._session.run([output], feed)[0], feed["attention_mask"]

        batches = list(_batches([len(encoding.ids) for encoding in encodings]))
        yield from self._pool.map(encode, batches) if len(batches) > 1 else map(encode, batches)

    def _feed(self, batch: Sequence[Tokens]) -> dict[str, NDArray[np.int64]]:
        ids = np.array([encoding.ids for encoding in batch], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if "token_type_ids" in self.inputs:
            feed["token_type_ids"] = np.array([encoding.type_ids for encoding in batch], np.int64)
        return feed


def _batches(lengths: Sequence[int]) -> Iterator[NDArray[np.intp]]:
    """Places of texts of one length, at most BATCH_TOKENS together; long ones first, so that cores end together."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    for length, places in groupby(order, key=lambda place: lengths[place]):
        alike, most = np.array(list(places)), max(1, BATCH_TOKENS // max(1, length))
        yield from np.split(alike, range(most, len(alike), most))
