"""Index: vectors and words side by side. Everything in it can be built again from the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.articles import Passage, Period
from archive.chroma import Chroma
from archive.ledger import Ledger
from archive.queries import WordQuery
from archive.records import Pending
from archive.vectors import Vectors
from archive.words import Words

Found = list[tuple[str, float]]  # (passage id, score), best first


class Index:
    """What can be searched. One process writes, any number read."""

    def __init__(self, ledger: Ledger, home: Path, chroma_url: str = "", embedder: str | None = None) -> None:
        """`embedder` is the name of the one whose vectors are searched, by default the one that the ledger names."""
        serving = embedder or ledger.fact("embedder") or ""
        self._vectors = Vectors(ledger, Chroma(home, chroma_url, later=True), serving)
        self._words = Words(home)

    def of(self, embedder: str) -> "Index":
        """The same words with the vectors of another embedder."""
        other = copy(self)
        other._vectors = self._vectors.of(embedder)
        return other

    @property
    def vectors(self) -> Vectors:
        """One side of it, for what compares and mends it."""
        return self._vectors

    @property
    def words(self) -> Words:
        """The other side of it, for what compares and mends it."""
        return self._words

    def claim(self) -> None:
        """Make a new archive's vectors those of this embedder; for its first writer."""
        self._vectors.claim()

    def apply(self, pending: Pending, vectors: NDArray[np.float32]) -> None:
        """Take `pending.removed` out, bring `pending.passages` in with `vectors` (n, d) in the same order, commit."""
        self._vectors.apply(pending.passages, vectors, pending.removed)
        self._words.apply(pending.passages, [passage_id for passage_id, _ in pending.removed])

    def search_dense(self, vector: NDArray[np.float32], limit: int, period: Period | None = None) -> Found:
        """Passages nearest to a normalized query vector (d,), by cosine."""
        return self._vectors.search(vector, limit, period)

    def search_words(self, text: str | WordQuery, limit: int, period: Period | None = None) -> Found:
        """Passages that share words with `text` and hold to its operators, by BM25; see archive/queries.py."""
        return self._words.search(text, limit, period)

    def vectors_of(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors (d,) of those passages that are held."""
        return self._vectors.vectors_of(ids)

    @property
    def lacks_words(self) -> bool:
        """Whether no passage can be found by its words: they are lost, or of another version."""
        return self._words.count() == 0

    def rebuild_words(self, passages: Iterable[Passage]) -> int:
        """Make the words anew from every passage of the ledger, under the write lock; returns how many they are."""
        return self._words.rebuild(passages)

    def counts(self) -> tuple[int, int]:
        """Passages held as vectors and as words."""
        return self._vectors.count(), self._words.count()

    def held(self) -> tuple[Iterator[tuple[str, str | None]], Iterator[tuple[str, str]]]:
        """(passage id, content hash) of every entry of the vectors and of the words; see Passage.content_hash."""
        return self._vectors.held(), self._words.held()

    def discard(self, ids: Sequence[str]) -> None:
        """Take passages out that the ledger doesn't hold; it can't say on which shelf they are."""
        self._vectors.discard(ids)
        self._words.apply([], ids)

    def lost(self) -> tuple[bool, bool]:
        """Whether there are no vectors, and no words."""
        return self._vectors.empty(), not self._words.count()

    def tidy(self) -> None:
        """Drop what a writer that broke off has left; for the one that holds the write lock."""
        self._vectors.tidy()

    def reload(self) -> None:
        """See what another process committed."""
        self._vectors.reload()
        self._words.reload()

    def close_writer(self) -> None:
        """Give up what only a writer holds."""
        self._words.close_writer()
