"""SQLite files: the table whose columns look most like articles."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from archive.errors import BadArticle, SourceError
from ingest.report import Found, Reject
from ingest.sources.raw import decode
from ingest.sources.records import Origin, article_from, known_fields


def read_sqlite(path: Path, origin: Origin) -> Iterator[Found | Reject]:
    """Each row's article, or a reject with table and row. Raises SourceError without such a table, or on damage."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            db.text_factory = decode
            table = _quoted(_best_table(db, origin))
            for number, row in enumerate(db.execute(f"SELECT * FROM {table}"), 1):
                place = f"table {table}, row {number}"
                try:
                    yield Found(article_from(_record(row), origin), origin.file, place)
                except BadArticle as error:
                    yield Reject(origin.file, str(error), place)
    except sqlite3.Error as error:
        raise SourceError(f"{origin.file}: no readable SQLite file ({error}); make the dump again") from error


def _best_table(db: sqlite3.Connection, origin: Origin) -> str:
    rows = db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    names: list[str] = [row[0] for row in rows]
    fields = {name: known_fields(_columns(db, name)) for name in names}
    fitting = [name for name in names if "title" in fields[name]]
    if not fitting:
        found = ", ".join(names)[:100] or "none"
        raise SourceError(f"{origin.file}: no table has a title (tables: {found}); name a column title or headline")
    return max(fitting, key=lambda name: len(fields[name]))


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [column[0] for column in db.execute(f"SELECT * FROM {_quoted(table)} LIMIT 0").description]


def _record(row: sqlite3.Row) -> dict[str, object]:
    cells = zip(row.keys(), row, strict=True)
    return {name: decode(value) if isinstance(value, bytes) else value for name, value in cells}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
