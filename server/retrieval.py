"""Retrieval: dense and word search side by side, fused, reranked. Blocking; the chat calls it in a thread."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archive.archive import Archive
from archive.articles import Hit, Passage, Period
from archive.index import Found
from server.fusion import fuse
from server.reranking import Reranker
from server.timings import Timings


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Hits, best first, and the period that they lie in; `loosened` where the asked period held nothing."""

    hits: tuple[Hit, ...]
    period: Period | None = None
    loosened: bool = False


class Retriever:
    """Finds passages in one archive."""

    def __init__(self, archive: Archive, reranker: Reranker | None, candidates: int) -> None:
        self._archive = archive
        self._reranker = reranker
        self._candidates = candidates

    def retrieve(self, query: str, period: Period | None, top_k: int, timings: Timings) -> Retrieved:
        """The best `top_k` passages within `period`; where it holds none, of all time, marked as loosened."""
        self._archive.refresh()
        with timings.stage("embed"):
            vector = self._archive.embedder.embed_queries([query])[0]
        limit = max(self._candidates, top_k)
        used = period
        with timings.stage("search"):
            lists = self._search(query, vector, limit, used)
            if period is not None and not any(lists.values()):
                used = None
                lists = self._search(query, vector, limit, None)
        with timings.stage("fuse"):
            hits = self._fused(lists)[:limit]
        if self._reranker is not None:
            with timings.stage("rerank"):
                hits = rerank(self._reranker, query, hits)
        return Retrieved(tuple(hits[:top_k]), used, loosened=period is not None and used is None)

    def _search(self, query: str, vector: NDArray[np.float32], limit: int, period: Period | None) -> dict[str, Found]:
        index = self._archive.index
        return {"words": index.search_words(query, limit, period), "dense": index.search_dense(vector, limit, period)}

    def _fused(self, lists: dict[str, Found]) -> list[Hit]:
        by_stage = {stage: dict(found) for stage, found in lists.items()}
        order = fuse(by_stage)
        passages = self._archive.ledger.passages(passage_id for passage_id, _ in order)
        return [
            _hit(passages[passage_id], score, by_stage)
            for passage_id, score in order
            if passage_id in passages  # an index may lag behind the ledger for a moment
        ]


def _hit(passage: Passage, score: float, by_stage: dict[str, dict[str, float]]) -> Hit:
    stages = {stage: scores[passage.id] for stage, scores in by_stage.items() if passage.id in scores}
    return Hit(passage, score, {**stages, "fused": score})


def rerank(reranker: Reranker, query: str, hits: list[Hit]) -> list[Hit]:
    """The hits in the order of the cross-encoder's scores."""
    scores = reranker.score(query, [hit.passage.embedded_text for hit in hits])
    scored = [
        replace(hit, score=score, scores={**hit.scores, "reranked": score})
        for hit, score in zip(hits, map(float, scores), strict=True)
    ]
    return sorted(scored, key=lambda hit: -hit.score)
