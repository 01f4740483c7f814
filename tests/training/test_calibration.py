import numpy as np
import pytest

from archive.errors import ModelError
from training.calibration import calibrate, calibration_error, fit, reciprocal_rank
from training.examples import Candidate, Judged
from training.gains import gains_of_reranker


def drawn(count=4000, seed=0):
    """Features with known weights (2, -1) and bias -0.5, and labels drawn by their probabilities."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 2)) * [1.0, 3.0]
    probabilities = 1 / (1 + np.exp(-(features @ [2.0, -1.0] - 0.5)))
    return features, (random.random(count) < probabilities).astype(float)


def test_the_weights_that_made_the_labels_are_found():
    blend = fit(*drawn())

    assert blend.weights == pytest.approx((2.0, -1.0), abs=0.2)
    assert blend.bias == pytest.approx(-0.5, abs=0.2)


def test_calibration_error_is_zero_for_the_truth_and_large_for_overconfidence():
    features, labels = drawn(20000)
    true = 1 / (1 + np.exp(-(features @ [2.0, -1.0] - 0.5)))

    assert calibration_error(true, labels) < 0.02
    assert calibration_error(np.full(100, 0.95), np.repeat([0.0, 1.0], 50)) == pytest.approx(0.45)


def questions(count=60):
    """Retrieval puts the answer second; the logit knows it."""
    random = np.random.default_rng(1)
    judged, logits = [], []
    for number in range(count):
        scores = [{"fused": 2.0, "dense": 0.9}, {"fused": 1.5, "dense": 0.88}, {"fused": 0.0, "dense": 0.8}]
        labels = [False, True, False]
        judged.append(
            Judged(
                f"q{number}",
                "squad",
                str(number),
                tuple(Candidate("t", a, s) for a, s in zip(labels, scores, strict=True)),
            )
        )
        logits.append((np.where(labels, 2.0, -2.0) + random.normal(0, 1.5, 3)).astype(np.float32))
    return judged, logits


def test_the_blend_is_better_than_what_was_there_before():
    judged, logits = questions()
    slope, shift, blend = calibrate(judged, logits)
    report = gains_of_reranker(judged, [slope * one + shift for one in logits], blend)["all"]

    assert report["fused"] == pytest.approx(0.5)
    assert report["blended"] > 0.85
    assert report["error_alone"] < 0.1 and report["error_blended"] < 0.1


def test_how_often_the_line_that_answers_is_chosen_is_told_apart_from_passages():
    judged, logits = questions()
    lines = [Judged("q", "squad", "1", tuple(Candidate("t", at == 1) for at in range(3)), "line")] * 4
    chosen = [np.array([0, 1, 0]), np.array([0, 3, 2]), np.array([1, 0, 0]), np.array([0, 0, 1])]
    *_, blend = calibrate(judged, logits)
    report = gains_of_reranker([*judged, *lines], [*logits, *chosen], blend)

    assert report["lines"] == {"questions": 4, "alone": 50.0}
    assert report["all"]["questions"] == len(judged)


def test_candidates_that_retrieval_did_not_find_are_left_out():
    judged = [Judged("q", "squad", "1", (Candidate("a", True), Candidate("b", False, {"fused": 1.0, "dense": 0.8})))]
    with pytest.raises(ModelError, match="too few"):
        calibrate(judged, [np.zeros(2, np.float32)])


def test_beyond_ten_a_rank_is_worth_nothing():
    one = Judged("q", "x", "1", tuple(Candidate("t", place == 0) for place in range(12)))
    assert reciprocal_rank(np.arange(12)[::-1], one) == 1.0
    assert reciprocal_rank(np.arange(12), one) == 0.0
