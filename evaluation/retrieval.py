"""Retrieval by stage on a benchmark: vectors, words, what the server makes of both, and what its reranker adds.

Questions are searched as they are, without reading a time or a talk out of them: a benchmark's documents are undated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from archive.archive import Archive
from archive.index import Found
from evaluation.beir import Benchmark
from evaluation.measures import ranking_measures, summarize
from evaluation.runs import Listed, Result, best_of_each
from server.reranking import Reranker
from server.retrieval import Retriever, Search
from server.timings import Timings

DEPTH = 30  # articles of each list at least where the corpus has them, since R@30 is asked for
_DEEPEST = 480  # passages; an archive whose best so many lie in fewer than DEPTH articles is measured as far as it goes

Scored = list[tuple[str, float | None]]  # (passage id, score), best first
SearchStage = Callable[[str, int], Found]  # (query, passages wanted)


@dataclass(frozen=True, slots=True)
class Searched:
    """One query: its list and its milliseconds by stage (dense, words, fused and perhaps reranked).

    `dense` includes embedding the query, `fused` and `reranked` are the whole way to that stage. Times are those of the
    server's own depth; what was found only by searching deeper comes behind, without a score.
    """

    query: str
    lists: Mapping[str, Scored]
    ms: Mapping[str, float]


class StageRunner:
    """Runs every stage of the server's retrieval for one query after the other.

    Asking a Retriever for more than its `candidates`, or than what its reranker reads, would measure another server.
    """

    def __init__(self, archive: Archive, reranker: Reranker | None, candidates: int, reranked: int = DEPTH) -> None:
        self._archive = archive
        self._candidates = candidates
        self._read = min(candidates, reranked)
        self._fused = Retriever(archive, None, candidates)
        self._reranked = Retriever(archive, reranker, candidates, reranked) if reranker else None

    def search(self, query_id: str, text: str) -> Searched:
        """All lists for one query."""
        stages: dict[str, SearchStage] = {
            "dense": self._dense,
            "words": self._archive.index.search_words,
            "fused": lambda query, depth: self._retrieved(self._fused, query, depth),
        }
        if (reranked := self._reranked) is not None:
            stages["reranked"] = lambda query, depth: self._retrieved(reranked, query, min(depth, self._read))
        # Behind what was reranked comes what was only fused.
        deeper = {**stages, "reranked": stages["fused"]}
        lists, ms = {}, {}
        for stage, search in stages.items():
            start = perf_counter()
            found = search(text, self._candidates)
            ms[stage] = (perf_counter() - start) * 1000
            lists[stage] = self._deepened(found, deeper[stage], text)
        return Searched(query_id, lists, ms)

    def _deepened(self, found: Found, search: SearchStage, text: str) -> Scored:
        """The list, and behind it what deeper searches add, until it names DEPTH articles or nothing is added."""
        full: Scored = list(found)
        depth = self._candidates
        while len({_article(passage) for passage, _ in full}) < DEPTH and depth < _DEEPEST:
            depth *= 2
            held = {passage for passage, _ in full}
            added: Scored = [(passage, None) for passage, _ in search(text, depth) if passage not in held]
            if not added:
                break
            full += added
        return full

    def _dense(self, query: str, depth: int) -> Found:
        vector = self._archive.embedder.embed_queries([query])[0]
        return self._archive.index.search_dense(vector, depth)

    def _retrieved(self, retriever: Retriever, query: str, depth: int) -> Found:
        hits = retriever.retrieve(Search(query), depth, Timings()).hits
        return [(hit.passage.id, hit.score) for hit in hits]


def _article(passage_id: str) -> str:
    return passage_id.rpartition("#")[0]


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


def judge(benchmark: Benchmark, searched: Sequence[Searched], documents: Mapping[str, str]) -> list[Result]:
    """What every stage found for each query, as documents, and earned.

    `documents` is {article id: document id}, as add_corpus() gives it.
    """
    stages = list(searched[0].lists) if searched else []
    ranked = {stage: {one.query: ranked_documents(one.lists[stage], documents) for one in searched} for stage in stages}
    earned = {
        stage: ranking_measures(
            benchmark.qrels, {query: [document for document, _ in found] for query, found in lists.items()}
        )
        for stage, lists in ranked.items()
    }
    results = []
    for one in searched:
        gold = [document for document, relevance in benchmark.qrels[one.query].items() if relevance > 0]
        listed = {}
        for stage in stages:
            found = ranked[stage][one.query]
            places = {document: rank for rank, (document, _) in enumerate(found, 1)}
            listed[stage] = Listed(
                found=found[:DEPTH], ranks=[places.get(document) for document in gold],
                ms=one.ms[stage], scores=earned[stage][one.query],
            )  # fmt: skip
        text = benchmark.queries[one.query]
        results.append(Result(id=one.query, question=text, gold=[[document] for document in gold], stages=listed))
    return results


def rows_by_stage(results: Iterable[Result]) -> dict[str, list[dict[str, float]]]:
    """What every query earned, and its milliseconds, by stage."""
    rows: dict[str, list[dict[str, float]]] = {}
    for result in results:
        for stage, listed in result.stages.items():
            times = {} if listed.ms is None else {"ms": listed.ms}
            rows.setdefault(stage, []).append({**listed.scores, **times})
    return rows


def measure(results: Iterable[Result]) -> dict[str, dict[str, float]]:
    """C4's object: measures and times by stage."""
    summaries = {stage: summarize(rows) for stage, rows in rows_by_stage(results).items()}
    return {stage: {name: value for name, value in one.items() if name != "n"} for stage, one in summaries.items()}


def ranked_documents(
    found: Iterable[tuple[str, float | None]], documents: Mapping[str, str]
) -> list[tuple[str, float | None]]:
    """Documents with the score of their best passage, in its order; articles outside the corpus keep their places."""
    articles = ((_article(passage), score) for passage, score in found)
    return best_of_each((documents.get(article, f"\x1f{article}"), score) for article, score in articles)
