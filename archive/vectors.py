"""The vector side of the index: collections of Chroma, each a shelf for a stretch of publication time.

Chroma's own filter by metadata reads the dates of the whole archive for each question (measured: 80 ms at 60,000
passages). So no dates lie in Chroma: a shelf within the period is asked as it is, and of a shelf at its edge more are
fetched than asked for, and the ledger tells which of them lie in the period.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from math import ceil
from typing import TypeVar

import numpy as np
from chromadb.api.models.Collection import Collection
from chromadb.errors import InternalError, NotFoundError
from numpy.typing import NDArray

from archive.articles import Passage, Period
from archive.chroma import HASH, Chroma, hashes
from archive.ledger import Ledger
from archive.shelves import Bounds, Shelf, Shelves
from archive.splitting import fit, tidy

Scored = list[tuple[str, float]]  # (passage id, cosine), best first
_T = TypeVar("_T")

_BATCH = 500
_SURPLUS = 1.5  # fetched at a period's edge beyond what an even spread over time would need
_FARTHER = 4  # factor to the next attempt where too few of them lay in the period


class Vectors:
    """One embedder's passage vectors by passage id, on shelves by their date. Texts and dates stay in the ledger."""

    def __init__(self, ledger: Ledger, chroma: Chroma, embedder: str) -> None:
        self._ledger = ledger
        self._chroma = chroma
        self._shelves = Shelves(ledger, embedder)
        self._standing = self._shelves.serving()
        self._pool = ThreadPoolExecutor(os.cpu_count(), "shelf")  # Chroma searches without Python's lock

    def of(self, embedder: str) -> "Vectors":
        """Those of another embedder, in the same place; what either reads into memory goes with it."""
        return Vectors(self._ledger, self._chroma.apart(), embedder)

    @property
    def parts(self) -> tuple[Shelves, Chroma]:
        """What they are made of, for what compares and mends them."""
        return self._shelves, self._chroma

    @property
    def standing(self) -> tuple[Shelf, ...]:
        """The shelves that are searched."""
        return self._standing

    def damaged(self) -> frozenset[str]:
        """Shelves whose files are torn, as far as a short look tells."""
        return frozenset(shelf.name for shelf in self._standing if self._chroma.torn(shelf.name, short=True))

    def suspects(self) -> frozenset[str]:
        """Shelves that may be damaged: a writer was at them when it broke off, or their files are torn."""
        return self._shelves.suspects() | self.damaged()

    def settle(self) -> None:
        """All that was changed is known to be whole, and on the disk."""
        for name in self._shelves.suspects():
            self._chroma.flush(name)
        self._shelves.settle()

    def reopen(self, names: Iterable[str] | None = None) -> None:
        """Read these shelves from the disk again, by default all."""
        self._standing = self._shelves.serving()
        self._chroma.reopen([shelf.name for shelf in self._standing] if names is None else names)

    def claim(self) -> None:
        """Make the shelf of a new archive this embedder's; for its first writer."""
        self._shelves.claim()

    def begin(self, like: str) -> None:
        """Make ready to be filled beside the vectors of the embedder `like`; for the one that holds the write lock."""
        self.tidy()
        self._shelves.begin(like)
        self.reload()

    def drop(self) -> None:
        """Delete all of them; for the one that holds the write lock."""
        self._shelves.retire()
        self.tidy()
        self._standing = ()

    def reload(self) -> None:
        """See what another process wrote; only shelves that have changed are read anew."""
        before, self._standing = self._standing, self._shelves.serving()
        versions = {shelf.name: shelf.version for shelf in self._standing}
        changed = [shelf.name for shelf in before if versions.get(shelf.name, shelf.version) != shelf.version]
        self._chroma.reopen(changed, gone=[shelf.name for shelf in before if shelf.name not in versions])

    def count(self) -> int:
        """Vectors held. The first count reads every graph into memory, as the first question does."""
        return sum(self._counts())

    def empty(self) -> bool:
        """Whether no vectors are held; reads the newest graph, which a writer needs anyway, and rarely more."""
        return not any(self._counts())

    def _counts(self) -> Iterator[int]:
        for shelf in reversed(self._standing):
            with self._chroma.errors(), suppress(NotFoundError):  # deleted by hand, to be built again
                yield self._read(shelf, Collection.count, 0)

    def tidy(self) -> None:
        """Drop what a writer that broke off has left; for the one that holds the write lock."""
        with self._chroma.errors():
            tidy(self._shelves, self._chroma)

    def apply(
        self, added: Sequence[Passage], vectors: NDArray[np.float32], removed: Sequence[tuple[str, int | None]]
    ) -> None:
        """Take `removed` (id, Unix seconds) out, then put `vectors` (len(added), d) in, replacing. Idempotent."""
        moments = self._shelves.moments(passage.id for passage in added)
        out = self._sorted([moment for _, moment in removed])
        into = self._sorted([moments[passage.id] for passage in added])
        with self._chroma.errors():
            for shelf, rows in out.items():
                self._take_out(shelf, [removed[row][0] for row in rows])
            for shelf, rows in into.items():
                self._put_in(shelf, [added[row] for row in rows], vectors[rows])
            changed = {shelf.name for shelf in (*out, *into)} | self._forget(removed)
            self._shelves.changed(changed)
            for shelf, rows in into.items():
                dates = [moment for row in rows if (moment := moments[added[row].id]) is not None]
                fit(shelf, dates, self._shelves, self._chroma)
        self._standing = self._shelves.serving()

    def _forget(self, removed: Sequence[tuple[str, int | None]]) -> set[str]:
        """Take passages out of the resting vectors of other embedders, too: what was removed rests nowhere."""
        changed = set()
        for shelf in self._shelves.resting():
            if ids := [passage_id for passage_id, moment in removed if shelf.holds(moment)]:
                self._take_out(shelf, ids)
                changed.add(shelf.name)
        return changed

    def _sorted(self, moments: Sequence[int | None]) -> dict[Shelf, list[int]]:
        """Row numbers by the shelf that they belong on."""
        rows: dict[Shelf, list[int]] = {}
        for row, moment in enumerate(moments):
            rows.setdefault(next(shelf for shelf in self._standing if shelf.holds(moment)), []).append(row)
        return rows

    def _take_out(self, shelf: Shelf, ids: list[str]) -> None:
        self._shelves.suspect([shelf.name])
        collection = self._chroma.create(shelf.name)
        for start in range(0, len(ids), _BATCH):
            with self._chroma.writing():
                collection.delete(ids=ids[start : start + _BATCH])

    def _put_in(self, shelf: Shelf, passages: list[Passage], vectors: NDArray[np.float32]) -> None:
        self._shelves.suspect([shelf.name])
        collection = self._chroma.create(shelf.name)
        for start in range(0, len(passages), _BATCH):
            part = passages[start : start + _BATCH]
            with self._chroma.writing():
                collection.upsert(
                    ids=[passage.id for passage in part],
                    embeddings=vectors[start : start + _BATCH],
                    metadatas=[{HASH: passage.content_hash} for passage in part],
                )

    def held(self) -> Iterator[tuple[str, str | None]]:
        """(passage id, its content hash) of every vector; None for those that an older version of the program made."""
        for shelf in self._standing:
            yield from self.listed(shelf, hashes)

    def listed(
        self, shelf: Shelf, ask: Callable[[Collection], Iterator[tuple[str, str | None]]]
    ) -> Iterator[tuple[str, str | None]]:
        """What hashes() or entries() tells of a shelf; nothing of one that nothing was put on yet."""
        with self._chroma.errors():
            nothing: Iterator[tuple[str, str | None]] = iter(())
            yield from self._read(shelf, ask, nothing)

    def discard(self, ids: Iterable[str]) -> None:
        """Take passages out of whichever shelves they lie on; the ledger needn't know them."""
        wanted = list(ids)
        with self._chroma.errors():
            for shelf in self._standing:
                self._take_out(shelf, wanted)
            self._shelves.changed(shelf.name for shelf in self._standing)
        self._standing = self._shelves.serving()

    def hashes_of(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Content hashes of those passages that are held on the shelf of their date; see `held`."""

        def read(shelf: Shelf, wanted: Sequence[str]) -> dict[str, str | None]:
            nothing: dict[str, str | None] = {}
            return self._read(shelf, lambda collection: dict(hashes(collection, wanted)), nothing)

        with self._chroma.errors():
            return self._by_shelf(ids, read)

    def strays(self) -> dict[Shelf, list[str]]:
        """By shelf, what the ledger doesn't hold, or dates to another shelf."""
        found: dict[Shelf, list[str]] = {}
        with self._chroma.errors():
            for shelf in self._standing:
                nothing: Iterator[tuple[str, str | None]] = iter(())
                held = (passage_id for passage_id, _ in self._read(shelf, hashes, nothing))
                while page := list(islice(held, _BATCH)):
                    moments = self._shelves.moments(page)
                    lost = [one for one in page if one not in moments or not shelf.holds(moments[one])]
                    found.setdefault(shelf, []).extend(lost)
        return {shelf: ids for shelf, ids in found.items() if ids}

    def take_out(self, strays: Mapping[Shelf, list[str]]) -> None:
        """Take passages out of the shelves on which they lie astray."""
        with self._chroma.errors():
            for shelf, ids in strays.items():
                self._take_out(shelf, ids)
            self._shelves.changed(shelf.name for shelf in strays)
        self._standing = self._shelves.serving()

    def search(self, vector: NDArray[np.float32], limit: int, period: Period | None) -> Scored:
        """Nearest passages of a period as (id, cosine), best first. Undated passages match no period."""
        return self._consistent(lambda: self._search(vector, limit, _bounds(period)))

    def vectors_of(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors (d,) of those passages that are held."""
        return self._consistent(lambda: self._vectors_of(ids))

    def _consistent(self, ask: Callable[[], _T]) -> _T:
        with self._chroma.errors():
            try:
                return ask()
            except NotFoundError:  # another process has split a shelf since
                self.reload()
                return ask()

    def _read(self, shelf: Shelf, ask: Callable[[Collection], _T], nothing: _T) -> _T:
        try:
            return ask(self._chroma.collection(shelf.name))
        except NotFoundError:
            if shelf.version or shelf not in self._shelves.serving():
                raise
            return nothing
        except InternalError:
            # The embedded reader meets a writer of another process half-way; opened anew it sees whole data.
            self._chroma.reopen([shelf.name])
            return ask(self._chroma.collection(shelf.name))

    def _search(self, vector: NDArray[np.float32], limit: int, bounds: Bounds | None) -> Scored:
        asked = [shelf for shelf in self._standing if bounds is None or (shelf.dated and shelf.overlap(bounds))]
        found = self._each(asked, lambda shelf: self._on(shelf, vector, limit, bounds))
        best = {passage_id: score for part in found for passage_id, score in part}
        return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def _each(self, shelves: Sequence[Shelf], ask: Callable[[Shelf], _T]) -> list[_T]:
        return list(self._pool.map(ask, shelves) if len(shelves) > 1 else map(ask, shelves))

    def _on(self, shelf: Shelf, vector: NDArray[np.float32], limit: int, bounds: Bounds | None) -> Scored:
        part = shelf.overlap(bounds) if bounds else None
        if part is None or (part == (shelf.first, shelf.after) and not shelf.undated):
            return self._read(shelf, lambda collection: _nearest(collection, vector, limit), [])
        return self._read(shelf, lambda collection: self._at_edge(collection, shelf, part, vector, limit), [])

    def _at_edge(
        self, collection: Collection, shelf: Shelf, part: Bounds, vector: NDArray[np.float32], limit: int
    ) -> Scored:
        inside, dated = (self._shelves.articles_within(bounds) for bounds in (part, (shelf.first, shelf.after)))
        fetch = ceil(_SURPLUS * limit * dated / max(inside, 1))
        # To compare a passage's vector directly costs 0.03 ms, to fetch a neighbour 0.01 ms; five passages an article.
        while 0.15 * inside > 0.01 * fetch:
            near = _nearest(collection, vector, fetch)
            kept = self._within(part, near, inside)[:limit]
            if len(kept) == limit or len(near) < fetch:
                return kept
            fetch *= _FARTHER
        return _compared(collection, vector, self._shelves.passages_within(part))[:limit]

    def _within(self, part: Bounds, near: Scored, inside: int) -> Scored:
        """Those of `near` that are dated within `part`, where `inside` articles are; in the cheaper of two ways."""
        if 2 * inside < len(near):
            members = set(self._shelves.passages_within(part))
            return [found for found in near if found[0] in members]
        moments = self._shelves.moments(passage_id for passage_id, _ in near)
        return [found for found in near if _lies_in(part, moments.get(found[0]))]

    def _vectors_of(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        nothing: dict[str, NDArray[np.float32]] = {}
        return self._by_shelf(ids, lambda shelf, wanted: self._read(shelf, partial(_held, ids=wanted), nothing))

    def _by_shelf(self, ids: Sequence[str], read: Callable[[Shelf, list[str]], dict[str, _T]]) -> dict[str, _T]:
        """What `read` finds for the passages on each shelf; nothing where these vectors were dropped."""
        moments = self._shelves.moments(ids) if self._standing else {}
        known = list(moments)
        wanted = {shelf: [known[row] for row in rows] for shelf, rows in self._sorted(list(moments.values())).items()}
        parts = self._each(list(wanted), lambda shelf: read(shelf, wanted[shelf]))
        return {passage_id: found for part in parts for passage_id, found in part.items()}


def _nearest(collection: Collection, vector: NDArray[np.float32], limit: int) -> Scored:
    found = collection.query(query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"])
    distances = (found["distances"] or [[]])[0]
    return [(passage_id, 1.0 - distance) for passage_id, distance in zip(found["ids"][0], distances, strict=True)]


def _compared(collection: Collection, vector: NDArray[np.float32], ids: list[str]) -> Scored:
    scores = [(passage_id, float(held @ vector)) for passage_id, held in _held(collection, ids).items()]
    return sorted(scores, key=lambda item: -item[1])


def _held(collection: Collection, ids: list[str]) -> dict[str, NDArray[np.float32]]:
    if not ids:  # Chroma takes no ids for all
        return {}
    found = collection.get(ids=ids, include=["embeddings"])
    return dict(zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True))


def _bounds(period: Period | None) -> Bounds | None:
    if period is None:
        return None
    first, last = period.timestamps()
    return first, None if last is None else last + 1


def _lies_in(part: Bounds, moment: int | None) -> bool:
    first, after = part
    return moment is not None and (first is None or moment >= first) and (after is None or moment < after)
