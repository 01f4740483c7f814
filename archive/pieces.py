"""The pieces of a Unigram tokenizer.json, compiled once so that SentencePiece reads them.

Hugging Face's tokenizers takes most of a second to read 250,000 pieces, while all of Python stands still, and 290 MB to
hold them. SentencePiece takes 0.4 s without Python's lock and 60 MB, and cuts a text into the same pieces in a third of
the time. What it is given is normalized as the tokenizer.json says, by the library that this file is made for.

Where two ways to cut a word are equally likely ("...." in two), they may differ, since SentencePiece adds up floats of
single precision: in 1 of 17,811 passages of news. Word by word the sums are small; of whole passages 4 differed.
"""

import base64
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sentencepiece import SentencePieceProcessor
from tokenizers import Regex, normalizers

from archive.errors import ModelError
from archive.fetching import sha256_of

COMPILED = "tokenizer.npz"  # beside the tokenizer.json that it was made of

_SPACE = "▁"  # what stands for a blank in pieces
_BLANKS = " {2,}"
_WORD = re.compile(f"[ {_SPACE}]?[^ {_SPACE}]+|[ {_SPACE}]")

Text = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The tokens of a text or a pair, what stands around them too."""

    ids: list[int]

    @property
    def type_ids(self) -> list[int]:
        """All of one type: this kind of model has no other."""
        return [0] * len(self.ids)


def compile_tokenizer(tokenizer: Path, target: Path) -> None:
    """Write what PieceVocabulary reads. Raises ModelError for a tokenizer.json of another kind than XLM-RoBERTa's."""
    read = json.loads(tokenizer.read_text(encoding="utf-8"))
    try:
        is_known = _is_of_this_kind(read)
    except (KeyError, TypeError, ValueError):  # what it says of itself is put together otherwise
        is_known = False
    if not is_known:
        raise ModelError(f"{tokenizer} can't be compiled: it is no tokenizer of XLM-RoBERTa's kind")
    added = {token["content"]: token["id"] for token in read["added_tokens"]}
    charsmap = base64.b64decode(read["normalizer"]["normalizers"][0]["precompiled_charsmap"])
    with target.open("wb") as file:
        np.savez(
            file, source=np.array(sha256_of(tokenizer)), charsmap=_as_array(charsmap),
            pieces=_as_array(_model_of(read["model"]["vocab"], read["model"]["unk_id"])),
            added=np.array(list(added)), ids=np.array(list(added.values())),
        )  # fmt: skip


def _as_array(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(data, np.uint8)


def _is_of_this_kind(read: Mapping[str, Any]) -> bool:
    """Whether all but the pieces is what PieceVocabulary does."""
    precompiled, *others = read["normalizer"]["normalizers"]
    blanks = {"type": "Replace", "pattern": {"Regex": _BLANKS}, "content": " "}
    split, ends = read["pre_tokenizer"], read["post_processor"]
    before, after, text = {"SpecialToken": "<s>"}, {"SpecialToken": "</s>"}, [{"Sequence": name} for name in "AB"]
    model = read["model"]
    return (
        precompiled["type"] == "Precompiled" and others == [blanks]
        and (split["type"], split["replacement"]) == ("Metaspace", _SPACE)
        and split.get("add_prefix_space", True) and split.get("prepend_scheme", "always") == "always"
        and split.get("split", True)
        and ends["type"] == "TemplateProcessing"
        and _template(ends["single"]) == [before, text[0], after]
        and _template(ends["pair"]) == [before, text[0], after, after, text[1], after]
        and model["type"] == "Unigram" and not model.get("byte_fallback")
        and all(_SPACE not in piece[1:] for piece, _ in model["vocab"])
        and all(token["special"] and not token["normalized"] and not token["single_word"] and not token["lstrip"]
                and not token["rstrip"] for token in read["added_tokens"])
        and {"<s>", "</s>"} <= {token["content"] for token in read["added_tokens"]}
    )  # fmt: skip


def _template(parts: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[dict[str, str]]:
    """What it puts together, without types of tokens, of which there is one."""
    return [{kind: str(part["id"]) for kind, part in one.items() if part["type_id"] == 0} for one in parts]


def _model_of(pieces: Sequence[tuple[str, float]], unknown: int) -> bytes:
    """SentencePiece's own format, without a normalization (source: sentencepiece_model.proto)."""
    format: Any = importlib.import_module("sentencepiece.sentencepiece_model_pb2")  # loads protobuf
    model, kinds = format.ModelProto(), format.ModelProto.SentencePiece
    for number, (piece, score) in enumerate(pieces):
        model.pieces.add(piece=piece, score=score, type=kinds.UNKNOWN if number == unknown else kinds.NORMAL)
    trained = model.trainer_spec
    trained.model_type, trained.vocab_size, trained.unk_id = format.TrainerSpec.UNIGRAM, len(pieces), unknown
    trained.bos_id = trained.eos_id = trained.pad_id = -1  # pieces like others: what stands around is put there here
    normalized = model.normalizer_spec
    normalized.name, normalized.escape_whitespaces = "identity", True
    normalized.add_dummy_prefix = normalized.remove_extra_whitespaces = False
    return bytes(model.SerializeToString())


def source_of(file: Path) -> str:
    """SHA-256 of the tokenizer.json that it was compiled of: the same for every model that has the same one."""
    with np.load(file) as held:
        return str(held["source"])


class PieceVocabulary:
    """A compiled tokenizer.json; safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        with np.load(file) as held:
            self._processor = SentencePieceProcessor()
            self._processor.LoadFromSerializedProto(held["pieces"].tobytes())
            charsmap = held["charsmap"].tobytes()
            self._added = dict(zip(held["added"].tolist(), held["ids"].tolist(), strict=True))
        blanks = normalizers.Replace(Regex(_BLANKS), " ")
        self._normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap), blanks])
        self._special = re.compile(f"({'|'.join(map(re.escape, self._added))})")

    def cutting_after(self, limit: int) -> "PieceCutter":
        """A tokenizer that cuts texts after so many tokens."""
        return PieceCutter(self, limit)

    @property
    def ends(self) -> tuple[int, int]:
        """The tokens before and after a text."""
        return self._added["<s>"], self._added["</s>"]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, without what stands around it."""
        if any(map(self._special.search, texts)):
            return [self._parted(text) for text in texts]
        return self._plain(texts)

    def _plain(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._cut(_WORD.findall(self._normalized(text))) for text in texts]

    def _cut(self, words: list[str]) -> list[int]:
        return [token for pieces in self._processor.encode(words, num_threads=1) for token in pieces]

    def _parted(self, text: str) -> list[int]:
        """With the special tokens that are written out in it, each of which parts it."""
        parts = self._special.split(text)
        tokens = self._plain(parts[0::2])
        for part, special in zip(tokens, parts[1::2], strict=False):
            part.append(self._added[special])
        return [token for part in tokens for token in part]

    def _normalized(self, text: str) -> str:
        normalized: str = self._normalizer.normalize_str(text)
        return normalized if not normalized or normalized.startswith((" ", _SPACE)) else f" {normalized}"


class PieceCutter:
    """Cuts texts after `limit` tokens."""

    def __init__(self, vocabulary: PieceVocabulary, limit: int) -> None:
        self._vocabulary, self._limit = vocabulary, limit

    def encode(self, texts: Sequence[Text]) -> list[Pieces]:
        """`<s> text </s>` of each, or `<s> first </s></s> second </s>` of a pair."""
        parts = iter(self._vocabulary.ids([part for text in texts for part in _parts(text)]))
        begin, end = self._vocabulary.ends
        found = []
        for text in texts:
            first = next(parts)
            if isinstance(text, str):
                found.append(Pieces([begin, *first[: self._limit - 2], end]))
            else:
                first, second = _fitted(first, next(parts), self._limit - 4)
                found.append(Pieces([begin, *first, end, end, *second, end]))
        return found


def _parts(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _fitted(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """Both within `room` tokens, the longer one cut first, as tokenizers does it (truncation `longest_first`)."""
    if len(first) + len(second) <= room:
        return first, second
    shorter = min(len(first), len(second))
    longer = room - shorter
    if longer < shorter:
        shorter, longer = room // 2, room - room // 2
    kept = (shorter, longer) if len(first) <= len(second) else (longer, shorter)
    return first[: kept[0]], second[: kept[1]]
