"""What is watched: articles that a feed has named, and when their own pages are to be visited next."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from archive.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Watch:
    """One article's place in the round of visits.

    `entry` tells what its feed said last from what it says now. `visits` counts how often its page was read, `failures`
    how often in a row it couldn't be. `due` is aware; None: not to be visited (any more).
    """

    article_id: str
    entry: str
    visits: int = 0
    failures: int = 0
    due: datetime | None = None

    def later(self, now: datetime, seconds: float | None) -> Self:
        """The same, due in so many seconds."""
        return replace(self, due=None if seconds is None else now + timedelta(seconds=seconds))


class Watched:
    """The table of watches. Those of an article that is removed go with it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, ids: Iterable[str]) -> dict[str, Watch]:
        """The watches of those articles that have one."""
        rows = self._ledger.select("SELECT * FROM watched WHERE article_id IN ({})", ids)
        return {row["article_id"]: _watch(row) for row in rows}

    def note(self, watches: Iterable[Watch]) -> None:
        """Write watches of articles that are held, replacing older ones; of others none is kept."""
        rows = [(one.entry, one.visits, one.failures, _text(one.due), one.article_id) for one in watches]
        if rows:
            with self._ledger.transaction() as db:
                db.executemany(_NOTE, rows)

    def due(self, now: datetime, limit: int) -> list[tuple[Watch, str]]:
        """Watches whose time has come, the longest waiting first, with the addresses of their articles."""
        rows = self._ledger.db.execute(_DUE, (_text(now), limit)).fetchall()
        return [(_watch(row), row["url"]) for row in rows]

    def next(self) -> datetime | None:
        """When the next page is due, or None."""
        (due,) = self._ledger.db.execute("SELECT min(due) FROM watched").fetchone()
        return datetime.fromisoformat(due) if due else None


# An article may have been removed while its page was read.
_NOTE = """INSERT OR REPLACE INTO watched (entry, visits, failures, due, article_id)
    SELECT ?1, ?2, ?3, ?4, id FROM articles WHERE id = ?5"""
_DUE = """SELECT watched.*, url FROM watched JOIN articles ON id = article_id
    WHERE due <= ? AND url IS NOT NULL ORDER BY due, watched.rowid LIMIT ?"""


def _watch(row: sqlite3.Row) -> Watch:
    due = datetime.fromisoformat(row["due"]) if row["due"] else None
    return Watch(row["article_id"], row["entry"], row["visits"], row["failures"], due)


def _text(moment: datetime | None) -> str | None:
    """In UTC and of one length, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
