"""The embedder's weights as a torch model, and pairs of texts as batches for it. Needs the extra `torch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from archive.encoder_graph import BertShape
from archive.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import BertModel

PADDING = 1  # XLM-R's <pad>


def require_torch() -> None:
    """Raise ModelError with the mend where torch or transformers are not installed."""
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        raise ModelError("training needs torch; run `pip install -c constraints.txt torch -e '.[torch]'`")


def bert(weights: Mapping[str, NDArray[np.float32]], shape: BertShape, layers: int, *, pooler: bool) -> BertModel:
    """A BertModel of transformers with the first `layers` layers of `weights`; its embeddings are frozen.

    The lower layers of an encoder carry what a smaller one needs (source: Sajjad et al., Poor Man's BERT, 2020). No
    dropout: over two or three epochs it regularizes little, and without it training on CPU is a quarter faster.
    """
    import torch
    from transformers import BertConfig, BertModel

    words = weights["embeddings.word_embeddings.weight"]
    config = BertConfig(
        vocab_size=len(words), hidden_size=words.shape[1], num_hidden_layers=layers, num_attention_heads=shape.heads,
        intermediate_size=len(weights["encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(weights["embeddings.position_embeddings.weight"]),
        type_vocab_size=len(weights["embeddings.token_type_embeddings.weight"]), layer_norm_eps=shape.epsilon,
        pad_token_id=PADDING, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=pooler)
    kept = {name: torch.from_numpy(np.array(value)) for name, value in weights.items() if _kept(name, layers)}
    missing, unexpected = model.load_state_dict(kept, strict=False)
    if unexpected or any(not name.startswith("pooler") for name in missing):
        raise ModelError(f"the embedder's weights don't fit: {[*missing, *unexpected][:3]}; pull it again")
    for parameter in model.embeddings.parameters():
        parameter.requires_grad = False
    return model


def _kept(name: str, layers: int) -> bool:
    return not name.startswith("encoder.layer.") or int(name.split(".")[2]) < layers


class PairTokenizer:
    """Texts, or pairs of texts, as tensors. The second text is cut where both are longer than `longest` tokens."""

    def __init__(self, file: Path, longest: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(longest, strategy="longest_first")

    def encode(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> list[list[int]]:
        """Token ids of each text."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]


def padded(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """(ids, mask), int64 of shape (texts, longest)."""
    import torch

    longest = max(map(len, ids))
    batch = torch.full((len(ids), longest), PADDING, dtype=torch.long)
    mask = torch.zeros((len(ids), longest), dtype=torch.long)
    for row, tokens in enumerate(ids):
        batch[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return batch, mask
