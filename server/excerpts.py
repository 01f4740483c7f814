"""Excerpts: of the passages that were found, the sentences that matter for the question.

The time to the first word is the length of the prompt, so what can't bear on the answer stays out. A sentence matters
by its nearness to the question (the embedder's cosine) and by the words and figures that they share; it favours the
sentence after it, since news text explains itself forwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from archive.embedding import Embedder
from server.content import content, coverage
from server.events import Source
from server.sentences import sentences

_SHARED_WORDS = 0.06  # weight of shared words beside a cosine that seldom spreads over more than 0.1
_NEIGHBOUR = 0.02  # what a sentence gains by standing after one that matters
_LATER = 0.012  # what a sentence loses for each source that was found before its own
_GAP = " … "


@dataclass(frozen=True, slots=True)
class _Sentence:
    source: int
    position: int
    text: str


def excerpt(embedder: Embedder, question: str, sources: Sequence[Source], budget: int) -> tuple[Source, ...]:
    """The sources with their `excerpt` set: together about `budget` characters, at least one sentence each."""
    listed = [
        _Sentence(index, position, text)
        for index, source in enumerate(sources)
        for position, text in enumerate(sentences(source.passage))
    ]
    if sum(len(sentence.text) for sentence in listed) <= budget:
        return tuple(replace(source, excerpt=source.passage) for source in sources)
    chosen = _choose(listed, _scores(embedder, question, sources, listed), budget)
    return tuple(replace(source, excerpt=_join(index, chosen)) for index, source in enumerate(sources))


def _scores(embedder: Embedder, question: str, sources: Sequence[Source], listed: Sequence[_Sentence]) -> list[float]:
    query = embedder.embed_queries([question])[0]
    vectors = embedder.embed_passages([f"{sources[sentence.source].title}: {sentence.text}" for sentence in listed])
    asked = content(question)
    near = (vectors @ query).astype(np.float64)
    return [
        float(cosine) + _SHARED_WORDS * coverage(asked, content(sentence.text)) - _LATER * sentence.source
        for cosine, sentence in zip(near, listed, strict=True)
    ]


def _choose(listed: Sequence[_Sentence], scores: Sequence[float], budget: int) -> set[_Sentence]:
    """The best sentence of every source first, then the best of all until the budget is full."""
    score = dict(zip(listed, scores, strict=True))
    best = {
        index: max((sentence for sentence in listed if sentence.source == index), key=score.__getitem__)
        for index in {sentence.source for sentence in listed}
    }
    chosen = _with_following(listed, [best[index] for index in sorted(best)], budget)
    left = budget - sum(len(sentence.text) for sentence in chosen)
    while True:
        after = {(sentence.source, sentence.position + 1) for sentence in chosen}
        fitting = [sentence for sentence in listed if sentence not in chosen and len(sentence.text) <= left]
        if not fitting:
            return chosen
        worth = {s: score[s] + (_NEIGHBOUR if (s.source, s.position) in after else 0.0) for s in fitting}
        taken = max(fitting, key=worth.__getitem__)
        chosen.add(taken)
        left -= len(taken.text)


def _with_following(listed: Sequence[_Sentence], best: Sequence[_Sentence], budget: int) -> set[_Sentence]:
    """The best sentences, and what comes after each: it explains them, and seldom looks like the question itself."""
    at = {(sentence.source, sentence.position): sentence for sentence in listed}
    chosen = set(best)
    left = budget - sum(len(sentence.text) for sentence in chosen)
    for sentence in best:
        following = at.get((sentence.source, sentence.position + 1))
        if following and len(following.text) <= left:
            chosen.add(following)
            left -= len(following.text)
    return chosen


def _join(index: int, chosen: set[_Sentence]) -> str:
    in_order = sorted((s for s in chosen if s.source == index), key=lambda sentence: sentence.position)
    text = ""
    for before, sentence in zip([None, *in_order], in_order, strict=False):
        gap = "" if before is None else " " if sentence.position == before.position + 1 else _GAP
        text += gap + sentence.text
    return text
