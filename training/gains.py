"""What a trained model gives over what there was before, on questions that it has not learned from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive.embedding import Embedder
from server.blending import Blend, features_of
from server.reranking import probabilities
from training.calibration import calibration_error, reciprocal_rank
from training.examples import Judged

Scores = NDArray[np.floating]


def gains_of_reranker(held: Sequence[Judged], logits: Sequence[Scores], blend: Blend) -> dict[str, dict[str, float]]:
    """By origin MRR@10 of the fused order, of the logit alone and of the blend, and calibration errors of both.

    Counted are questions whose answer retrieval found: of the others no reranker sees it. "lines" says for how many of
    100 questions the line that answers has the best logit of all.
    """
    report: dict[str, dict[str, float]] = {}
    ranked = [
        (one, alone)
        for one, alone in zip(held, logits, strict=True)
        if one.unit == "passage" and all(candidate.scores for candidate in one.candidates)
    ]
    for origin in ["all", *sorted({one.origin for one in held})]:
        rows, pairs = [], []
        for one, alone in ranked:
            if origin in ("all", one.origin):
                scores = [candidate.scores for candidate in one.candidates]
                blended = blend.probabilities(features_of(alone.tolist(), scores))
                fused = np.array([given["fused"] for given in scores])
                rows.append([reciprocal_rank(each, one) for each in (fused, alone, blended)])
                answers = [candidate.answers for candidate in one.candidates]
                pairs += list(zip(probabilities(np.asarray(alone, np.float32)), blended, answers, strict=True))
        if rows:
            fused_mrr, alone_mrr, blended_mrr = np.mean(rows, axis=0).tolist()
            table = np.array(pairs, np.float64)
            report[origin] = {
                "questions": len(rows), "fused": round(fused_mrr, 4), "alone": round(alone_mrr, 4),
                "blended": round(blended_mrr, 4), "error_alone": round(calibration_error(table[:, 0], table[:, 2]), 4),
                "error_blended": round(calibration_error(table[:, 1], table[:, 2]), 4),
            }  # fmt: skip
    lines = [
        float(np.argmax(alone) == [candidate.answers for candidate in one.candidates].index(True))
        for one, alone in zip(held, logits, strict=True)
        if one.unit == "line"
    ]
    if lines:
        report["lines"] = {"questions": len(lines), "alone": round(100 * float(np.mean(lines)), 1)}
    return report


def gains_of_embedder(held: Sequence[Judged], before: Embedder, after: Embedder) -> dict[str, dict[str, float]]:
    """By origin MRR@10 of the candidates in the order of their cosine, before and after training."""
    rows: dict[str, list[list[float]]] = {}
    for one in held:
        texts = [candidate.text for candidate in one.candidates]
        ranks = [
            reciprocal_rank(model.embed_passages(texts) @ model.embed_queries([one.query])[0], one)
            for model in (before, after)
        ]
        rows.setdefault(one.origin, []).append(ranks)
        rows.setdefault("all", []).append(ranks)
    report = {}
    for origin, pairs in rows.items():
        means = np.mean(pairs, axis=0).tolist()
        report[origin] = {"questions": len(pairs), "before": round(means[0], 4), "after": round(means[1], 4)}
    return report
