"""The probability that a passage answers a question, from the cross-encoder's logit and the scores of retrieval."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.errors import ModelError

# What is blended, in the order of a feature vector: the cross-encoder's verdict and the fused score. The cosine and
# BM25 by themselves gave nothing beside these on held-out questions.
FEATURES = ("verdict", "fused")
# Among passages that the cross-encoder gives less than this probability, its differences are noise, and the fused score
# shall decide. MRR@10 on 185 held-out questions: 0.864 without, 0.867 with 0.01, 0.872 with 0.03, 0.863 with 0.1.
_NOISE = 0.03
BLEND_FILE = "blend.json"


def features_of(logits: Sequence[float], scores: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Shape (hits, features) for the hits of one question; `scores` are theirs by stage.

    The verdict is the logarithm of the probability that a logit stands for, with a floor under it.

    A hit that one search did not find gets that search's lowest score among the others, since it is no better there.
    """
    probabilities = 0.5 * (1 + np.tanh(np.array(logits, np.float64) / 2))
    columns = [np.log(probabilities + _NOISE).tolist()]
    for name in FEATURES[1:]:
        lowest = min((given[name] for given in scores if name in given), default=0.0)
        columns.append([given.get(name, lowest) for given in scores])
    return np.array(columns, np.float64).T.reshape(len(scores), len(FEATURES))


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights of a logistic regression in the order of FEATURES, and its bias; fitted by `archivar train reranker`."""

    weights: tuple[float, ...]
    bias: float

    def log_odds(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (hits,) for features (hits, features)."""
        return np.asarray(features @ np.array(self.weights) + self.bias)

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (hits,), 0 to 1, for features (hits, features)."""
        return np.asarray(
            0.5 * (1 + np.tanh(self.log_odds(features) / 2))
        )  # the sigmoid, in the form that can't overflow


def read_blend(folder: Path) -> Blend | None:
    """The blend in a model's folder; None where it has none. Raises ModelError where the file is damaged."""
    file = folder / BLEND_FILE
    if not file.is_file():
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return Blend(tuple(float(record["weights"][name]) for name in FEATURES), float(record["bias"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} is damaged ({error}); pull the model again") from error


def write_blend(folder: Path, blend: Blend) -> None:
    """Write it where read_blend() finds it."""
    record = {"weights": dict(zip(FEATURES, blend.weights, strict=True)), "bias": blend.bias}
    (folder / BLEND_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
