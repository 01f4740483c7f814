"""Texts, or pairs of texts, through an ONNX encoder with its tokenizer.json, in batches of like length."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from archive.errors import ModelError

MAX_TOKENS = 512  # longer texts are cut
BATCH_TOKENS = 1024  # padding included; more gains nothing on CPU and costs memory
PADDING_TOKENS = ("<pad>", "[PAD]")

Text = str | tuple[str, str]
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
    """One ONNX session and its tokenizer; safe to call from several threads."""

    def __init__(self, model: Path, tokenizer: Path, *, threads: int = 0) -> None:
        """`threads` 0 takes all cores. Raises ModelError where a file can't be loaded."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors only
        # The generator works on the same cores: threads that spin while they wait would take them from it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # both libraries raise plain exceptions of many kinds
            raise ModelError(f"can't load {model}: {error}; pull the model again or name another") from error
        self.inputs = {item.name for item in self._session.get_inputs()}
        self.outputs = {item.name: item.shape for item in self._session.get_outputs()}
        padding = self._tokenizer.padding
        known = (self._tokenizer.token_to_id(token) for token in PADDING_TOKENS)
        self._padding = padding["pad_id"] if padding else next((token for token in known if token is not None), 0)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_length_limit(tokenizer.parent))

    def run(self, texts: Sequence[Text], output: str) -> Iterator[Batch]:
        """Yield (places in `texts`, the named output for them, their attention mask), shortest texts first."""
        encodings = self._tokenizer.encode_batch(list(texts))
        order = np.argsort([len(encoding.ids) for encoding in encodings], kind="stable")
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and (end + 1 - start) * len(encodings[order[end]].ids) <= BATCH_TOKENS:
                end += 1
            places = order[start:end]
            feed = self._feed([encodings[place] for place in places])
            yield places, self._session.run([output], feed)[0], feed["attention_mask"]
            start = end

    def _feed(self, batch: Sequence[Encoding]) -> dict[str, NDArray[np.int64]]:
        shape = len(batch), max(len(encoding.ids) for encoding in batch)
        ids, mask, types = np.full(shape, self._padding, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, encoding in enumerate(batch):
            length = len(encoding.ids)
            ids[row, :length], mask[row, :length], types[row, :length] = encoding.ids, 1, encoding.type_ids
        feed = {"input_ids": ids, "attention_mask": mask}
        return feed | {"token_type_ids": types} if "token_type_ids" in self.inputs else feed
