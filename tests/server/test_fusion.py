import pytest

from server.fusion import WEIGHTS, fuse, standardize, weights_for


def test_standardized_scores_have_mean_zero_and_spread_one():
    scores = standardize({"a": 3.0, "b": 1.0})
    assert scores == {"a": 1.0, "b": -1.0}


def test_equal_scores_tell_nothing():
    assert standardize({"a": 2.0, "b": 2.0}) == {"a": 0.0, "b": 0.0}
    assert standardize({}) == {}


def test_a_passage_of_both_lists_beats_those_of_one():
    order = fuse({"words": {"a": 9.0, "b": 8.9, "x": 1.0}, "dense": {"c": 0.9, "b": 0.89, "y": 0.5}})
    assert order[0][0] == "b"


def test_a_passage_missing_from_a_list_gets_its_lowest_score():
    order = dict(fuse({"words": {"a": 2.0, "b": 0.0}, "dense": {"c": 1.0, "a": 0.0}}, {"words": 0.5, "dense": 0.5}))
    assert order == pytest.approx({"a": 0.0, "b": -1.0, "c": 0.0})


def test_one_empty_list_leaves_the_order_of_the_other():
    assert [name for name, _ in fuse({"words": {}, "dense": {"a": 0.1, "b": 0.9}})] == ["b", "a"]
    assert fuse({"words": {}, "dense": {}}) == []


def test_ties_go_by_id():
    assert [name for name, _ in fuse({"words": {"b": 1.0, "a": 1.0}, "dense": {}})] == ["a", "b"]


def test_a_rare_name_is_found_by_a_bare_query():
    """Few passages have it, and the embedder, which doesn't know it, finds none of them."""
    dense = {f"near{n}": 0.9 - n / 1000 for n in range(30)}
    words = {"named": 25.0, "other": 24.0}
    asked = weights_for("Timoschenko")
    assert asked != WEIGHTS == weights_for("Wann wurde Timoschenko verurteilt?")
    assert fuse({"words": words, "dense": dense}, whole=["words"])[0][0] == "near0"
    assert [found for found, _ in fuse({"words": words, "dense": dense}, asked, ["words"])][:2] == ["named", "other"]
    assert fuse({"words": {}, "dense": dense}, asked, ["words"])[0][0] == "near0"
