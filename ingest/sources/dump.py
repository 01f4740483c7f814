"""SQLite files: the table whose columns look most like articles."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from archive.errors import BadArticle, SourceError
from ingest.markup import one_line
from ingest.report import Found, Reject
from ingest.sources.raw import LONGEST_LINE, decode
from ingest.sources.records import Origin, article_from, known_fields

_SMALLEST_ROW = 4  # bytes; a damaged tree of pages that meets itself again has endlessly many
_LONGEST_CELL = 100 * 2**20  # bytes; a longer one ends the reading, one over LONGEST_LINE is a reject


def read_sqlite(path: Path, origin: Origin) -> Iterator[Found | Reject]:
    """Each row's article, or a reject with table and row. Raises SourceError without such a table, or on damage."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
            db.row_factory = sqlite3.Row
            db.text_factory = decode
            table = _quoted(_best_table(db, origin))
            most = path.stat().st_size // _SMALLEST_ROW
            for number, row in enumerate(db.execute(f"SELECT * FROM {table}"), 1):
                if number > most:
                    raise sqlite3.DatabaseError(f"more rows than {path.stat().st_size:,} bytes can hold")
                place = f"table {one_line(table)}, row {number}"
                try:
                    yield Found(article_from(_record(row), origin), origin.file, place)
                except BadArticle as error:
                    yield Reject(origin.file, str(error), place)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names of columns are always read as UTF-8
        raise SourceError(
            f"{origin.file}: no readable SQLite file ({one_line(str(error))}); make the dump again"
        ) from error


def _best_table(db: sqlite3.Connection, origin: Origin) -> str:
    # No views: what they compute can be endless, and one whose table is gone can't be asked for its columns.
    rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    names: list[str] = [row[0] for row in rows]
    fields = {name: known_fields(_columns(db, name)) for name in names}
    fitting = [name for name in names if "title" in fields[name]]
    if not fitting:
        found = one_line(", ".join(names)[:100]) or "none"
        raise SourceError(f"{origin.file}: no table has a title (tables: {found}); name a column title or headline")
    return max(fitting, key=lambda name: len(fields[name]))


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [column[0] for column in db.execute(f"SELECT * FROM {_quoted(table)} LIMIT 0").description]


def _record(row: sqlite3.Row) -> dict[str, object]:
    cells = list(zip(row.keys(), row, strict=True))
    for name, value in cells:
        if isinstance(value, str | bytes) and len(value) > LONGEST_LINE:
            raise BadArticle(f"{name[:40]!r} is longer than {LONGEST_LINE // 2**20} MB")
    return {name: decode(value) if isinstance(value, bytes) else value for name, value in cells}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
