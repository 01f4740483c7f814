"""Tokenizers of model folders: a vocabulary is read once, and cuts texts for each model after its own number of tokens.

One of 250,000 words takes 60 MB where the model store has compiled it (pieces.py), and 290 MB otherwise.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from tokenizers import Tokenizer

from archive.fetching import sha256_of
from archive.pieces import COMPILED, PieceVocabulary, Text, source_of


class Tokens(Protocol):
    """The tokens of a text or a pair, with what the model wants around them."""

    @property
    def ids(self) -> list[int]:
        """Their numbers in the vocabulary."""

    @property
    def type_ids(self) -> list[int]:
        """Which text of a pair each belongs to, for models that are told."""


class Cutter(Protocol):
    """What an encoder needs of a tokenizer; safe to use from several threads."""

    def encode(self, texts: Sequence[Text]) -> Sequence[Tokens]:
        """The tokens of each text or pair, in their order."""


class Vocabulary(Protocol):
    """What models share that have the same words."""

    def cutting_after(self, limit: int) -> Cutter:
        """A tokenizer that cuts texts after so many tokens. It keeps the vocabulary for others."""


class JsonVocabulary:
    """A tokenizer.json of any kind."""

    def __init__(self, file: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(file))

    def cutting_after(self, limit: int) -> Cutter:
        """See Vocabulary."""
        return _JsonCutter(self, limit)


class _JsonCutter:
    def __init__(self, vocabulary: JsonVocabulary, limit: int) -> None:
        self._vocabulary = vocabulary  # kept, so that another model finds it
        read = vocabulary.tokenizer
        tokenizer = Tokenizer(read.model)  # its words are those of the vocabulary
        if read.normalizer is not None:
            tokenizer.normalizer = read.normalizer
        if read.pre_tokenizer is not None:
            tokenizer.pre_tokenizer = read.pre_tokenizer
        if read.post_processor is not None:
            tokenizer.post_processor = read.post_processor
        for _, token in sorted(read.get_added_tokens_decoder().items()):
            (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])
        tokenizer.enable_truncation(limit)
        self._tokenizer = tokenizer

    def encode(self, texts: Sequence[Text]) -> Sequence[Tokens]:
        return self._tokenizer.encode_batch(list(texts))


_known: WeakValueDictionary[str, Vocabulary] = WeakValueDictionary()
_reading = threading.Lock()


def vocabulary_of(tokenizer: Path) -> Vocabulary:
    """Of a tokenizer.json, from what was compiled of it where that lies beside it; the same one while any is in use."""
    compiled = tokenizer.with_name(COMPILED)
    is_compiled = compiled.is_file()
    key = source_of(compiled) if is_compiled else sha256_of(tokenizer)
    with _reading:
        if (vocabulary := _known.get(key)) is None:
            vocabulary = PieceVocabulary(compiled) if is_compiled else JsonVocabulary(tokenizer)
            _known[key] = vocabulary
        return vocabulary
