"""Excerpts: of the passages that were found, the sentences that matter for the question.

The time to the first word is the length of the prompt, so what can't bear on the answer stays out, and a source none of
whose sentences gets in is left out whole: it would cost its title, and a small model takes its answer from there. A
sentence matters by its nearness to the question (the embedder's cosine), by the words and figures that they share, and
by bringing what the question expects; it favours the sentences beside it, since news text explains itself forwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archive.articles import Passage
from archive.embedding import Embedder
from server.content import content, coverage
from server.events import Source
from server.expectations import Expectation
from server.reranking import Reranker
from server.sentences import sentences
from server.sources import GAP

# Weights beside a cosine that seldom spreads over more than 0.1. Chosen on 147 questions whose answer stands in one of
# four articles: with 900 characters it stands in the excerpts of 93 of 100, with one sentence of each source 78. The
# best sentence is the answer's for 55 of 100, 52 without regard to what the question expects.
_SHARED_WORDS = 0.03
_EXPECTED = 0.03  # what a sentence gains by bringing an amount, a date or a name where the question asks for one
_AFTER, _BEFORE = 0.02, 0.01  # what a sentence gains by standing after or before one that matters
_LATER = 0.02  # what a sentence loses for each source that was found before its own
# Weight of a reranker's log-odds that a line answers, beside its relevance. Of 190 answers to questions that it didn't
# learn from 158 are right with it, 150 without; with any weight from 0.01 to 0.05 at least 157.
_JUDGED = 0.015
_HEAD = 25  # characters that letter and date of a source cost, about, beside its headline
_GAP = " … "


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a source, or its headline (`position` -1); `source` counts from 0 in the order of the sources.

    `relevance` is its nearness to the question: higher is nearer, comparable among the lines of one question.
    """

    source: int
    position: int
    text: str
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The sources that matter, numbered from 1, with their `excerpt` set, and its lines in reading order.

    Each source's lines begin with its headline.
    """

    sources: tuple[Source, ...]
    lines: tuple[Line, ...]


def excerpt(
    embedder: Embedder,
    question: str,
    sources: Sequence[Source],
    budget: int,
    expectation: Expectation | None = None,
    *,
    each: bool = False,
) -> Excerpt:
    """What matters of the sources: together about `budget` characters with what heads them.

    `each` keeps every source, with its best sentence at least: for a question that asks for several things.
    """
    listed = [
        Line(index, position, text)
        for index, source in enumerate(sources)
        for position, text in [(-1, source.title), *located(source.passage).items()]
        if position < 0 or text != source.title
    ]
    if not listed:
        return Excerpt((), ())
    scores = _scores(embedder, question, sources, listed)
    if expectation is not None and expectation.kind != "anything":
        scores += _EXPECTED * np.array([expectation.met(line.text) for line in listed])
    order = sorted(range(len(listed)), key=lambda at: -scores[at])
    best = {listed[at].source: at for at in reversed(order)}
    first = [best[index] for index in sorted(best)] if each else order[:1]
    taken = set(_choose(listed, scores, first, budget))
    kept = sorted({listed[at].source for at in taken})
    lines = tuple(
        replace(line, source=kept.index(line.source), relevance=float(scores[at]))
        for at, line in enumerate(listed)
        if at in taken or (line.position < 0 and line.source in kept)
    )
    chosen = tuple(
        replace(sources[index], number=number + 1, excerpt=_joined(number, lines)) for number, index in enumerate(kept)
    )
    return Excerpt(chosen, lines)


def judged(read: Excerpt, question: str, reranker: Reranker | None) -> Excerpt:
    """The excerpt with what a reranker says of each line in its relevance; of one that isn't calibrated, nothing.

    For one question that stands alone, and asks for more than the newest on a matter. A line is read under its
    headline, as `training.mining` has it.
    """
    if reranker is None or reranker.blend is None:
        return read
    told = []
    for line in read.lines:
        source = read.sources[line.source]
        told.append(Passage("", "", 0, line.text, source.title, source.published).embedded_text)
    logits = reranker.logits(question, told).tolist()
    lines = (
        replace(line, relevance=line.relevance + _JUDGED * logit)
        for line, logit in zip(read.lines, logits, strict=True)
    )
    return replace(read, lines=tuple(lines))


def located(passage: str) -> dict[int, str]:
    """The sentences of a source by their position, in order; positions that follow each other stand side by side."""
    found: dict[int, str] = {}
    for part in passage.split(GAP.strip()):
        start = max(found, default=-2) + 2  # what lies between two passages is unknown
        # Rows of a table are no sentences.
        found |= dict(enumerate((text for text in sentences(part) if text.count("|") < 2), start))
    return found


def _scores(
    embedder: Embedder, question: str, sources: Sequence[Source], listed: Sequence[Line]
) -> NDArray[np.float64]:
    query = embedder.embed_queries([question])[0]
    texts = [line.text if line.position < 0 else f"{sources[line.source].title}: {line.text}" for line in listed]
    vectors = embedder.embed_passages(texts)
    asked = content(question)
    shared = np.array([coverage(asked, content(line.text)) for line in listed])
    later = np.array([line.source for line in listed])
    return np.asarray((vectors @ query).astype(np.float64) + _SHARED_WORDS * shared - _LATER * later)


def _choose(listed: Sequence[Line], scores: NDArray[np.float64], first: Sequence[int], budget: int) -> list[int]:
    """Places of the lines that are taken: `first`, then the best of all until the budget is full."""
    # A headline is there with the first line of its source, and costs nothing more.
    costs = np.array([0 if line.position < 0 else len(line.text) for line in listed])
    headlines = {line.source: len(line.text) for line in listed if line.position < 0}
    heads = np.array([_HEAD + headlines[line.source] for line in listed])
    sources = np.array([line.source for line in listed])
    worth, taken, open_, left = scores.copy(), list[int](), np.ones(len(listed), bool), budget
    headed: set[int] = set()
    waiting = list(first)
    while True:
        whole = costs + np.where(np.isin(sources, list(headed)), 0, heads)
        if waiting:
            at = waiting.pop(0)
        else:
            fitting = np.flatnonzero(open_ & (whole <= left))
            if not len(fitting):
                return taken
            at = int(fitting[np.argmax(worth[fitting])])
        taken.append(at)
        open_[at] = False
        left -= int(whole[at])
        headed.add(listed[at].source)
        for beside, gain in ((at + 1, _AFTER), (at - 1, _BEFORE)):
            if 0 <= beside < len(listed) and listed[beside].source == listed[at].source:
                worth[beside] += gain


def _joined(source: int, lines: Sequence[Line]) -> str:
    """The sentences of one source as one text; the headline where there is nothing else."""
    own = [line for line in lines if line.source == source and line.position >= 0]
    text = ""
    for before, line in zip([None, *own], own, strict=False):
        gap = "" if before is None else " " if line.position == before.position + 1 else _GAP
        text += gap + line.text
    return text or next(line.text for line in lines if line.source == source)
