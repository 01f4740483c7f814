"""How sure a mean is, and a difference of means, given the questions that happened to be asked.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap, 1993 (percentile interval, ch. 13); Smucker, Allan and
Carterette, A Comparison of Statistical Significance Tests for Information Retrieval Evaluation, CIKM 2007 (the
randomization test). Everything is drawn from one seed: the same scores give the same numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from evaluation.measures import COUNTS, TIMES, columns

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 20220101

_CHUNK = 2_000_000  # values drawn at a time, which bounds memory for any number of questions
_EXACT = 13  # differing questions up to which every assignment of signs is tried: 2 ** 13 is fewer than RESAMPLES

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A over the same questions: `mean`, its interval, and the two-sided p-value that chance alone does it."""

    n: int
    a: float
    b: float
    mean: float
    interval: Interval | None
    p: float


def interval(values: Sequence[float]) -> Interval | None:
    """The percentile interval of the mean, four digits; None for fewer than two values, which tell of no spread."""
    known = np.asarray(values, np.float64)
    if len(known) < 2:
        return None
    rng = np.random.default_rng(SEED)
    means = [
        known[rng.integers(len(known), size=(rows, len(known)))].mean(axis=1) for rows in _rows_at_a_time(len(known))
    ]
    low, high = np.percentile(np.concatenate(means), (50 * (1 - LEVEL), 50 * (1 + LEVEL)))
    return round(float(low), 4), round(float(high), 4)


def intervals(rows: Iterable[Mapping[str, float]]) -> dict[str, Interval]:
    """By measure the interval of its mean; times and counts, which have no mean, are left out."""
    left_out = COUNTS | TIMES.keys()
    found = {name: interval(values) for name, values in columns(rows).items() if name not in left_out}
    return {name: bounds for name, bounds in found.items() if bounds}


def compare_paired(a: Sequence[float], b: Sequence[float]) -> Difference:
    """Compare what the same questions, in the same order, earned in two runs. Needs at least one question."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    differences = second - first
    mean_a, mean_b, mean = (round(float(values.mean()), 4) for values in (first, second, differences))
    bounds = interval(differences.tolist())
    return Difference(len(differences), mean_a, mean_b, mean, bounds, _randomization_p(differences))


def _randomization_p(differences: NDArray[np.float64]) -> float:
    """How often a difference as large comes about where, for each question, a coin says which run is which."""
    moved = differences[differences != 0]
    observed = abs(moved.sum()) - 1e-9  # sums of the same numbers in another order may differ in the last bit
    if len(moved) <= _EXACT:
        signs = np.array(list(product((-1.0, 1.0), repeat=len(moved))))
        return round(float((np.abs(signs @ moved) >= observed).mean()), 4)
    rng = np.random.default_rng(SEED)
    as_large = 0
    for rows in _rows_at_a_time(len(moved)):
        signs = rng.choice((-1.0, 1.0), size=(rows, len(moved)))
        as_large += int((np.abs(signs @ moved) >= observed).sum())
    # The assignment that was observed is one of those that are possible, so p is never 0.
    return round((as_large + 1) / (RESAMPLES + 1), 4)


def _rows_at_a_time(length: int) -> Iterable[int]:
    step = max(1, _CHUNK // length)
    return (min(step, RESAMPLES - start) for start in range(0, RESAMPLES, step))
