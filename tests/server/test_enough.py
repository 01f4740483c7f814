from archive.articles import Hit, Passage
from server.enough import enough, floor_of


def hits(*cosines: float) -> list[Hit]:
    return [Hit(Passage(f"{n}#0", str(n), 0, "Text", "Titel"), 0.0, {"dense": c}) for n, c in enumerate(cosines)]


def test_the_nearest_passage_decides():
    assert enough(hits(0.80, 0.84), 0.835, in_period=False)
    assert not enough(hits(0.80, 0.83), 0.835, in_period=False)


def test_a_period_lowers_the_floor():
    assert enough(hits(0.82), 0.835, in_period=True)


def test_no_hits_are_never_enough():
    assert not enough([], 0.0, in_period=False)


def test_the_floor_is_an_embedders_own():
    assert floor_of("multilingual-e5-small-q4", None) > 0.8
    assert floor_of("some-other-model", None) == 0.0
    assert floor_of("some-other-model", 0.4) == 0.4
