"""The vector side of the index: collections of Chroma, each a shelf for a stretch of publication time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TypeVar

import numpy as np
from chromadb.api.models.Collection import Collection
from chromadb.errors import NotFoundError
from numpy.typing import NDArray

from archive.articles import Passage, Period
from archive.chroma import Chroma
from archive.entries import HASH, hashes
from archive.ledger import Ledger
from archive.shelf_reading import Scored, ShelfReader
from archive.shelves import Shelf, Shelves
from archive.splitting import fit, tidy

_T = TypeVar("_T")

_BATCH = 500


class Vectors:
    """One embedder's passage vectors by passage id, on shelves by their date. Texts and dates stay in the ledger."""

    def __init__(self, ledger: Ledger, chroma: Chroma, embedder: str) -> None:
        self._ledger = ledger
        self._chroma = chroma
        self._shelves = Shelves(ledger, embedder)
        self._standing = self._shelves.serving()
        self._reader = ShelfReader(self._shelves, chroma)

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
        before, after = {shelf.name: shelf.version for shelf in self._standing}, self._shelves.serving()
        changed = [shelf.name for shelf in after if before.get(shelf.name) != shelf.version]
        self._chroma.reopen(changed, gone=before.keys() - {shelf.name for shelf in after})
        self._standing = after

    def count(self) -> int:
        """Vectors held. The first count reads every graph into memory, as the first question does."""
        return sum(self._counts())

    def empty(self) -> bool:
        """Whether no vectors are held; reads the newest graph, which a writer needs anyway, and rarely more."""
        return not any(self._counts())

    def _counts(self) -> Iterator[int]:
        for shelf in reversed(self._standing):
            with self._chroma.errors(), suppress(NotFoundError):  # deleted by hand, to be built again
                yield self._reader.read(shelf, Collection.count, 0)

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
            ids = [passage.id for passage in part]
            with self._chroma.writing():
                # A vector that is replaced in its place may lose its neighbours: of 1,000 three were found no more.
                if held := collection.get(ids=ids, include=[])["ids"]:
                    collection.delete(ids=held)
                collection.add(
                    ids=ids,
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
            yield from self._reader.read(shelf, ask, nothing)

    def discard(self, ids: Iterable[str]) -> None:
        """Take passages out of whichever shelves they lie on; the ledger needn't know them."""
        wanted = list(ids)
        self.take_out(dict.fromkeys(self._standing, wanted))

    def hashes_of(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Content hashes of those passages that are held on the shelf of their date; see `held`."""
        with self._chroma.errors():
            return self._by_shelf(ids, self._reader.hashes_on)

    def strays(self) -> dict[Shelf, list[str]]:
        """By shelf, what the ledger doesn't hold, or dates to another shelf."""
        found: dict[Shelf, list[str]] = {}
        with self._chroma.errors():
            for shelf in self._standing:
                nothing: Iterator[tuple[str, str | None]] = iter(())
                held = (passage_id for passage_id, _ in self._reader.read(shelf, hashes, nothing))
                while page := list(islice(held, _BATCH)):
                    moments = self._shelves.moments(page)
                    lost = [one for one in page if one not in moments or not shelf.holds(moments[one])]
                    found.setdefault(shelf, []).extend(lost)
        return {shelf: ids for shelf, ids in found.items() if ids}

    def take_out(self, strays: Mapping[Shelf, list[str]]) -> None:
        """Take passages out of the shelves that are named with them."""
        with self._chroma.errors():
            for shelf, ids in strays.items():
                self._take_out(shelf, ids)
            self._shelves.changed(shelf.name for shelf in strays)
        self._standing = self._shelves.serving()

    def search(self, vector: NDArray[np.float32], limit: int, period: Period | None) -> Scored:
        """Nearest passages of a period as (id, cosine), best first. Undated passages match no period."""
        return self._consistent(lambda: self._reader.search(self._standing, vector, limit, period))

    def vectors_of(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors (d,) of those passages that are held."""
        return self._consistent(lambda: self._vectors_of(ids))

    def _vectors_of(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        if len(self._standing) == 1:  # all are there, whatever their dates
            return self._reader.vectors_on(self._standing[0], ids)
        return self._by_shelf(ids, self._reader.vectors_on)

    def _consistent(self, ask: Callable[[], _T]) -> _T:
        with self._chroma.errors():
            try:
                return ask()
            except NotFoundError:  # another process has split a shelf since
                self.reload()
                return ask()

    def _by_shelf(self, ids: Sequence[str], read: Callable[[Shelf, list[str]], dict[str, _T]]) -> dict[str, _T]:
        """What `read` finds for the passages on each shelf; nothing where these vectors were dropped."""
        moments = self._shelves.moments(ids) if self._standing else {}
        known = list(moments)
        wanted = {shelf: [known[row] for row in rows] for shelf, rows in self._sorted(list(moments.values())).items()}
        parts = self._reader.each(list(wanted), lambda shelf: read(shelf, wanted[shelf]))
        return {passage_id: found for part in parts for passage_id, found in part.items()}
