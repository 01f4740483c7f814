"""The ledger: SQLite, the source of truth. What is here exists; vectors and words can be built again from it."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from archive.articles import Article, Passage
from archive.errors import ArchiveError
from archive.ledger_faults import explained
from archive.notes import Notes, note_added, note_removal
from archive.records import (
    COLUMNS,
    Counts,
    Known,
    Record,
    article_of,
    article_values,
    known_of,
    passage_of,
    record_of,
    stamp,
)
from archive.schema import MIGRATIONS
from archive.swapping import LEDGER, mend

PATIENCE = 30.0  # seconds that a lock of another program is waited for
_LOOKUP = 500  # ids in one SELECT, below SQLite's limit on variables


def holds_archive(home: Path) -> bool:
    """Whether there is a ledger in `home`; makes none."""
    return (home / LEDGER).is_file()


def check_archive(home: Path) -> None:
    """Raise ArchiveError where `home` holds no archive: for what reads one and must not make it."""
    if not holds_archive(home):
        raise ArchiveError(f"{home}: holds no archive; set ARCHIVAR_HOME to one, or run `archivar ingest` first")


class Ledger:
    """Articles and passages of one archive. Safe to use from several threads; each gets its own connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self.notes = Notes(self)
        self._migrate()

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open or create `ledger.sqlite3` in `home`. Raises ArchiveError where that folder or file can't be used."""
        try:
            home.mkdir(parents=True, exist_ok=True)
            mend(home)  # before a half restored archive is taken for an empty one
            return cls(home / LEDGER)
        except (OSError, sqlite3.Error) as error:
            raise ArchiveError(explained(home, error)) from error

    @property
    def db(self) -> sqlite3.Connection:
        """The connection of the thread that asks."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            # Closed by close() in whichever thread ends the program; each connection is used by one thread only.
            db = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
            self._local.db = db
            self._connections.append(db)
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one writer at a time."""
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _migrate(self) -> None:
        if self._version() < len(MIGRATIONS):
            with self.transaction() as db:
                for migration in MIGRATIONS[self._version() :]:  # another process may have come first
                    for statement in migration.split(";"):
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        return int(self.db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close every thread's connection."""
        for db in self._connections:
            db.close()
        self._connections.clear()
        self._local = threading.local()

    def fact(self, name: str) -> str | None:
        """A fact about the archive, such as the name of its embedder."""
        row = self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row["value"] if row else None

    def set_fact(self, name: str, value: str) -> None:
        """Write a fact, replacing an older one."""
        self.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def counts(self) -> Counts:
        """Articles, passages and pending notes, counted now."""
        row = self.db.execute("""SELECT
            (SELECT count(*) FROM articles WHERE withdrawn IS NULL), (SELECT count(*) FROM passages),
            (SELECT count(*) FROM notes WHERE action = 'add')""").fetchone()
        return Counts(*row)

    def article(self, article_id: str) -> Article | None:
        """The article as it was stored, or None; withdrawn ones are none."""
        record = self.record(article_id)
        return record.article if record and not record.withdrawn else None

    def record(self, article_id: str) -> Record | None:
        """The article with its history, withdrawn or not, or None."""
        row = self.db.execute("SELECT * FROM articles WHERE id = ?", (article_id,)).fetchone()
        return record_of(row) if row else None

    def articles(self) -> Iterator[Article]:
        """Every article that isn't withdrawn, in the order of its arrival."""
        for row in self.db.execute("SELECT * FROM articles WHERE withdrawn IS NULL ORDER BY rowid"):
            yield article_of(row)

    def known(self, ids: Iterable[str]) -> dict[str, Known]:
        """What is held for those of `ids` that exist."""
        rows = self.select(f"SELECT *, {_WHOLE} AS whole FROM articles WHERE id IN ({{}})", ids)
        return {row["id"]: known_of(row) for row in rows}

    def ids_of_source(self, source: str) -> list[str]:
        """Ids of all articles of a source, withdrawn ones too."""
        return [row["id"] for row in self.db.execute("SELECT id FROM articles WHERE source = ?", (source,))]

    def at_addresses(self, urls: Iterable[str]) -> dict[str, str]:
        """Ids of the articles that these addresses lead to, or have led to before they moved, by address."""
        wanted = tuple(urls)
        moved = {row["url"]: row["article_id"] for row in self.select(_MOVED, wanted)}
        return moved | {row["url"]: row["id"] for row in self.select(_AT, wanted)}

    def addresses_of(self, article_id: str) -> list[str]:
        """Addresses that an article has had or is also known by, its own left out."""
        rows = self.db.execute("SELECT url FROM addresses WHERE article_id = ?", (article_id,))
        return [row["url"] for row in rows]

    def note_addresses(self, article_id: str, urls: Iterable[str]) -> None:
        """Note further addresses of an article that is held."""
        rows = [(url, article_id) for url in urls]
        if rows:
            with self.transaction() as db:
                db.executemany("INSERT OR REPLACE INTO addresses VALUES (?, ?)", rows)

    def passages(self, ids: Iterable[str]) -> dict[str, Passage]:
        """Those of the passages that exist, by id."""
        rows = self.select(f"{_PASSAGES} WHERE passages.id IN ({{}})", ids)
        return {row["id"]: passage_of(row) for row in rows}

    def passages_of(self, article_id: str) -> tuple[Passage, ...]:
        """All passages of an article in reading order."""
        rows = self.db.execute(f"{_PASSAGES} WHERE article_id = ? ORDER BY position", (article_id,))
        return tuple(passage_of(row) for row in rows)

    def every_passage(self) -> Iterator[Passage]:
        """The passages of every article that isn't withdrawn, article by article."""
        for article in self.articles():
            yield from self.passages_of(article.id)

    def select(self, query: str, ids: Iterable[str]) -> Iterator[sqlite3.Row]:
        """Rows of a query whose `{}` stands for some of `ids`, each id once, in parts that SQLite takes."""
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _LOOKUP):
            part = wanted[start : start + _LOOKUP]
            yield from self.db.execute(query.format(",".join("?" * len(part))), part)

    def store(self, batch: Iterable[tuple[Article, Sequence[Passage]]]) -> None:
        """Store articles with their passages in one transaction; an older version under the same id is replaced.

        A text that comes to a headline completes it and is no second version.
        """
        now = stamp()
        with self.transaction() as db:
            for article, passages in batch:
                version, updated = self._next_version(db, article, now)
                db.execute(_STORE, (*article_values(article), now, version, updated))
                db.executemany(
                    "INSERT INTO passages VALUES (?, ?, ?, ?)",
                    [(passage.id, article.id, passage.position, passage.text) for passage in passages],
                )
                note_added(db, (passage.id for passage in passages))

    @staticmethod
    def _next_version(db: sqlite3.Connection, article: Article, now: str) -> tuple[int, str | None]:
        row = db.execute(
            "SELECT version, updated, text = '' AS headline FROM articles WHERE id = ?", (article.id,)
        ).fetchone()
        if row is None:
            return 1, None
        note_removal(db, article.id)
        if row["headline"] and article.text:
            return row["version"], row["updated"]
        return row["version"] + 1, now

    def withdraw(self, article_id: str) -> bool:
        """Take an article out of the indexes and keep it as withdrawn; False where it isn't there or was so before."""
        now = stamp()
        with self.transaction() as db:
            note_removal(db, article_id)
            query = "UPDATE articles SET withdrawn = ? WHERE id = ? AND withdrawn IS NULL"
            return db.execute(query, (now, article_id)).rowcount > 0

    def remove(self, article_id: str) -> bool:
        """Delete an article, overwriting its bytes, and note its passages for removal; False where it wasn't there."""
        self.db.execute("PRAGMA secure_delete = ON")
        try:
            with self.transaction() as db:
                note_removal(db, article_id)
                return db.execute("DELETE FROM articles WHERE id = ?", (article_id,)).rowcount > 0
        finally:
            self.db.execute("PRAGMA secure_delete = OFF")

    def shrink(self) -> None:
        """Leave nothing of what was deleted or replaced in the files: all is written anew and the log emptied."""
        self.db.execute("VACUUM")  # earlier versions of an article lie in pages that are free since
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


_PASSAGES = """SELECT passages.id, article_id, position, passages.text, title, published, url, source
    FROM passages JOIN articles ON articles.id = article_id"""
_WHOLE = "(text != '' OR (paid AND teaser != ''))"
_MOVED = "SELECT url, article_id FROM addresses WHERE url IN ({})"
_AT = "SELECT url, id FROM articles WHERE url IN ({})"
# Not INSERT OR REPLACE, which deletes the row, its place in the order of arrival, and all that refers to it.
_STORE = f"""INSERT INTO articles ({", ".join(COLUMNS)}, added, version, updated)
    VALUES ({", ".join("?" * (len(COLUMNS) + 3))}) ON CONFLICT (id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[1:], "version", "updated"))}, withdrawn = NULL"""
