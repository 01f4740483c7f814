"""Intervals and p-values against values worked out by hand."""

import pytest

from evaluation.bootstrap import compare_paired, interval, intervals
from evaluation.measures import summarize


def test_an_interval_of_known_spread():
    # 400 coins, half of them heads: the mean is normal with standard error sqrt(0.25 / 400) = 0.025.
    low, high = interval([0.0, 1.0] * 200)
    assert (low, high) == (pytest.approx(0.5 - 1.96 * 0.025, abs=0.003), pytest.approx(0.5 + 1.96 * 0.025, abs=0.003))
    assert interval([0.0, 1.0] * 200) == (low, high)


def test_an_interval_of_two_values_is_their_range():
    # The mean of two draws is 0 or 1 with probability 1/4 each, far more than the 2.5 % that are cut off.
    assert interval([0.0, 1.0]) == (0.0, 1.0)


def test_one_value_tells_of_no_spread():
    assert interval([0.7]) is None
    assert interval([0.7, 0.7]) == (0.7, 0.7)


def test_times_have_no_interval_and_what_does_not_apply_is_left_out():
    rows = [{"R@1": 1.0, "ms": 2.0}, {"R@1": 0.0, "ms": 4.0}, {"abstained": 1.0, "ms": 6.0}]
    assert intervals(rows) == {"R@1": (0.0, 1.0)}
    assert summarize(rows) == {"n": 3, "R@1": 0.5, "ms_p50": 4.0, "ms_p95": 5.8, "abstained": 1.0}


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        # Each question that moved doubles the assignments; the two where all move alike are as large as what was seen.
        ([0, 0, 0], [1, 1, 1], 2 / 2**3),
        ([0] * 10, [1] * 10, 2 / 2**10),
        # +1 +1 -1 sums to 1, and so does everything but the two where all three point one way: all 8 are at least 1.
        ([0, 0, 1], [1, 1, 0], 1.0),
        # 0.5 and 0.25 sum to 0.75: of 4 assignments two reach that.
        ([0.0, 0.5, 0.3], [0.5, 0.75, 0.3], 2 / 4),
        ([0.4, 0.2], [0.4, 0.2], 1.0),
    ],
)
def test_p_is_the_share_of_sign_assignments_as_large(a, b, p):
    assert compare_paired(a, b).p == pytest.approx(p, abs=5e-5)


def test_many_questions_are_drawn_instead_of_counted():
    # 30 of 40 got better by 1, 10 worse: binomial, two-sided, P(X >= 30 or X <= 10) = 0.0022 for 40 fair coins.
    moved = compare_paired([0] * 30 + [1] * 10, [1] * 30 + [0] * 10)
    assert (moved.n, moved.a, moved.b, moved.mean) == (40, 0.25, 0.75, 0.5)
    assert moved.p == pytest.approx(0.0022, abs=0.0015)
    # The standard error is sqrt((1 - 0.25) / 40) = 0.137.
    assert moved.interval == (pytest.approx(0.5 - 1.96 * 0.137, abs=0.05), pytest.approx(0.5 + 1.96 * 0.137, abs=0.05))


def test_p_is_never_nothing():
    assert 0 < compare_paired([0] * 500, [1] * 500).p <= 0.0001
