"""Sketches of texts, by which near-identical articles are found among all without comparing each with each.

A text is the set of its runs of three words. MinHash (Broder, On the resemblance and containment of documents, 1997)
makes a few numbers of it, two of which agree for two texts with the probability of their Jaccard similarity; pairs of
them are looked up as bands (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3). With 32 bands of two a
text that shares 0.4 of its runs with another is found with a probability of 0.996, one that shares 0.02 with 0.013.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from archive.articles import Article
from archive.ledger import Ledger

Hashes = NDArray[np.uint64]

SHORTEST = 40  # words; a headline with its teaser says too little of itself to be told from the next one's
_RUN = 3  # words
_BANDS, _ROWS = 32, 2
# What is looked up is stored, so a change of any number here, or of what counts as a word, needs a new name.
_METHOD = f"{_RUN} words, {_BANDS} bands of {_ROWS}"
_FACT = "sketches"
_MOST = 40  # candidates of one text, those that share most bands
_WORD = re.compile(r"\w+")
_DAY = 86_400


@dataclass(frozen=True)
class Sketch:
    """A text's runs of words as sorted, distinct hashes, and the day of its publication since 1970 (UTC)."""

    runs: Hashes
    day: int

    @cached_property
    def bands(self) -> tuple[int, ...]:
        """32 numbers of 32 bits, signed."""
        # Multiply-shift (Dietzfelbinger and others, 1997): as good as a random order, without a division.
        hashed = (np.multiply.outer(_FACTORS, self.runs) + _SUMMANDS[:, None]) >> np.uint64(32)
        lowest = hashed.min(axis=1).reshape(_BANDS, _ROWS)
        values = np.arange(_BANDS, dtype=np.uint64)
        for row in range(_ROWS):
            values = _mixed(values + lowest[:, row])
        return tuple((values >> np.uint64(32)).astype(np.uint32).view(np.int32).tolist())


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How much two texts share, 0 to 1, of the runs of both (`jaccard`) and of the shorter one's (`contained`)."""

    jaccard: float
    contained: float


def sketch_of(article: Article) -> Sketch | None:
    """The sketch of an article's text; None where it is short or undated: what is said again each year is no repeat."""
    words = _WORD.findall(article.text.lower())
    if len(words) < SHORTEST or article.published is None:
        return None
    hashed = np.fromiter((crc32(word.encode()) for word in words), np.uint64, len(words))
    runs = hashed[: len(words) - _RUN + 1]
    for place in range(1, _RUN):
        runs = _mixed(runs) + hashed[place : len(words) - _RUN + 1 + place]
    return Sketch(np.unique(_mixed(runs)), int(article.published.timestamp() // _DAY))


def resemblance(one: Sketch, other: Sketch) -> Resemblance:
    """How much two texts share, counted."""
    shared = len(np.intersect1d(one.runs, other.runs, assume_unique=True))
    sizes = len(one.runs), len(other.runs)
    return Resemblance(shared / (sum(sizes) - shared), shared / min(sizes))


class Sketches:
    """The sketches of the articles in a ledger; they go with the article they are of."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, sketches: Iterable[tuple[str, Sketch | None]]) -> None:
        """Keep the sketches of stored articles by id, in place of older ones; None only takes the older one away."""
        with self._ledger.transaction() as db:
            for article_id, sketch in sketches:
                db.execute("DELETE FROM sketches WHERE article_id = ?", (article_id,))
                if sketch is not None:
                    number = db.execute("INSERT INTO sketches (article_id) VALUES (?)", (article_id,)).lastrowid
                    db.executemany(
                        "INSERT OR IGNORE INTO bands VALUES (?, ?, ?)",
                        [(value, sketch.day, number) for value in sketch.bands],
                    )

    def near(self, sketch: Sketch, days: int) -> list[tuple[str, float]]:
        """Ids of articles that may resemble it, published `days` before or after it at most, the likeliest first.

        The number beside each is an estimate of their Jaccard similarity, 0.1 off in either direction.
        """
        rows = self._ledger.db.execute(_NEAR, (*sketch.bands, sketch.day - days, sketch.day + days))
        return [(row["article_id"], (row["shared"] / _BANDS) ** (1 / _ROWS)) for row in rows]

    @property
    def complete(self) -> bool:
        """Whether every article has been looked at, also those that came before there were sketches."""
        return self._ledger.fact(_FACT) == _METHOD

    def missing(self) -> list[str]:
        """Ids of articles, withdrawn ones too, that may be long enough for a sketch and have none, oldest first.

        Sketches of another method than today's are thrown away first.
        """
        if self._ledger.fact(_FACT) not in (None, _METHOD):
            self._ledger.db.execute("DELETE FROM sketches")
        return [row["id"] for row in self._ledger.db.execute(_MISSING, (2 * SHORTEST,))]

    def note_complete(self) -> None:
        """Note that there is nothing left to look at."""
        self._ledger.set_fact(_FACT, _METHOD)


def _mixed(numbers: Hashes) -> Hashes:
    """Each number scattered over 64 bits (the finalizer of SplitMix64, Steele and others, 2014)."""
    numbers = (numbers + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


# Not from numpy's generators, whose numbers may change with its version.
_FACTORS = _mixed(np.arange(_BANDS * _ROWS, dtype=np.uint64)) | np.uint64(1)
_SUMMANDS = _mixed(np.arange(_BANDS * _ROWS, 2 * _BANDS * _ROWS, dtype=np.uint64))
_NEAR = f"""SELECT article_id, shared FROM (
        SELECT number, count(*) AS shared FROM bands
        WHERE value IN ({",".join("?" * _BANDS)}) AND day BETWEEN ? AND ?
        GROUP BY number ORDER BY shared DESC, number LIMIT {_MOST}
    ) JOIN sketches USING (number) ORDER BY shared DESC, number"""
_MISSING = """SELECT id FROM articles WHERE published IS NOT NULL AND length(text) >= ?
    AND id NOT IN (SELECT article_id FROM sketches) ORDER BY rowid"""
