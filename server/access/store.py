"""keys.sqlite3: keys, how much of their quotas is used, and the secret that signs links.

A file of its own, so that no backup of the archive holds keys, and several servers share it. SQLite's WAL needs them to
be on one machine.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.errors import ArchiveError, BadKey
from server.access.keys import Key, Right

FILE = "keys.sqlite3"
_VERSION = 1
_PATIENCE = 5.0  # seconds with another process that writes
_PLACES = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, rights TEXT NOT NULL, added TEXT NOT NULL,
    per_minute INTEGER, per_day INTEGER, trusts_users INTEGER NOT NULL, expires TEXT, revoked TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS used (
    key TEXT NOT NULL, user TEXT NOT NULL,
    minute INTEGER NOT NULL, in_minute INTEGER NOT NULL, day TEXT NOT NULL, in_day INTEGER NOT NULL,
    PRIMARY KEY (key, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
PRAGMA user_version = {_VERSION};
"""
_UNLIMITED = 2**62  # NULL would make every comparison with it unknown

# One statement, so that two servers can't both take the last place. Where a quota is used up, it returns nothing.
_COUNT = """
INSERT INTO used VALUES (:key, :user, :minute, 1, :day, 1)
ON CONFLICT (key, user) DO UPDATE SET
    in_minute = CASE minute WHEN excluded.minute THEN in_minute + 1 ELSE 1 END, minute = excluded.minute,
    in_day = CASE day WHEN excluded.day THEN in_day + 1 ELSE 1 END, day = excluded.day
WHERE NOT (minute = excluded.minute AND in_minute >= :per_minute) AND NOT (day = excluded.day AND in_day >= :per_day)
RETURNING in_minute, in_day
"""


@dataclass(frozen=True, slots=True)
class Used:
    """Requests in this minute and on this day; `refused` where one more was asked than a quota allows."""

    in_minute: int
    in_day: int
    is_refused: bool = False


class KeyStore:
    """The file in `home`; made when first written to. One thread at a time may use it. Raises ArchiveError."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def all(self) -> list[Key]:
        """All keys, revoked and expired ones too, by name; none where there is no file."""
        if not self.path.exists():
            return []
        with self._using() as db:
            return [_key(row) for row in db.execute("SELECT * FROM keys ORDER BY name")]

    def add(self, key: Key) -> None:
        """Store a new key, in place of a revoked one of its name. Raises BadKey where another has the name."""
        with self._using() as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM keys WHERE name = ? AND revoked IS NOT NULL", (key.name,))
            try:
                db.execute(f"INSERT INTO keys VALUES ({_PLACES})", _values(key))
            except sqlite3.IntegrityError as error:
                raise BadKey(f"there is a key {key.name} already; choose another name, or revoke it first") from error

    def change(self, key: Key) -> None:
        """Store a key again of which something has changed."""
        with self._using() as db:
            db.execute(f"INSERT OR REPLACE INTO keys VALUES ({_PLACES})", _values(key))

    def remove(self, key: Key) -> None:
        """Forget a key and what was used of it."""
        with self._using() as db, db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM keys WHERE id = ?", (key.id,))
            db.execute("DELETE FROM used WHERE key = ?", (key.id,))

    def count(self, key: Key, user: str, minute: int, day: str) -> Used:
        """Count one request of a key's `user` in a minute and on a day, unless a quota is used up then."""
        about = {"key": key.id, "user": user, "minute": minute, "day": day}
        per_minute, per_day = (_UNLIMITED if limit is None else limit for limit in (key.per_minute, key.per_day))
        with self._using() as db:
            # fetchall: a statement that isn't read to its end holds the lock that others wait for
            if rows := db.execute(_COUNT, about | {"per_minute": per_minute, "per_day": per_day}).fetchall():
                return Used(*rows[0])
            row = db.execute("SELECT * FROM used WHERE key = :key AND user = :user", about).fetchone()
            in_minute = row["in_minute"] if row["minute"] == minute else 0
            return Used(in_minute, row["in_day"] if row["day"] == day else 0, is_refused=True)

    def forget_days_before(self, day: str) -> None:
        """Drop counts that no quota needs any more."""
        with self._using() as db:
            db.execute("DELETE FROM used WHERE day < ?", (day,))

    def secret(self, name: str) -> bytes:
        """32 random bytes of that name, the same for all servers."""
        asked = "SELECT value FROM secrets WHERE name = ?"
        with self._using() as db:
            if (row := db.execute(asked, (name,)).fetchone()) is None:
                db.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, secrets.token_bytes(32)))
                row = db.execute(asked, (name,)).fetchone()
            return bytes(row["value"])

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._opened()
        except (OSError, sqlite3.Error) as error:
            raise ArchiveError(f"{self.path}: keys can't be read or written ({error}); check the folder") from error

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None and self._file == _identity(self.path):
            return self._db
        self.close()  # another file has taken its place
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Made before SQLite would, which leaves it to the umask who may read it; its side files follow its mode.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._db, self._file = db, _identity(self.path)
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a count that a power cut takes back is no loss
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found > _VERSION:
            raise ArchiveError(f"{self.path}: made by a later version of archivar; update this one")
        if found < _VERSION:
            db.executescript(_SCHEMA)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _values(key: Key) -> tuple[object, ...]:
    rights = ",".join(right for right in Right if right in key.rights)
    return (
        key.id, key.name, key.digest, rights, key.added.isoformat(), key.per_minute, key.per_day,
        int(key.trusts_users), _text(key.expires), _text(key.revoked),
    )  # fmt: skip


def _key(row: sqlite3.Row) -> Key:
    return Key(
        id=row["id"], name=row["name"], digest=row["digest"],
        rights=frozenset(Right(right) for right in row["rights"].split(",") if right),
        added=datetime.fromisoformat(row["added"]), per_minute=row["per_minute"], per_day=row["per_day"],
        trusts_users=bool(row["trusts_users"]), expires=_moment(row["expires"]), revoked=_moment(row["revoked"]),
    )  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
