"""From a cross-encoder's logit and the scores of retrieval to the probability that a passage answers the question.

Logistic regression on questions that were held out from training (source: Platt 1999, with more than one score).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive.errors import ModelError
from server.blending import Blend, features_of
from training.examples import Judged

_RIDGE = 1e-3  # keeps the weights finite where a feature tells the two apart on its own
_STEPS = 50
# Weights of the verdict that are tried, the fused score's being 1
RATIOS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)


def calibrate(judged: Sequence[Judged], logits: Sequence[NDArray[np.float32]]) -> tuple[float, float, Blend]:
    """(slope, shift, blend): `slope * logit + shift` is calibrated on its own, and `blend` takes such logits.

    How much the verdict counts beside the fused score is chosen by MRR@10, since a regression that has to be right
    about the many passages that don't answer says little about the order of the first few. Raises ModelError on too
    few questions.
    """
    labels = _labels(judged)
    alone = np.concatenate([one[_found(each)] for each, one in zip(judged, logits, strict=True)])
    single = fit(alone[:, None].astype(np.float64), labels)
    slope, shift = single.weights[0], single.bias
    calibrated = [slope * one + shift for one in logits]
    ratio = max(RATIOS, key=lambda ratio: _mean_rank(judged, calibrated, ratio))
    whole = fit(_features(judged, calibrated) @ np.array([[ratio], [1.0]]), labels)
    return slope, shift, Blend((whole.weights[0] * ratio, whole.weights[0]), whole.bias)


def _mean_rank(judged: Sequence[Judged], logits: Sequence[NDArray[np.floating]], ratio: float) -> float:
    """MRR@10 of `ratio * verdict + fused`, over the questions whose answer retrieval found."""
    blend = Blend((ratio, 1.0), 0.0)
    ranks = [
        reciprocal_rank(
            blend.log_odds(features_of(scores.tolist(), [candidate.scores for candidate in one.candidates])), one
        )
        for one, scores in zip(judged, logits, strict=True)
        if all(candidate.scores for candidate in one.candidates)
    ]
    return float(np.mean(ranks)) if ranks else 0.0


def reciprocal_rank(scores: NDArray[np.floating], judged: Judged) -> float:
    """1 / rank of the passage that answers, by falling scores; 0 beyond rank 10."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    rank = next(place for place, number in enumerate(order, 1) if judged.candidates[number].answers)
    return 1 / rank if rank <= 10 else 0.0


def _labels(judged: Sequence[Judged]) -> NDArray[np.float64]:
    """1 for each candidate that retrieval found and that answers, 0 for the others. Raises ModelError on too few."""
    labels = [float(one.candidates[number].answers) for one in judged for number in _found(one)]
    if not 0 < sum(labels) < len(labels):
        raise ModelError("too few held-out questions to calibrate on; train on more")
    return np.array(labels)


def _features(judged: Sequence[Judged], logits: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """One row for each candidate that retrieval found, in the order of _labels()."""
    rows = []
    for one, scores in zip(judged, logits, strict=True):
        if found := _found(one):
            rows.append(features_of([scores[n] for n in found], [one.candidates[n].scores for n in found]))
    return np.concatenate(rows)


def _found(judged: Judged) -> list[int]:
    """Places of the candidates that retrieval found."""
    return [number for number, candidate in enumerate(judged.candidates) if candidate.scores]


def fit(features: NDArray[np.float64], labels: NDArray[np.float64]) -> Blend:
    """Weights and bias of a logistic regression, by Newton's method on standardized features."""
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    x = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    penalty = _RIDGE * len(x) * np.diag([1.0] * features.shape[1] + [0.0])
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (p - labels) + penalty @ weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    slopes = weights[:-1] / spread
    return Blend(tuple(slopes.tolist()), float(weights[-1] - slopes @ mean))


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error over `bins` of equal width (source: Naeini et al. 2015), 0 to 1."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    total = 0.0
    for place in range(bins):
        chosen = places == place
        if chosen.any():
            total += chosen.mean() * abs(probabilities[chosen].mean() - labels[chosen].mean())
    return float(total)
