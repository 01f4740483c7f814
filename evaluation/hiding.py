"""An archive as it would be without some of its articles: what a question without an answer in it is asked of.

Taking articles out and putting them back would embed them again and tell every reader of something new, so they stay
and are passed over where the archive is searched.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from archive.archive import Archive
from archive.articles import Period
from archive.index import Found, Index
from archive.queries import WordQuery


class HidingIndex(Index):
    """An index that finds no passage of some articles; as many others take their places."""

    def __init__(self, index: Index, hidden: Collection[str]) -> None:
        """`hidden` are ids of passages. The index beneath is shared, not copied."""
        self._vectors, self._words = index._vectors, index._words
        self._hidden = frozenset(hidden)

    def search_dense(self, vector: NDArray[np.float32], limit: int, period: Period | None = None) -> Found:
        """As Index has it, without the hidden ones."""
        return self._visible(super().search_dense(vector, limit + len(self._hidden), period))[:limit]

    def search_words(self, text: str | WordQuery, limit: int, period: Period | None = None) -> Found:
        """As Index has it, without the hidden ones."""
        return self._visible(super().search_words(text, limit + len(self._hidden), period))[:limit]

    def _visible(self, found: Found) -> Found:
        return [(passage, score) for passage, score in found if passage not in self._hidden]


def without(archive: Archive, articles: Collection[str]) -> Archive:
    """The archive, but no search finds these articles in it. Ledger and index are shared: only the first is closed."""
    hidden = {passage.id for article in articles for passage in archive.ledger.passages_of(article)}
    return archive.showing(HidingIndex(archive.index, hidden))
