"""Running stories: one report told ten times takes one place, an article takes one place, and the newest can go first.

Pure functions over hits in rank order. What they move back is never lost: it stands behind the rest.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from math import log

import numpy as np
from numpy.typing import NDArray

from archive.articles import Hit, Passage
from server.periods import Leaning
from server.told import by_article

# Twins are told from the next report of the same story by vector and letters together. Measured with the default
# embedder: reports of one piece of news, reworded, have a cosine of 0.957 and more and share 0.15 of their runs of five
# letters and more; successive reports of one story have 0.953 and 0.12 at most (2,769 passages of German Wikinews and
# other full texts, four days apart at most).
_NEAR, _SHARED = 0.955, 0.14
_SAME = 0.5  # share of letter runs from which on no vector is needed
# Headlines of a series ("Top 10: ...") are near each other by their pattern alone, so short texts must share more.
_SHORT, _SHARED_SHORT = 300, 0.3
_APART = timedelta(days=3)
_RUN = 5  # letters

_ABOUT_EQUAL = 0.1  # of the distance between the best and the last score
_RELEVANT = 0.5  # of that distance: what lies below is not lifted for its date
_BONUS = 0.3  # of that distance, for the newest of the relevant

_NO_WORD = re.compile(r"[\W_]+")


Vectors = Mapping[str, NDArray[np.float32]]  # (d,), normalized, by passage id


def compared(hits: Sequence[Hit]) -> list[str]:
    """Ids of the passages whose vectors collapse() needs: the best of each article that another is near in time."""
    best = _best(hits)
    near = _near_in_time([hits[place] for place in best])
    return [hits[place].passage.id for place, others in zip(best, near, strict=True) if others.any()]


def collapse(
    hits: Sequence[Hit], vectors: Vectors | None = None, links: Collection[frozenset[str]] = ()
) -> tuple[Hit, ...]:
    """The hits, near-identical reports of one event gathered: one keeps its place, the others go behind all the rest.

    `links` are pairs of articles whose whole texts are known to be near-identical, by id. `vectors` are those of the
    passages that compared() names; without them only what is linked or the same by its letters is gathered. The one
    that stays is the best, or the newest where their scores are about equal; it knows the others as `twins`, and the
    newest of them is marked. Further passages of a moved article move with it.
    """
    ordered, moved = list(hits), set()
    for places in _clusters(hits, vectors, links):
        articles = [hits[place].passage.article_id for place in places]
        newest, chosen = max(places, key=lambda place: _moment(hits[place])), _chosen(hits, places)
        for place, own in zip(places, articles, strict=True):
            others = tuple(article for article in articles if article != own)
            ordered[place] = replace(hits[place], twins=others, newest=place == newest)
        # The one that is shown stands where the best one stood.
        ordered[places[0]], ordered[chosen] = ordered[chosen], ordered[places[0]]
        moved |= set(articles) - {hits[chosen].passage.article_id}
    stay = [hit for hit in ordered if hit.passage.article_id not in moved]
    return (*stay, *(hit for hit in ordered if hit.passage.article_id in moved))


def distinct(hits: Sequence[Hit], top_k: int) -> tuple[Hit, ...]:
    """All hits of the first `top_k` articles, article by article, each article's best passage first."""
    return tuple(hit for found in islice(by_article(hits).values(), top_k) for hit in found)


def lean(hits: Sequence[Hit], leaning: Leaning | None) -> tuple[Hit, ...]:
    """The hits with the newer (or older) of the relevant ones lifted by the rank of their date; scores stay.

    Relevant are those in the upper half between the last and the best score, so that no new article wins that is
    beside the matter; of reranked ones by the log-odds of their probability, since for a bare topic all are near 0.
    Undated ones are not lifted.
    """
    if leaning is None or len(hits) < 2:
        return tuple(hits)
    scores = {id(hit): _log_odds(hit.score) if "reranked" in hit.scores else hit.score for hit in hits}
    low, high = min(scores.values()), max(scores.values())
    height = {place: (score - low) / (high - low) if high > low else 1.0 for place, score in scores.items()}
    relevant = [hit for hit in hits if height[id(hit)] >= _RELEVANT and hit.passage.published]
    moments = sorted({_moment(hit) for hit in relevant}, reverse=leaning == "older")
    lift = {moment: _BONUS * rank / max(1, len(moments) - 1) for rank, moment in enumerate(moments)}
    for hit in relevant:
        height[id(hit)] += lift[_moment(hit)]
    return tuple(sorted(hits, key=lambda hit: -height[id(hit)]))


def _log_odds(probability: float) -> float:
    held = min(max(probability, 1e-6), 1 - 1e-6)  # as a float, a probability may be 0 or 1
    return log(held / (1 - held))


def _clusters(hits: Sequence[Hit], vectors: Vectors | None, links: Collection[frozenset[str]]) -> list[list[int]]:
    """Places of the best hits of articles that tell the same; each joins the first better one that it repeats."""
    best = _best(hits)
    passages = [hits[place].passage for place in best]
    near = _near([hits[place] for place in best], vectors).tolist()
    needed = _SHARED if vectors is not None else _SAME
    runs: dict[str, frozenset[str]] = {}
    clusters: list[list[int]] = []
    for one, passage in enumerate(passages):
        for members in clusters:
            leader = members[0]
            # The passages that were found of two versions of one story may be different parts of it.
            linked = bool(links) and frozenset((passage.article_id, passages[leader].article_id)) in links
            if linked or (near[one][leader] and _share_letters(passage, passages[leader], needed, runs)):
                members.append(one)
                break
        else:
            clusters.append([one])
    return [[best[one] for one in members] for members in clusters if len(members) > 1]


def _best(hits: Sequence[Hit]) -> list[int]:
    """Places of the best hit of each article."""
    first: dict[str, int] = {}
    for place, hit in enumerate(hits):
        first.setdefault(hit.passage.article_id, place)
    return list(first.values())


def _near_in_time(hits: Sequence[Hit]) -> NDArray[np.bool_]:
    """Shape (n, n): which two are dated days apart at most; none is near itself, or near an undated one."""
    moments = np.array([_moment(hit) if hit.passage.published else np.nan for hit in hits])
    near: NDArray[np.bool_] = np.abs(moments[:, None] - moments[None]) <= _APART.total_seconds()
    np.fill_diagonal(near, val=False)
    return near


def _near(hits: Sequence[Hit], vectors: Vectors | None) -> NDArray[np.bool_]:
    """Shape (n, n): which two are near in time, and by their vectors where there are any."""
    near = _near_in_time(hits)
    rows = np.flatnonzero(near.any(axis=1))
    if vectors is not None and len(rows):
        stacked = np.stack([vectors[hits[row].passage.id] for row in rows.tolist()])
        near[np.ix_(rows, rows)] &= stacked @ stacked.T >= _NEAR
    return near


def _share_letters(one: Passage, other: Passage, needed: float, runs: dict[str, frozenset[str]]) -> bool:
    first, second = _runs(one, runs), _runs(other, runs)
    shared = len(first & second) / (len(first | second) or 1)
    short = min(len(one.text), len(other.text)) < _SHORT
    return shared >= (max(needed, _SHARED_SHORT) if short else needed)


def _runs(passage: Passage, known: dict[str, frozenset[str]]) -> frozenset[str]:
    """Runs of letters of title and text, read once."""
    if passage.id not in known:
        text = passage.text if passage.text.startswith(passage.title) else f"{passage.title} {passage.text}"
        letters = _NO_WORD.sub(" ", text.lower())
        known[passage.id] = frozenset(letters[at : at + _RUN] for at in range(max(1, len(letters) - _RUN + 1)))
    return known[passage.id]


def _chosen(hits: Sequence[Hit], places: Sequence[int]) -> int:
    """The newest of those whose score is about that of the best."""
    scores = [hit.score for hit in hits]
    allowed = hits[places[0]].score - _ABOUT_EQUAL * (max(scores) - min(scores))
    return max((place for place in places if hits[place].score >= allowed), key=lambda place: _moment(hits[place]))


def _moment(hit: Hit) -> float:
    published: datetime | None = hit.passage.published
    return published.timestamp() if published else float("-inf")
