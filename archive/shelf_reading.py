"""Reading shelves: several at once, while another process may write, and those at a period's edge as far as it reaches.

Chroma's own filter by metadata reads the dates of the whole archive for each question (measured: 80 ms at 60,000
passages). So no dates lie in Chroma: a shelf within the period is asked as it is, and of a shelf at its edge more are
fetched than asked for, and the ledger tells which of them lie in the period.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TypeVar

import numpy as np
from chromadb.api.models.Collection import Collection
from chromadb.errors import InternalError, NotFoundError
from numpy.typing import NDArray

from archive.articles import Period
from archive.chroma import Chroma
from archive.entries import hashes
from archive.shelves import Bounds, Shelf, Shelves

Scored = list[tuple[str, float]]  # (passage id, cosine), best first
_T = TypeVar("_T")

_SURPLUS = 1.5  # fetched at a period's edge beyond what an even spread over time would need
_LONG = 5.0  # passages an article at most, where a shelf holds undated ones beside those that are counted
_FARTHER = 4  # factor to the next attempt where too few of them lay in the period
# Articles of the period for each passage found from which on to look at the few rows costs less than to go through the
# period's dates: 0.014 ms for a row in memory, and most are read for the answer anyway; 0.25 ms for 1000 dates.
_MANY = 100


class ShelfReader:
    """Reads and searches shelves. Errors are Chroma's own; NotFoundError: a shelf is no longer where it was."""

    def __init__(self, shelves: Shelves, chroma: Chroma) -> None:
        self._shelves = shelves
        self._chroma = chroma
        self._pool = ThreadPoolExecutor(os.cpu_count(), "shelf")  # Chroma searches without Python's lock
        self._counted: dict[str, tuple[Shelf, int, float]] = {}

    def read(self, shelf: Shelf, ask: Callable[[Collection], _T], nothing: _T) -> _T:
        """What a shelf's collection answers; `nothing` of one that nothing was put on yet."""
        try:
            return ask(self._chroma.collection(shelf.name))
        except NotFoundError:
            self._chroma.reopen((), gone=[shelf.name])  # whoever made it anew gave it another id
            if shelf.version or shelf not in self._shelves.serving():
                raise
            return nothing
        except InternalError:
            # The embedded reader meets a writer of another process half-way; opened anew it sees whole data.
            self._chroma.reopen([shelf.name])
            return ask(self._chroma.collection(shelf.name))

    def each(self, shelves: Sequence[Shelf], ask: Callable[[Shelf], _T]) -> list[_T]:
        """Answers of several shelves, asked at once, in their order."""
        return list(self._pool.map(ask, shelves) if len(shelves) > 1 else map(ask, shelves))

    def vectors_on(self, shelf: Shelf, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors (d,) of those passages that lie on a shelf."""
        nothing: dict[str, NDArray[np.float32]] = {}
        return self.read(shelf, lambda collection: _held(collection, ids), nothing)

    def hashes_on(self, shelf: Shelf, ids: Sequence[str]) -> dict[str, str | None]:
        """Content hashes of those passages that lie on a shelf; None: an older version of the program put it there."""
        nothing: dict[str, str | None] = {}
        return self.read(shelf, lambda collection: dict(hashes(collection, ids)), nothing)

    def search(
        self, shelves: Sequence[Shelf], vector: NDArray[np.float32], limit: int, period: Period | None
    ) -> Scored:
        """Nearest passages of a period on these shelves, best first; equally near ones in the order of their ids."""
        bounds = _bounds(period)
        asked = [shelf for shelf in shelves if bounds is None or (shelf.dated and shelf.overlap(bounds))]
        found = self.each(asked, lambda shelf: self._on(shelf, vector, limit, bounds))
        best = {passage_id: score for part in found for passage_id, score in part}
        return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def _on(self, shelf: Shelf, vector: NDArray[np.float32], limit: int, bounds: Bounds | None) -> Scored:
        part = shelf.overlap(bounds) if bounds else None
        if part is None or (part == (shelf.first, shelf.after) and not shelf.undated):
            return self.read(shelf, lambda collection: _nearest(collection, vector, limit), [])
        return self.read(shelf, lambda collection: self._at_edge(collection, shelf, part, vector, limit), [])

    def _at_edge(
        self, collection: Collection, shelf: Shelf, part: Bounds, vector: NDArray[np.float32], limit: int
    ) -> Scored:
        inside, (dated, length) = self._shelves.articles_within(part), self._counts(shelf, collection)
        fetch = ceil(_SURPLUS * limit * dated / max(inside, 1))
        # To compare a passage's vector directly costs 0.03 ms, to fetch a neighbour 0.01 ms.
        while 0.03 * length * inside > 0.01 * fetch:
            near = _nearest(collection, vector, fetch)
            kept = self._within(part, near, inside)[:limit]
            if len(kept) == limit or len(near) < fetch:
                return kept
            fetch *= _FARTHER
        return _compared(collection, vector, self._shelves.passages_within(part))[:limit]

    def _within(self, part: Bounds, near: Scored, inside: int) -> Scored:
        """Those of `near` that are dated within `part`, where `inside` articles are; in the cheaper of two ways."""
        ids = [passage_id for passage_id, _ in near]
        if inside > _MANY * len(near):
            members = {passage_id for passage_id, at in self._shelves.moments(ids).items() if _lies_in(part, at)}
        else:
            members = self._shelves.dated_within(ids, part)
        return [found for found in near if found[0] in members]

    def _counts(self, shelf: Shelf, collection: Collection) -> tuple[int, float]:
        """Dated articles of a shelf, and passages an article; counted once for each version: it reads all dates."""
        counted = self._counted.get(shelf.name)
        if counted is None or counted[0] != shelf:
            dated = self._shelves.articles_within((shelf.first, shelf.after))
            length = min(collection.count() / max(dated, 1), _LONG)
            counted = self._counted[shelf.name] = shelf, dated, length
        return counted[1:]


def _nearest(collection: Collection, vector: NDArray[np.float32], limit: int) -> Scored:
    found = collection.query(query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"])
    distances = (found["distances"] or [[]])[0]
    return [(passage_id, 1.0 - distance) for passage_id, distance in zip(found["ids"][0], distances, strict=True)]


def _compared(collection: Collection, vector: NDArray[np.float32], ids: list[str]) -> Scored:
    scores = [(passage_id, float(held @ vector)) for passage_id, held in _held(collection, ids).items()]
    return sorted(scores, key=lambda item: -item[1])


def _held(collection: Collection, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    if not ids:  # Chroma takes no ids for all
        return {}
    found = collection.get(ids=list(ids), include=["embeddings"])
    return dict(zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True))


def _bounds(period: Period | None) -> Bounds | None:
    if period is None:
        return None
    first, last = period.timestamps()
    return first, None if last is None else last + 1


def _lies_in(part: Bounds, moment: int | None) -> bool:
    first, after = part
    return moment is not None and (first is None or moment >= first) and (after is None or moment < after)
