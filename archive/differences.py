"""What the indexes hold beside what the ledger does: ids and content hashes, side by side.

The ids are sorted and joined in a temporary database, which SQLite moves to the disk as it grows.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from archive.disk import REPAIR
from archive.entries import entries, hashes
from archive.errors import ArchiveError
from archive.ledger import Ledger
from archive.ledger_faults import RESTORE
from archive.records import article_of, passage_of
from archive.schema import MOMENT
from archive.shelves import Shelf
from archive.vectors import Vectors
from archive.words import Words

SAMPLES = 3

# What is wrong, by the name that --json tells; {n} is how many, {what} what they are.
_TEXTS = {
    "malformed": "the database is damaged",
    "lost": "it is empty, but the indexes are not",
    "altered": "{n} articles are not what was stored",
    "unreadable": "can't be read",
    "torn": "{n} shelves are damaged",
    "missing": "{n} {what} of the ledger are missing",
    "stale": "{n} {what} are of another text than the ledger's",
    "stray": "{n} {what} belong to nothing in the ledger",
    "double": "{n} {what} are there more than once",
    "misplaced": "{n} {what} lie on the shelf of another time",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of damage: `part` is `ledger`, `vectors` or `words`; `samples` are some ids, or what is wrong."""

    part: str
    kind: str
    count: int
    samples: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.samples) else ""
        text = _TEXTS[self.kind].format(n=f"{self.count:,}", what="passages")
        return f"{self.part}: {text} ({', '.join(self.samples)}{more}); {self.mend}"

    @property
    def mend(self) -> str:
        """What to do about it."""
        return RESTORE if self.part == "ledger" else REPAIR


class Differences:
    """The ids of ledger, vectors and words side by side, as long as it is open."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # a database that SQLite keeps in memory and in a file without a name
        self._db.executescript(_TABLES)
        self.torn: dict[str, str] = {}  # shelves that can't be read, and why

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def read_ledger(self, ledger: Ledger) -> Iterator[Finding]:
        """Take in what should be there. Yields what is wrong with the ledger itself."""
        yield from _of_the_database(ledger)
        altered = [
            row["id"]
            for row in ledger.db.execute("SELECT * FROM articles")
            if article_of(row).content_hash != row["content_hash"]
        ]
        if altered:
            yield Finding("ledger", "altered", len(altered), tuple(altered[:SAMPLES]))
        held = ((row["id"], passage_of(row).content_hash, row["moment"]) for row in ledger.db.execute(_PASSAGES))
        self._insert("ledger", held)
        self._insert("noted", ledger.db.execute("SELECT DISTINCT passage_id FROM notes"))

    def read_vectors(self, vectors: Vectors, only: Iterable[str] | None = None) -> None:
        """Take in the vectors, each read and not only listed; of `only` these shelves where that is given."""
        for shelf in vectors.standing:
            self._read_shelf(vectors, shelf, only is None or shelf.name in only)
        self._db.execute("CREATE INDEX vectors_by_id ON vectors(id)")

    def replace_shelf(self, name: str, vectors: Vectors, new: Shelf) -> None:
        """Take in the shelf that stands in the place of another now."""
        del self.torn[name]
        self._read_shelf(vectors, new, whole=True)

    def _read_shelf(self, vectors: Vectors, shelf: Shelf, whole: bool) -> None:
        self._insert("shelves", [(shelf.name, shelf.first, shelf.after, shelf.undated)])
        _, chroma = vectors.parts
        wrong = chroma.torn(shelf.name)
        try:
            if not wrong:
                held = vectors.listed(shelf, entries if whole else hashes)
                self._insert("vectors", ((passage_id, hashed, shelf.name) for passage_id, hashed in held))
        except ArchiveError as error:
            wrong = str(error.__cause__ or error)
        if wrong:
            self.torn[shelf.name] = wrong

    def read_words(self, words: Words) -> None:
        """Take in the words."""
        self._insert("words", ((passage_id, hashed, None) for passage_id, hashed in words.held()))
        self._db.execute("CREATE INDEX words_by_id ON words(id)")

    def _insert(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        width = len(self._db.execute(f"PRAGMA table_info({table})").fetchall())
        with self._db:
            self._db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", map(tuple, rows))

    def ids(self, part: str, kind: str) -> Iterator[str]:
        """Ids of one kind of damage, each once; what is noted for the indexes is left out."""
        query = _KINDS[kind].format(part=part)
        for (passage_id,) in self._db.execute(f"{query} EXCEPT SELECT id FROM noted"):
            yield passage_id

    def findings(self, part: str) -> Iterator[Finding]:
        """What is wrong with the vectors or the words."""
        for kind in _KINDS:
            if part == "words" and kind == "misplaced":
                continue
            found, count = [], 0
            for count, passage_id in enumerate(self.ids(part, kind), 1):
                if count <= SAMPLES:
                    found.append(passage_id)
            if count:
                yield Finding(part, kind, count, tuple(found))

    def count(self, table: str, where: str = "true") -> int:
        """Rows of a table."""
        return int(self._db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


_TABLES = """
    CREATE TABLE ledger (id TEXT PRIMARY KEY, hash TEXT, moment INTEGER) WITHOUT ROWID;
    CREATE TABLE noted (id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE shelves (name TEXT PRIMARY KEY, first INTEGER, after INTEGER, undated INTEGER);
    CREATE TABLE vectors (id TEXT, hash TEXT, shelf TEXT);
    CREATE TABLE words (id TEXT, hash TEXT, shelf TEXT);"""
_PASSAGES = f"""SELECT passages.id, article_id, position, passages.text, title, published, url, source,
    {MOMENT} AS moment FROM passages JOIN articles ON articles.id = article_id"""
_KINDS = {
    "missing": "SELECT id FROM ledger EXCEPT SELECT id FROM {part}",
    "stale": "SELECT {part}.id FROM {part} JOIN ledger USING (id) WHERE {part}.hash != ledger.hash",
    "stray": "SELECT id FROM {part} EXCEPT SELECT id FROM ledger",
    "double": "SELECT id FROM {part} GROUP BY id HAVING count(*) > 1",
    "misplaced": """SELECT {part}.id FROM {part} JOIN ledger USING (id) JOIN shelves ON name = shelf
        WHERE NOT iif(moment IS NULL, undated,
            moment >= coalesce(first, moment) AND moment < coalesce(after, moment + 1))""",
}


def _of_the_database(ledger: Ledger) -> Iterator[Finding]:
    said = [row[0] for row in ledger.db.execute("PRAGMA integrity_check(100)") if row[0] != "ok"]
    said += [f"a row of {row[0]} refers to none of {row[2]}" for row in ledger.db.execute("PRAGMA foreign_key_check")]
    if said:
        yield Finding("ledger", "malformed", len(said), tuple(said[:SAMPLES]))
