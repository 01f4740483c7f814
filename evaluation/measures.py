"""Measures over ranked lists, by ir-measures, and means and percentiles over many questions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG

Qrels = Mapping[str, Mapping[str, int]]  # {query id: {article id: relevance}}
Ranking = Sequence[str]  # article ids, best first, each once
Scores = dict[str, float]  # what one question earned, by measure

# ir-measures says RR where C4 and most papers say MRR.
_MEASURES = {"MRR@10": RR @ 10, "nDCG@10": nDCG @ 10, "R@1": R @ 1, "R@5": R @ 5, "R@30": R @ 30}
# Score in milliseconds -> name of its percentiles.
TIMES = {
    "ms": "ms", "first_status": "first_status_ms", "ttft": "ttft_ms", "first_text": "first_text_ms",
    "total": "total_ms",
}  # fmt: skip
COUNTS = frozenset({"unmarked_figures", "unmarked_names", "unmarked_quotations"})  # of which the sum is told


def ranking_measures(qrels: Qrels, rankings: Mapping[str, Ranking]) -> dict[str, Scores]:
    """By query of `qrels` what its ranking earns; a query without one earns 0."""
    # Scores by rank: the order is ours, and no tie is left for the evaluator to break.
    run = {query: {article: 1 / rank for rank, article in enumerate(found, 1)} for query, found in rankings.items()}
    judged = {query: dict(relevant) for query, relevant in qrels.items()}
    earned: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for metric in ir_measures.iter_calc(list(_MEASURES.values()), judged, run):
        earned[metric.query_id][str(metric.measure)] = float(metric.value)
    return {
        query: {name: earned[query].get(str(measure), 0.0) for name, measure in _MEASURES.items()} for query in qrels
    }


def summarize(rows: Iterable[Mapping[str, float]]) -> Scores:
    """`n`, means by measure, percentiles of times, sums of COUNTS. A measure that a row lacks does not apply to it."""
    known = list(rows)
    summary: Scores = {"n": len(known)}
    for name, values in columns(known).items():
        if name in TIMES:
            summary |= percentiles(values, TIMES[name])
        else:
            summary[name] = int(sum(values)) if name in COUNTS else round(sum(values) / len(values), 4)
    return summary


def columns(rows: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Values by measure, in the order in which measures appear."""
    known = list(rows)
    names = dict.fromkeys(chain.from_iterable(known))
    return {name: [row[name] for row in known if name in row] for name in names}


def percentiles(values: Iterable[float], name: str = "ms", digits: int = 1) -> Scores:
    """`<name>_p50` and `<name>_p95`; empty without values."""
    known = list(values)
    if not known:
        return {}
    p50, p95 = np.percentile(known, (50, 95))
    return {f"{name}_p50": round(float(p50), digits), f"{name}_p95": round(float(p95), digits)}
