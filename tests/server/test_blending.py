import json

import numpy as np
import pytest

from archive.errors import ModelError
from server.blending import BLEND_FILE, FEATURES, Blend, features_of, read_blend, write_blend


def test_features_stand_in_their_order_and_a_missing_score_is_the_lowest():
    features = features_of([0.5, -1.0, 2.0], [{"fused": 1.0, "dense": 0.9}, {"fused": 0.2}, {"dense": 0.8}])

    assert features[:, 1].tolist() == [1.0, 0.2, 0.2]
    assert features[2, 0] > features[0, 0] > features[1, 0]
    assert features_of([], []).shape == (0, len(FEATURES))


def test_what_is_surely_no_answer_is_told_apart_by_the_fused_score_alone():
    verdicts = features_of([-6.0, -12.0, -60.0, 3.0], [{"fused": 0.0}] * 4)[:, 0]

    assert np.ptp(verdicts[:3]) < 0.1 and verdicts[3] > verdicts[0] + 3


def test_probabilities_follow_the_weights_and_never_overflow():
    blend = Blend((1.0, 2.0), -3.0)

    assert blend.probabilities(np.array([[1.0, 1.0], [3.0, 0.5]])) == pytest.approx([0.5, 1 / (1 + np.exp(-1))])
    assert blend.probabilities(np.array([[1e6, 0], [-1e6, 0]])).tolist() == [1.0, 0.0]


def test_a_blend_comes_back_as_it_was_written(tmp_path):
    assert read_blend(tmp_path) is None
    write_blend(tmp_path, Blend((0.1, 0.2), -1.5))

    assert read_blend(tmp_path) == Blend((0.1, 0.2), -1.5)


@pytest.mark.parametrize(
    "text", ["", "[]", json.dumps({"bias": 1}), json.dumps({"weights": {"verdict": 1}, "bias": 0})]
)
def test_a_damaged_blend_is_named(tmp_path, text):
    (tmp_path / BLEND_FILE).write_text(text)
    with pytest.raises(ModelError, match=r"blend\.json is damaged"):
        read_blend(tmp_path)
