"""Shelves: which collection holds the vectors of which time. The table is the ledger's: a switch is one transaction.

Each embedder has shelves of its own, so vectors of two models never meet. Those of the embedder that the ledger names
are searched; those of others rest where they are.

A shelf that has grown too large is split by date like a leaf of a B-tree, which keeps a search within a period as cheap
in an archive of millions as in a young one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from uuid import uuid4

from archive.articles import TIME_ZONE
from archive.ledger import Ledger
from archive.schema import FIRST_SHELF, MOMENT

Bounds = tuple[int | None, int | None]  # [first, after) in Unix seconds; None is open

_SMALLER = 0.25  # share that the smaller part of a split holds at least, or the cut is at a day and not at a month


@dataclass(frozen=True, slots=True)
class Shelf:
    """Passages published in [first, after), Unix seconds, None open; `undated`: those without a date lie here too.

    `name` is that of the collection. `version` grows with each change of what lies here; 0: nothing was ever put here.
    """

    name: str
    first: int | None
    after: int | None
    undated: bool = False
    version: int = 0

    @property
    def dated(self) -> bool:
        """Whether any date can lie here; the shelf of the undated alone has an empty range."""
        return self.first is None or self.after is None or self.first < self.after

    def holds(self, moment: int | None) -> bool:
        """Whether a passage of this publication time belongs here."""
        return self.undated if moment is None else self.overlap((moment, moment + 1)) is not None

    def overlap(self, bounds: Bounds) -> Bounds | None:
        """The part of `bounds` that lies on this shelf, or None."""
        first = max((at for at in (self.first, bounds[0]) if at is not None), default=None)
        after = min((at for at in (self.after, bounds[1]) if at is not None), default=None)
        return None if first is not None and after is not None and first >= after else (first, after)


class Shelves:
    """The table of one embedder's shelves, and the dates that it is about."""

    def __init__(self, ledger: Ledger, embedder: str) -> None:
        self._ledger = ledger
        self._embedder = embedder

    def claim(self) -> None:
        """Make the shelf of a new archive this embedder's; for its first writer."""
        self._ledger.db.execute("UPDATE shelves SET embedder = ? WHERE embedder = ''", (self._embedder,))

    def begin(self, like: str) -> None:
        """Plan an embedder's first shelves with the bounds of another's: they fit the same passages."""
        other = Shelves(self._ledger, like)
        with self._ledger.transaction() as db:
            other.claim()
            if not db.execute(
                "SELECT 1 FROM shelves WHERE embedder = ? AND state = 'serving'", (self._embedder,)
            ).fetchone():
                for shelf in other.serving():
                    row = (_new_name(), shelf.first, shelf.after, int(shelf.undated), self._embedder)
                    db.execute("INSERT INTO shelves VALUES (?, ?, ?, ?, 0, 'serving', ?)", row)

    def retire(self) -> None:
        """From here on all of this embedder's shelves are to be dropped."""
        self._ledger.db.execute("UPDATE shelves SET state = 'leaving' WHERE embedder = ?", (self._embedder,))

    def retire_others(self) -> None:
        """All other embedders' shelves are to be dropped: what lay there is lost."""
        self._ledger.db.execute("UPDATE shelves SET state = 'leaving' WHERE embedder NOT IN (?, '')", (self._embedder,))

    def resting(self) -> tuple[Shelf, ...]:
        """Shelves of all other embedders that something was ever put on."""
        query = "SELECT * FROM shelves WHERE embedder NOT IN (?, '') AND state = 'serving' AND version > 0"
        return tuple(_shelf(row) for row in self._ledger.db.execute(query, (self._embedder,)))

    def serving(self) -> tuple[Shelf, ...]:
        """The shelves that hold the archive, oldest first, the undated alone last."""
        found = (shelf for shelf, state in self._all() if state == "serving")
        return tuple(sorted(found, key=lambda shelf: (not shelf.dated, shelf.first is not None, shelf.first or 0)))

    def unfinished(self) -> tuple[Shelf, ...]:
        """What a split that broke off has left: new shelves not yet in use, old ones not yet dropped."""
        return tuple(shelf for shelf, state in self._all() if state != "serving")

    def _all(self) -> Iterator[tuple[Shelf, str]]:
        for row in self._ledger.db.execute("SELECT * FROM shelves WHERE embedder IN (?, '')", (self._embedder,)):
            yield _shelf(row), row["state"]

    def plan(self, ranges: Iterable[tuple[Bounds, bool]]) -> tuple[Shelf, ...]:
        """Note new shelves of these bounds, undated or not, to be filled; none is in use yet."""
        new = tuple(Shelf(_new_name(), *bounds, undated) for bounds, undated in ranges)
        with self._ledger.transaction() as db:
            for shelf in new:
                row = (shelf.name, shelf.first, shelf.after, int(shelf.undated), self._embedder)
                db.execute("INSERT INTO shelves VALUES (?, ?, ?, ?, 0, 'building', ?)", row)
                db.execute(_SUSPECT, (shelf.name,))
        return new

    def switch(self, old: Shelf, new: Sequence[Shelf]) -> None:
        """From here on `new` stand for `old`, which is to be dropped."""
        with self._ledger.transaction() as db:
            db.execute("UPDATE shelves SET state = 'leaving' WHERE name = ?", (old.name,))
            for shelf in new:
                db.execute("UPDATE shelves SET state = 'serving', version = 1 WHERE name = ?", (shelf.name,))

    def close_at(self, last: Shelf, after: int, successor: Shelf) -> None:
        """End the last shelf at `after`, where the planned `successor` begins."""
        with self._ledger.transaction() as db:
            db.execute("UPDATE shelves SET after = ? WHERE name = ?", (after, last.name))
            db.execute("UPDATE shelves SET state = 'serving' WHERE name = ?", (successor.name,))

    def forget(self, shelf: Shelf) -> None:
        """Strike a shelf whose collection is dropped."""
        self._ledger.db.execute("DELETE FROM shelves WHERE name = ?", (shelf.name,))

    def changed(self, names: Iterable[str]) -> None:
        """Count a change of these shelves up, so that readers open them anew."""
        with self._ledger.transaction() as db:
            db.executemany("UPDATE shelves SET version = version + 1 WHERE name = ?", [(name,) for name in names])

    def suspect(self, names: Iterable[str]) -> None:
        """Note, before a change, that these shelves are whole only when it has ended."""
        for name in names:
            self._ledger.db.execute(_SUSPECT, (name,))

    def suspects(self) -> frozenset[str]:
        """Shelves in use that a writer was at when it broke off; for the next one, before it changes anything."""
        noted = {row[0] for row in self._ledger.db.execute("SELECT shelf FROM suspects")}
        return frozenset(shelf.name for shelf in self.serving() if shelf.name in noted)

    def settle(self) -> None:
        """All of this embedder's shelves are known to be whole."""
        names = "SELECT name FROM shelves WHERE embedder NOT IN (?, '')"
        self._ledger.db.execute(f"DELETE FROM suspects WHERE shelf NOT IN ({names})", (self._embedder,))

    def moments(self, ids: Iterable[str]) -> dict[str, int | None]:
        """Publication as Unix seconds, None undated, of those passages that the ledger holds."""
        return {row[0]: row[1] for row in self._ledger.select(_MOMENTS, ids)}

    def newest(self) -> int:
        """Unix seconds of the newest article; 0 where none is dated."""
        return int(self._ledger.db.execute(f"SELECT max({MOMENT}) FROM articles").fetchone()[0] or 0)

    def articles_within(self, bounds: Bounds) -> int:
        """Dated articles of [first, after); reads the index alone."""
        counted = self._ledger.db.execute(f"SELECT count(*) FROM articles WHERE {_WITHIN}", _filled(bounds))
        return int(counted.fetchone()[0])

    def dated_within(self, ids: Iterable[str], bounds: Bounds) -> set[str]:
        """Those of the passages whose articles the ledger dates to [first, after).

        Reads indexes alone. Rows lie between texts: 600 of them, spread over years, take 270 ms from the disk, not 20.
        """
        by_article: dict[str, list[str]] = {}
        for passage_id in ids:
            by_article.setdefault(passage_id.rpartition("#")[0], []).append(passage_id)
        first, after = _filled(bounds)
        # The plus keeps SQLite from walking through all that was published within the bounds.
        query = f"""SELECT id FROM articles WHERE id IN ({{}})
            AND +rowid IN (SELECT rowid FROM articles WHERE {MOMENT} >= {first} AND {MOMENT} < {after})"""
        return {passage_id for row in self._ledger.select(query, by_article) for passage_id in by_article[row["id"]]}

    def passages_within(self, bounds: Bounds) -> list[str]:
        """Ids of the dated passages of [first, after)."""
        joined = "articles JOIN passages ON article_id = articles.id"
        rows = self._ledger.db.execute(f"SELECT passages.id FROM {joined} WHERE {_WITHIN}", _filled(bounds))
        return [row[0] for row in rows]


def _new_name() -> str:
    return f"{FIRST_SHELF}-{uuid4().hex[:12]}"


def _shelf(row: sqlite3.Row) -> Shelf:
    return Shelf(row["name"], row["first"], row["after"], bool(row["undated"]), row["version"])


_SUSPECT = "INSERT OR IGNORE INTO suspects VALUES (?)"
_MOMENTS = f"""SELECT passages.id, {MOMENT}
    FROM passages JOIN articles ON articles.id = article_id WHERE passages.id IN ({{}})"""
_WITHIN = f"{MOMENT} >= ? AND {MOMENT} < ?"
_ALWAYS, _FOREVER = -(2**62), 2**62


def _filled(bounds: Bounds) -> tuple[int, int]:
    first, after = bounds
    return (_ALWAYS if first is None else first, _FOREVER if after is None else after)


def next_month(moment: int) -> int:
    """The start of the month after `moment`, in German time."""
    day = datetime.fromtimestamp(moment, TIME_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int((day + timedelta(days=32)).replace(day=1).timestamp())


def cut(moments: Iterable[int]) -> int | None:
    """Where to split passages of these times in two: the start of a month near the median, else of a day.

    None where all are of one day. Questions ask for months, and a month that lies on one shelf whole needs no second.
    """
    days = [datetime.fromtimestamp(moment, TIME_ZONE).date() for moment in sorted(moments)]
    starts = [(before, right) for before, (left, right) in enumerate(pairwise(days), 1) if left != right]
    months = [(before, day.replace(day=1)) for before, day in starts if days[before - 1] < day.replace(day=1)]
    even = [start for start in months if _SMALLER <= start[0] / len(days) <= 1 - _SMALLER]
    if not starts:
        return None
    _, day = min(even or starts, key=lambda start: abs(2 * start[0] - len(days)))
    return int(datetime.combine(day, time.min, TIME_ZONE).timestamp())
