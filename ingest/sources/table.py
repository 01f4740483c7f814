"""CSV with a header; commas, semicolons or tabs."""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from archive.errors import BadArticle, SourceError
from ingest.markup import one_line
from ingest.report import Found, Reject
from ingest.sources.raw import LONGEST_LINE, lines
from ingest.sources.records import Origin, article_from, known_fields

_TOO_LONG = f"longer than {LONGEST_LINE // 2**20} MB"


def read_csv(path: Path, origin: Origin) -> Iterator[Found | Reject]:
    """Each row's article, or a reject with the number of the row's last line.

    A quotation mark that is never closed costs its own line and none after it. Raises SourceError where the header
    names no title.
    """
    csv.field_size_limit(LONGEST_LINE)  # the module's own default, 128 KiB, is shorter than some articles
    text = _Lines(path)
    try:
        first = next(text, "")
        delimiter = max(",;\t", key=first.count)
        header = _header(first, delimiter, origin)
    except BadArticle as error:
        raise SourceError(f"{origin.file}: its first line is no CSV header ({error})") from error
    rows = csv.reader(text, delimiter=delimiter)
    while True:
        text.begin_record()
        try:
            row = next(rows, None)
            if text.in_quotes:
                raise text.unclosed()
            if row is None:
                return
            if row:
                yield Found(article_from(_record(header, row), origin), origin.file, f"line {text.number}")
        except (csv.Error, BadArticle) as error:
            yield Reject(origin.file, str(error), f"line {text.number}")


class _Lines:
    """A file's lines for csv.reader, which takes as many as a record has, and some of them again.

    `number` is that of the line at hand; `in_quotes` is true where the file ended within a record.
    """

    def __init__(self, path: Path) -> None:
        self._lines = lines(path)
        self._again: deque[tuple[int, str | None]] = deque()
        self._record: list[tuple[int, str | None]] = []
        self._length = 0
        self.number = 1
        self.in_quotes = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            self.number, line = self._again.popleft() if self._again else next(self._lines)
        except StopIteration:
            self.in_quotes = bool(self._record)
            raise
        if line is None:
            raise BadArticle(_TOO_LONG)
        self._record.append((self.number, line))
        self._length += len(line)
        if self._length > LONGEST_LINE:
            raise self.unclosed()
        return line

    def begin_record(self) -> None:
        """What was taken so far is done with."""
        self._record.clear()
        self._length, self.in_quotes = 0, False

    def unclosed(self) -> BadArticle:
        """The reason to leave out the record's first line; those after it come again."""
        self._again.extendleft(reversed(self._record[1:]))
        self.number = self._record[0][0]
        return BadArticle("a quotation mark that is never closed; close or double it")


def _header(line: str, delimiter: str, origin: Origin) -> list[str]:
    try:
        names = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise SourceError(f"{origin.file}: its first line is no CSV header ({error})") from error
    if "title" not in known_fields(names):
        found = one_line(", ".join(names)[:100]) or "none"
        raise SourceError(f"{origin.file}: no column is a title (columns: {found}); name one title or headline")
    return names


def _record(header: list[str], row: list[str]) -> dict[str, object]:
    if len(row) > len(header):
        raise BadArticle(f"{len(row)} fields but {len(header)} columns; quote fields that hold the delimiter")
    return dict(zip(header, row, strict=False))
