"""Retrieval: dense and word search side by side, fused, reranked, one place for each report. Blocking.

The chat calls it in a thread.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archive.archive import Archive
from archive.articles import Hit, Passage, Period
from archive.index import Found, Index
from archive.links import Links
from archive.queries import WordQuery, parse_query
from server.conjuncts import Conjunct, told_apart
from server.fusion import fuse, weights_for
from server.merging import blend, interleave, named_first
from server.periods import Leaning, wider
from server.reranking import Reranker, rerank
from server.stories import collapse, compared, distinct, lean
from server.timings import Timings
from server.understanding import Question

Vectors = NDArray[np.float32]

PATIENCE = 0.15  # seconds that a question waits to see what was ingested since the last one


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched.

    `variants` say the same as `query` otherwise, and count as much as it does, all together. `parts` are questions
    within the question: each is searched on its own, and its best articles have a right to places; so are the
    `conjuncts`, where different articles tell of them. Quoted phrases and minus words of `query` hold for all.
    `leaning` lifts the newer or the older hits. `rerank`: whether the reranker reads what was found, where there is
    one; without it a search takes a tenth of the time.
    """

    query: str
    period: Period | None = None
    leaning: Leaning | None = None
    variants: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    conjuncts: tuple[Conjunct, ...] = ()
    rerank: bool = True


def search_for(question: Question, period: Period | None = None) -> Search:
    """What is searched for a question as it was understood; `period` goes before the one that was read out of it."""
    return Search(
        question.search, period or question.published, question.leaning,
        question.variants, question.parts, question.conjuncts,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Hits, best first, and the period that they lie in; `loosened` where the asked period held nothing.

    Hits of one article stand together, its best passage first. `embedder` is the name of the one whose cosines they
    carry. `apart` are the questions of the conjuncts that were searched each on its own.
    """

    hits: tuple[Hit, ...]
    embedder: str
    period: Period | None = None
    loosened: bool = False
    apart: tuple[str, ...] = ()


def as_searched(question: Question, found: Retrieved) -> Question:
    """The question with the parts that the archive made of it, where it made two of one."""
    return replace(question, parts=found.apart) if found.apart else question


class Retriever:
    """Finds passages in one archive. `reranker` is the one that reads what was found, None for none."""

    def __init__(self, archive: Archive, reranker: Reranker | None, candidates: int, reranked: int = 30) -> None:
        """`candidates` passages come from each of the two searches; the reranker reads the best `reranked` of both."""
        self._archive = archive
        self.reranker = reranker
        self._candidates = candidates
        self._reranked = reranked

    def retrieve(self, search: Search, top_k: int, timings: Timings) -> Retrieved:
        """The passages of the best `top_k` articles within the period; where it holds none, of a wider one."""
        self._archive.refresh(PATIENCE)
        found = self._retrieve(search, top_k, timings)
        if search.parts or not told_apart(search.conjuncts, found.hits):
            return found
        parts = tuple(one.question for one in search.conjuncts)
        return replace(self._retrieve(replace(search, parts=parts), top_k, timings), apart=parts)

    def _retrieve(self, search: Search, top_k: int, timings: Timings) -> Retrieved:
        served = self._archive.served  # once: a query's vector must not meet another embedder's index
        queries = [parse_query(query) for query in (search.query, *search.variants, *search.parts)]
        asked = [query.plain or "-" for query in queries]
        with timings.stage("embed"):
            vectors = served.embedder.embed_queries(asked)
        used, lists = self._search(served.index, search, queries, vectors, max(self._candidates, top_k), timings)
        # A reranker reads one question. A follow-up is searched as two, and the parts of a question are no whole ones:
        # with these it goes for what resembles them.
        if (reranker := self.reranker) is not None and search.rerank and len(queries) == 1:
            with timings.stage("rerank"):
                lists = [rerank(reranker, asked[0], lists[0][: max(self._reranked, top_k)])]
        with timings.stage("order"):
            # Parts have taken turns already; to order them by date would mix their scores.
            hits = self._ordered(served.index, interleave(lists), None if search.parts else search.leaning)
            if len(search.parts) == 1:  # the bare words of a question that asks for a list
                hits = named_first(search.query, hits)
        return Retrieved(distinct(hits, top_k), served.embedder.name, used, loosened=used != search.period)

    def _search(
        self,
        index: Index,
        search: Search,
        queries: Sequence[WordQuery],
        vectors: Vectors,
        limit: int,
        timings: Timings,
    ) -> tuple[Period | None, list[list[Hit]]]:
        """The period that was used, and the fused hits of the whole question and of each of its parts."""
        alike = 1 + len(search.variants)
        period, lists = search.period, list[list[Hit]]()
        for period, tried in _attempts(search.period, queries):
            with timings.stage("search"):
                found = [
                    _lists(index, query, vector, limit, period) for query, vector in zip(tried, vectors, strict=True)
                ]
            with timings.stage("fuse"):
                most = None if search.variants else limit  # variants are blended to their ends
                fused = [self._fused(each, tried[0], limit, most) for each in found[:alike]]
                parts = [self._fused(each, tried[0], limit, limit) for each in found[alike:]]
                lists = [blend(fused)[:limit], *parts]
            if any(lists):
                break
        return period, lists

    def _fused(self, lists: dict[str, Found], query: WordQuery, asked: int, most: int | None) -> list[Hit]:
        """The best `most` (None: all) that the ledger holds and the query allows; no more are read than it takes.

        Each list was `asked` for so many passages.
        """
        by_stage = {stage: dict(found) for stage, found in lists.items()}
        whole = ["words"] if len(by_stage["words"]) < asked else []
        order, hits = fuse(by_stage, weights_for(query.plain), whole), list[Hit]()
        step = most or max(len(order), 1)
        for start in range(0, len(order), step):
            part = order[start : start + step]
            passages = self._archive.ledger.passages(passage_id for passage_id, _ in part)
            # An index may lag behind the ledger for a moment.
            held = [(passages[passage_id], score) for passage_id, score in part if passage_id in passages]
            allowed = ((passage, score) for passage, score in held if query.allows(passage.title, passage.text))
            hits += [_hit(passage, score, by_stage) for passage, score in allowed]
            if len(hits) >= step:
                break
        return hits[:most]

    def _ordered(self, index: Index, hits: Sequence[Hit], leaning: Leaning | None) -> tuple[Hit, ...]:
        """Leaning to newer or older, and near-identical reports behind the rest."""
        ordered = lean(hits, leaning)
        wanted = compared(ordered)
        vectors = index.vectors_of(wanted)
        if len(vectors) < len(wanted):  # a writer is replacing one just now
            return ordered
        links = Links(self._archive.ledger).among(hit.passage.article_id for hit in ordered)
        return collapse(ordered, vectors, links)


def _attempts(
    period: Period | None, queries: Sequence[WordQuery]
) -> Iterator[tuple[Period | None, Sequence[WordQuery]]]:
    """The period, then wider ones; at last without the phrases, which may be spelled otherwise in the archive."""
    unquoted = [replace(query, phrases=()) for query in queries]
    for tried in [queries, unquoted] if any(query.phrases for query in queries) else [queries]:
        yield period, tried
        if period is not None:
            yield from ((wide, tried) for wide in wider(period))


def _lists(index: Index, query: WordQuery, vector: Vectors, limit: int, period: Period | None) -> dict[str, Found]:
    return {"words": index.search_words(query, limit, period), "dense": index.search_dense(vector, limit, period)}


def _hit(passage: Passage, score: float, by_stage: dict[str, dict[str, float]]) -> Hit:
    stages = {stage: scores[passage.id] for stage, scores in by_stage.items() if passage.id in scores}
    return Hit(passage, score, {**stages, "fused": score})
