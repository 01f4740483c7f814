import json

import numpy as np
import pytest

from archive.errors import ModelError
from server.blending import BLEND_FILE, FEATURES, Blend, features_of, read_blend, write_blend


def test_features_stand_in_their_order_and_a_missing_score_is_the_lowest():
    features = features_of([0.5, -1.0, 2.0], [{"fused": 1.0, "dense": 0.9}, {"fused": 0.2}, {"dense": 0.8}])

    assert features.tolist() == [[0.5, 1.0], [-1.0, 0.2], [2.0, 0.2]]
    assert features_of([], []).shape == (0, len(FEATURES))


def test_probabilities_follow_the_weights_and_never_overflow():
    blend = Blend((1.0, 2.0), -3.0)

    assert blend.probabilities(np.array([[1.0, 1.0], [3.0, 0.5]])) == pytest.approx([0.5, 1 / (1 + np.exp(-1))])
    assert blend.probabilities(np.array([[1e6, 0], [-1e6, 0]])).tolist() == [1.0, 0.0]


def test_a_blend_comes_back_as_it_was_written(tmp_path):
    assert read_blend(tmp_path) is None
    write_blend(tmp_path, Blend((0.1, 0.2), -1.5))

    assert read_blend(tmp_path) == Blend((0.1, 0.2), -1.5)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"bias": 1}), json.dumps({"weights": {"logit": 1}, "bias": 0})])
def test_a_damaged_blend_is_named(tmp_path, text):
    (tmp_path / BLEND_FILE).write_text(text)
    with pytest.raises(ModelError, match=r"blend\.json is damaged"):
        read_blend(tmp_path)
