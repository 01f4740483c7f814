"""Does the archive hold anything about a question? Decided before writing, by the nearness of the nearest passage.

A generator makes up an answer where the passages hold none. Questions about what an archive doesn't hold find passages
too, but farther ones. The scale of cosines is an embedder's own, so each needs a floor of its own.
"""

from collections.abc import Mapping, Sequence

from archive.articles import Hit

# Measured on 21 questions without and 135 with an answer in their archive: five of the first lie below the floor, none
# of the second. It is meant to be right when it says so, not to find every such question.
FLOORS: Mapping[str, float] = {"multilingual-e5-small-q4": 0.835}
_PERIOD = 0.025  # a period leaves fewer passages, so the nearest of them is farther


def floor_of(embedder: str, chosen: float | None) -> float:
    """The least cosine for `embedder`: the one that was set, else the measured one, else none."""
    return FLOORS.get(embedder, 0.0) if chosen is None else chosen


def enough(hits: Sequence[Hit], floor: float, in_period: bool) -> bool:
    """Whether the nearest of `hits` is near enough for an answer."""
    nearest = max((hit.scores.get("dense", 0.0) for hit in hits), default=0.0)
    return bool(hits) and nearest >= (floor - _PERIOD if in_period else floor)
