"""Measures over ranked lists, by ir-measures, and percentiles of times."""

from collections.abc import Iterable, Mapping, Sequence

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG

Qrels = Mapping[str, Mapping[str, int]]  # {query id: {article id: relevance}}
Ranking = Sequence[str]  # article ids, best first, each once

# ir-measures says RR where C4 and most papers say MRR.
_MEASURES = {"MRR@10": RR @ 10, "nDCG@10": nDCG @ 10, "R@1": R @ 1, "R@5": R @ 5, "R@30": R @ 30}


def ranking_measures(qrels: Qrels, rankings: Mapping[str, Ranking]) -> dict[str, float]:
    """Means over the queries of `qrels`; a query without a ranking counts as 0."""
    # Scores by rank: the order is ours, and no tie is left for the evaluator to break.
    run = {query: {article: 1 / rank for rank, article in enumerate(found, 1)} for query, found in rankings.items()}
    values = ir_measures.calc_aggregate(
        list(_MEASURES.values()), {query: dict(judged) for query, judged in qrels.items()}, run
    )
    return {name: round(float(values[measure]), 4) for name, measure in _MEASURES.items()}


def percentiles(values: Iterable[float], name: str = "ms", digits: int = 1) -> dict[str, float]:
    """`<name>_p50` and `<name>_p95`; empty without values."""
    known = list(values)
    if not known:
        return {}
    p50, p95 = np.percentile(known, (50, 95))
    return {f"{name}_p50": round(float(p50), digits), f"{name}_p95": round(float(p95), digits)}


def mean(values: Iterable[float]) -> float | None:
    """The mean, rounded to four digits; None without values."""
    known = list(values)
    return round(sum(known) / len(known), 4) if known else None
