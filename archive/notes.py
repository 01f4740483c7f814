"""Notes of what the indexes still have to do, written in the same transaction as the articles themselves.

A transactional outbox (source: microservices.io/patterns/data/transactional-outbox): a crash between the ledger and the
indexes loses nothing, and what is still noted when the archive is opened next is applied then.
"""

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from archive.records import Pending
from archive.schema import MOMENT

if TYPE_CHECKING:
    from archive.ledger import Ledger


class Notes:
    """The notes of one ledger."""

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def pending(self, limit: int) -> Pending:
        """Up to `limit` of the oldest notes. A passage that was removed and added again is both."""
        notes = self._ledger.db.execute("SELECT * FROM notes ORDER BY number LIMIT ?", (limit,)).fetchall()
        latest = {note["passage_id"]: note["action"] for note in notes}
        added = self._ledger.passages(passage_id for passage_id, action in latest.items() if action == "add")
        removed = dict.fromkeys((note["passage_id"], note["moment"]) for note in notes if note["action"] == "remove")
        return Pending(tuple(added.values()), tuple(removed), notes[-1]["number"] if notes else 0)

    def done(self, pending: Pending) -> None:
        """Strike the notes that the indexes have committed."""
        self._ledger.db.execute("DELETE FROM notes WHERE number <= ?", (pending.last,))

    def again(self, ids: Iterable[str]) -> None:
        """Note passages again that an index lacks or holds wrongly; those that aren't here are left alone."""
        with self._ledger.transaction() as db:
            wanted = ((passage_id,) for passage_id in ids)
            db.executemany("INSERT INTO notes (passage_id, action) SELECT id, 'add' FROM passages WHERE id = ?", wanted)

    def all_again(self) -> None:
        """Note every passage again, for indexes that are built anew; what is noted for removal stays so."""
        with self._ledger.transaction() as db:
            db.execute("DELETE FROM notes WHERE action = 'add'")
            db.execute("INSERT INTO notes (passage_id, action) SELECT id, 'add' FROM passages ORDER BY rowid")


def note_added(db: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Note passages that were stored, within the transaction that stores them."""
    db.executemany("INSERT INTO notes (passage_id, action) VALUES (?, 'add')", [(passage_id,) for passage_id in ids])


def note_removal(db: sqlite3.Connection, article_id: str) -> None:
    """Note all passages of an article for removal and delete them, within the transaction that changes it."""
    db.execute(
        f"""INSERT INTO notes (passage_id, action, moment) SELECT passages.id, 'remove', {MOMENT}
            FROM passages JOIN articles ON articles.id = article_id WHERE article_id = ?""",
        (article_id,),
    )
    db.execute("DELETE FROM passages WHERE article_id = ?", (article_id,))
