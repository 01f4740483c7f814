"""How long the reranker takes for so many candidates: real passages of an archive, found for real questions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from pydantic import ValidationError

from archive.archive import Archive
from archive.articles import Hit
from archive.errors import SourceError
from evaluation.questions import Asked
from server.reranking import Reranker, rerank


@dataclass(frozen=True, slots=True)
class Depth:
    """Times in milliseconds to rerank `candidates` passages; tokens of title, date and text, the question aside."""

    candidates: int
    questions: int
    tokens_mean: float
    ms_p50: float
    ms_p95: float


def read_questions(path: Path) -> list[str]:
    """The questions of a file of `archivar evaluate questions`, or of one question a line."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        asked = [Asked.model_validate_json(line).question if line.startswith("{") else line for line in lines]
    except (OSError, ValidationError, ValueError) as error:
        raise SourceError(f"{path}: no file of questions ({error}); write one question a line") from error
    if not asked:
        raise SourceError(f"{path} holds no questions; write one a line")
    return asked


def titles(archive: Archive, limit: int) -> list[str]:
    """Titles of articles evenly over the archive, to ask with where no questions are given. Raises SourceError."""
    every = max(1, archive.ledger.counts().articles // max(limit, 1))
    found = [article.title for number, article in enumerate(archive.ledger.articles()) if number % every == 0]
    if not found:
        raise SourceError("the archive is empty; ingest articles first, or set ARCHIVAR_HOME")
    return found[:limit]


def candidates_for(archive: Archive, question: str, limit: int) -> list[Hit]:
    """The `limit` passages nearest to a question. Raises SourceError where the archive holds fewer."""
    (vector,) = archive.embedder.embed_queries([question])
    found = archive.index.search_dense(vector, limit)
    passages = archive.ledger.passages(passage_id for passage_id, _ in found)
    hits = [Hit(passages[name], score, {"dense": score, "fused": score}) for name, score in found if name in passages]
    if len(hits) < limit:
        raise SourceError(f"the archive gives {len(hits)} passages, not {limit}; ask for fewer, or ingest more")
    return hits


def measure(
    archive: Archive, reranker: Reranker, questions: Sequence[str], depths: Sequence[int], count: Callable[[str], int]
) -> list[Depth]:
    """Each question at each depth in turn, so that what else the machine does falls on all of them."""
    times: dict[int, list[float]] = {depth: [] for depth in depths}
    lengths: dict[int, list[int]] = {depth: [] for depth in depths}
    for number, question in enumerate(questions):
        hits = candidates_for(archive, question, max(depths))
        tokens = [count(hit.passage.embedded_text) for hit in hits]
        if number == 0:
            rerank(reranker, question, hits[: min(depths)])  # what a model does once, it does here
        for depth in depths:
            started = perf_counter()
            rerank(reranker, question, hits[:depth])
            times[depth].append(1000 * (perf_counter() - started))
            lengths[depth] += tokens[:depth]
    return [
        Depth(
            candidates=depth,
            questions=len(questions),
            tokens_mean=round(float(np.mean(lengths[depth])), 1),
            ms_p50=round(float(np.percentile(times[depth], 50)), 3),
            ms_p95=round(float(np.percentile(times[depth], 95)), 3),
        )
        for depth in depths
    ]
