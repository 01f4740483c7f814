"""CSV with a header; commas, semicolons or tabs."""

import csv
from collections.abc import Iterator
from pathlib import Path

from archive.errors import BadArticle, SourceError
from ingest.report import Found, Reject
from ingest.sources.raw import LONGEST_LINE, lines
from ingest.sources.records import Origin, article_from, known_fields


def read_csv(path: Path, origin: Origin) -> Iterator[Found | Reject]:
    """Each row's article, or a reject with the number of the row's last line.

    Raises SourceError where the header names no title.
    """
    csv.field_size_limit(LONGEST_LINE)  # the module's own default, 128 KiB, is shorter than some articles
    rejects: list[Reject] = []
    text = _short_lines(path, origin, rejects)
    first = next(text, "")
    rows = csv.reader(text, delimiter=max(",;\t", key=first.count))
    header = _header(first, rows.dialect.delimiter, origin)
    while True:
        try:
            row = next(rows, None)
            if row is None:
                break
            if row:
                article = article_from(_record(header, row), origin)
                yield Found(article, origin.file, f"line {rows.line_num + 1}")
        except (csv.Error, BadArticle) as error:
            yield Reject(origin.file, str(error), f"line {rows.line_num + 1}")
        yield from rejects
        rejects.clear()
    yield from rejects


def _short_lines(path: Path, origin: Origin, rejects: list[Reject]) -> Iterator[str]:
    for number, line in lines(path):
        if line is None:
            rejects.append(Reject(origin.file, f"longer than {LONGEST_LINE // 2**20} MB", f"line {number}"))
        else:
            yield line


def _header(line: str, delimiter: str, origin: Origin) -> list[str]:
    try:
        names = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise SourceError(f"{origin.file}: its first line is no CSV header ({error})") from error
    if "title" not in known_fields(names):
        found = ", ".join(names)[:100] or "none"
        raise SourceError(f"{origin.file}: no column is a title (columns: {found}); name one title or headline")
    return names


def _record(header: list[str], row: list[str]) -> dict[str, object]:
    if len(row) > len(header):
        raise BadArticle(f"{len(row)} fields but {len(header)} columns; quote fields that hold the delimiter")
    return dict(zip(header, row, strict=False))
