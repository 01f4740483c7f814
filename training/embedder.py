"""Fine-tune the embedder by contrast: a question is pulled to its passage, away from the batch's others and hard ones.

Loss: InfoNCE over the passages of the batch (source: Wang et al., Multilingual E5, 2024).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archive.encoder_graph import BertShape
from training.encoder import PairTokenizer, bert, padded
from training.examples import Judged
from training.reranker import Report, Weights, rate_at

if TYPE_CHECKING:
    import torch
    from transformers import BertModel

QUERY, PASSAGE = "query: ", "passage: "


@dataclass(frozen=True, slots=True)
class ContrastiveRecipe:
    """How to train. `batch` counts questions; `longest` tokens of a text."""

    longest: int = 224
    batch: int = 16
    hard: int = 1
    epochs: int = 1
    rate: float = 2e-5
    warmup: float = 0.1
    temperature: float = 0.02
    seed: int = 13


def train(
    weights: dict[str, NDArray[np.float32]], shape: BertShape, tokenizer: Path, judged: Sequence[Judged],
    recipe: ContrastiveRecipe, report: Report,
) -> Weights:  # fmt: skip
    """What was trained, by the names that encoder_graph() takes; the word table stays as it is."""
    import torch

    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = bert(weights, shape, shape.layers, pooler=False).to(device)
    embed = _embedding(model, PairTokenizer(tokenizer, recipe.longest), device)
    batches = [batch for epoch in range(recipe.epochs) for batch in batches_of(judged, recipe, epoch)]
    optimizer = torch.optim.AdamW(model.encoder.parameters(), lr=recipe.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: rate_at(at / len(batches), recipe.warmup))
    model.train()
    for step, batch in enumerate(batches, 1):
        loss = contrast(embed, batch, recipe)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        report(step, len(batches), float(loss.detach()))
    state = {name: value for name, value in model.state_dict().items() if name.startswith("encoder.")}
    return {name: value.detach().float().cpu().numpy() for name, value in state.items()}


def batches_of(judged: Sequence[Judged], recipe: ContrastiveRecipe, epoch: int) -> Iterator[list[Judged]]:
    """Batches in a random order, no two questions of one about the same article; a last one of one is dropped."""
    chance = random.Random(f"{recipe.seed} {epoch}")
    order = list(judged)
    chance.shuffle(order)
    batch: dict[str, Judged] = {}
    for one in order:
        batch.setdefault(one.group, one)
        if len(batch) == recipe.batch:
            yield list(batch.values())
            batch = {}
    if len(batch) > 1:
        yield list(batch.values())


def contrast(
    embed: Callable[[Sequence[str]], torch.Tensor], batch: Sequence[Judged], recipe: ContrastiveRecipe
) -> torch.Tensor:
    """InfoNCE: each question against all passages of the batch, its own first."""
    import torch
    from torch.nn import functional

    queries = embed([QUERY + one.query for one in batch])
    positives = [PASSAGE + one.positive.text for one in batch]
    hard = [PASSAGE + candidate.text for one in batch for candidate in one.negatives[: recipe.hard]]
    scores = queries @ embed([*positives, *hard]).T / recipe.temperature
    return functional.cross_entropy(scores, torch.arange(len(batch), device=scores.device))


def _embedding(model: BertModel, tokenizer: PairTokenizer, device: str) -> Callable[[Sequence[str]], torch.Tensor]:
    import torch

    def embed(texts: Sequence[str]) -> torch.Tensor:
        ids, mask = (tensor.to(device) for tensor in padded(tokenizer.encode(texts)))
        with torch.autocast(device, dtype=torch.bfloat16):
            tokens = model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].float()
        means = (tokens.float() * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(means, dim=1)

    return embed
