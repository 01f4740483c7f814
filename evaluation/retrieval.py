"""Retrieval by stage on a benchmark: vectors, words, what the server makes of both, and what its reranker adds.

Questions are searched as they are, without reading a time or a talk out of them: a benchmark's documents are undated.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

from archive.archive import Archive
from archive.index import Found
from evaluation.beir import Benchmark
from evaluation.measures import percentiles, ranking_measures
from server.reranking import Reranker
from server.retrieval import Retriever
from server.timings import Timings

DEPTH = 30  # passages of each list at least, since R@30 is asked for

Scored = list[tuple[str, float]]  # (passage id, score), best first


@dataclass(frozen=True, slots=True)
class Searched:
    """One query: its list and its milliseconds by stage (dense, words, fused and perhaps reranked).

    `dense` includes embedding the query, `fused` and `reranked` are the whole way to that stage.
    """

    query: str
    lists: Mapping[str, Scored]
    ms: Mapping[str, float]


class StageRunner:
    """Runs every stage of the server's retrieval for one query after the other."""

    def __init__(self, archive: Archive, reranker: Reranker | None, candidates: int) -> None:
        self._archive = archive
        self._depth = max(DEPTH, candidates)
        self._fused = Retriever(archive, None, candidates)
        self._reranked = Retriever(archive, reranker, candidates) if reranker else None

    def search(self, query_id: str, text: str) -> Searched:
        """All lists for one query."""
        stages: dict[str, Callable[[str], Found]] = {
            "dense": self._dense,
            "words": lambda query: self._archive.index.search_words(query, self._depth),
            "fused": lambda query: self._retrieved(self._fused, query),
        }
        if (reranked := self._reranked) is not None:
            stages["reranked"] = lambda query: self._retrieved(reranked, query)
        lists, ms = {}, {}
        for stage, search in stages.items():
            start = perf_counter()
            lists[stage] = search(text)
            ms[stage] = (perf_counter() - start) * 1000
        return Searched(query_id, lists, ms)

    def _dense(self, query: str) -> Found:
        vector = self._archive.embedder.embed_queries([query])[0]
        return self._archive.index.search_dense(vector, self._depth)

    def _retrieved(self, retriever: Retriever, query: str) -> Found:
        hits = retriever.retrieve(query, None, self._depth, Timings()).hits
        return [(hit.passage.id, hit.score) for hit in hits]


def search_all(
    runner: StageRunner, benchmark: Benchmark, on_progress: Callable[[int, int], None] | None = None
) -> list[Searched]:
    """Every query of the benchmark; one of them runs before the clock does, so that no model loads within it."""
    total = len(benchmark.queries)
    for query, text in list(benchmark.queries.items())[:1]:
        runner.search(query, text)
    searched = []
    for done, (query, text) in enumerate(benchmark.queries.items(), 1):
        searched.append(runner.search(query, text))
        if on_progress:
            on_progress(done, total)
    return searched


def measure(
    benchmark: Benchmark, searched: Iterable[Searched], documents: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """C4's object: measures and times by stage. `documents` is {article id: document id}, as add_corpus() gives it."""
    rankings: dict[str, dict[str, list[str]]] = {}
    times: dict[str, list[float]] = {}
    for one in searched:
        for stage, found in one.lists.items():
            rankings.setdefault(stage, {})[one.query] = ranked_documents(found, documents)
            times.setdefault(stage, []).append(one.ms[stage])
    return {
        stage: {**ranking_measures(benchmark.qrels, ranked), **percentiles(times[stage])}
        for stage, ranked in rankings.items()
    }


def ranked_documents(found: Iterable[tuple[str, float]], documents: Mapping[str, str]) -> list[str]:
    """Documents in the order of their best passage; articles outside the corpus keep their places."""
    articles = (passage_id.rpartition("#")[0] for passage_id, _ in found)
    return list(dict.fromkeys(documents.get(article, f"\0{article}") for article in articles))
