"""Train a cross-encoder: the lower layers of the embedder read question and passage together and give one logit.

Loss: softmax over one positive and its negatives (source: Gao et al., Localized Contrastive Estimation, 2021), plus a
binary one that keeps logits of different questions comparable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archive.encoder_graph import BertShape
from training.encoder import PairTokenizer, bert, padded
from training.examples import Judged

if TYPE_CHECKING:
    import torch

Weights = dict[str, NDArray[np.float32]]
Report = Callable[[int, int, float], None]  # (step, steps, loss)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. Rates are AdamW's; `longest` counts tokens of question and passage together.

    A step takes as many groups (one positive, `negatives` negatives) as have `batch_tokens` tokens.
    """

    layers: int = 6
    longest: int = 224
    negatives: int = 5
    hard: int = 15
    epochs: int = 2
    batch_tokens: int = 8192
    part_tokens: int = 3072
    rate: float = 1e-4
    head_rate: float = 5e-4
    warmup: float = 0.08
    binary: float = 0.3
    seed: int = 13


@dataclass(frozen=True, slots=True)
class Group:
    """Token ids of the pairs of one question; the first pair is the positive one."""

    pairs: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """With padding."""
        return len(self.pairs) * max(map(len, self.pairs))


def groups_of(judged: Sequence[Judged], tokenizer: PairTokenizer, recipe: Recipe, epoch: int) -> Iterator[Group]:
    """One group for each question, in a random order, with negatives drawn anew in every epoch.

    They come from the first `hard` of the list, since what lies deeper teaches little.
    """
    chance = random.Random(f"{recipe.seed} {epoch}")
    order = list(judged)
    chance.shuffle(order)
    for one in order:
        negatives = one.negatives[: recipe.hard]
        chosen = chance.sample(negatives, min(recipe.negatives, len(negatives)))
        texts = [(one.query, candidate.text) for candidate in (one.positive, *chosen)]
        yield Group(tuple(map(tuple, tokenizer.encode(texts))))


def batches_of(groups: Iterator[Group], budget: int) -> Iterator[list[Group]]:
    """Groups of like length together, within windows, so that little is padding and the order stays random."""
    while window := list(islice(groups, 64)):
        window.sort(key=lambda group: max(map(len, group.pairs)))
        batches: list[list[Group]] = [[]]
        for group in window:
            if batches[-1] and sum(one.tokens for one in batches[-1]) + group.tokens > budget:
                batches.append([])
            batches[-1].append(group)
        random.Random(len(window) + window[0].tokens).shuffle(batches)
        yield from batches


class CrossEncoder:
    """The model while it is trained: a BERT of few layers with BERT's own head for classification."""

    def __init__(self, weights: Weights, shape: BertShape, recipe: Recipe) -> None:
        import torch

        torch.manual_seed(recipe.seed)
        self._torch = torch
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.encoder = bert(weights, shape, recipe.layers, pooler=True).to(self.device)
        self.classifier = torch.nn.Linear(self.encoder.config.hidden_size, 1).to(self.device)

    def logits(self, pairs: Sequence[Sequence[int]]) -> torch.Tensor:
        """Shape (pairs,), fp32."""
        ids, mask = padded(pairs)
        with self._torch.autocast(self.device, dtype=self._torch.bfloat16):
            output = self.encoder(input_ids=ids.to(self.device), attention_mask=mask.to(self.device))
            logits = self.classifier(output.pooler_output)
        return logits.float().squeeze(1)

    def parameters(self, recipe: Recipe) -> list[dict[str, object]]:
        """What is trained, by learning rate: the layers, and the head, which begins from nothing."""
        layers = [one for one in self.encoder.encoder.parameters() if one.requires_grad]
        head = [*self.encoder.pooler.parameters(), *self.classifier.parameters()]
        return [{"params": layers, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}]

    def weights(self) -> Weights:
        """What was trained, fp32, by the names that encoder_graph() takes."""
        state = {name: value for name, value in self.encoder.state_dict().items() if not name.startswith("embeddings")}
        state |= {f"classifier.{name}": value for name, value in self.classifier.state_dict().items()}
        return {name: value.detach().float().cpu().numpy() for name, value in state.items()}


def train(
    weights: Weights, shape: BertShape, tokenizer: Path, judged: Sequence[Judged], recipe: Recipe,
    report: Report, keep: Callable[[Weights], None],
) -> Weights:  # fmt: skip
    """The trained weights. `keep` gets them after every epoch too, so that an interrupted run is not lost."""
    import torch

    encode = PairTokenizer(tokenizer, recipe.longest)
    model = CrossEncoder(weights, shape, recipe)
    epochs = [
        list(batches_of(groups_of(judged, encode, recipe, epoch), recipe.batch_tokens))
        for epoch in range(recipe.epochs)
    ]
    steps, step = sum(map(len, epochs)), 0
    optimizer = torch.optim.AdamW(model.parameters(recipe), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: rate_at(at / steps, recipe.warmup))
    model.encoder.train()
    for batches in epochs:
        for batch in batches:
            loss = backward(model, batch, recipe)
            torch.nn.utils.clip_grad_norm_([one for group in optimizer.param_groups for one in group["params"]], 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            step += 1
            report(step, steps, loss)
        keep(model.weights())
    return model.weights()


def rate_at(progress: float, warmup: float) -> float:
    """Share of the full learning rate at 0 to 1 of the way: up in a line, then down in a line to nothing."""
    return min(progress / warmup, (1 - progress) / (1 - warmup)) if progress < 1 else 0.0


def backward(model: CrossEncoder, batch: Sequence[Group], recipe: Recipe) -> float:
    """Add up the gradients of a batch, part by part: small parts stay in the CPU's caches. Returns the mean loss."""
    total = 0.0
    for part in parts_of(batch, recipe.part_tokens):
        loss = loss_of(model, part, recipe.binary) * (len(part) / len(batch))
        loss.backward()
        total += float(loss.detach())
    return total


def parts_of(batch: Sequence[Group], budget: int) -> Iterator[list[Group]]:
    """The groups in their order, in parts of at most `budget` tokens, or one group."""
    part: list[Group] = []
    for group in batch:
        if part and sum(one.tokens for one in part) + group.tokens > budget:
            yield part
            part = []
        part.append(group)
    if part:
        yield part


def loss_of(model: CrossEncoder, batch: Sequence[Group], binary: float) -> torch.Tensor:
    """Mean over the groups of softmax loss plus `binary` times binary loss."""
    import torch
    from torch.nn import functional

    logits = model.logits([pair for group in batch for pair in group.pairs])
    parts = torch.split(logits, [len(group.pairs) for group in batch])
    zero = torch.zeros(1, dtype=torch.long, device=logits.device)
    listwise = torch.stack([functional.cross_entropy(part[None], zero) for part in parts]).mean()
    labels = torch.cat([torch.eye(1, len(part), device=logits.device)[0] for part in parts])
    return listwise + binary * functional.binary_cross_entropy_with_logits(logits, labels)
