"""read(): the one way into every source, whatever its format."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from archive.errors import SourceError
from ingest.report import Found, Reject
from ingest.sources.dump import read_sqlite
from ingest.sources.feed import read_feed
from ingest.sources.jsonl import read_jsonl
from ingest.sources.page import read_page
from ingest.sources.raw import document, head, line_count, no_text, shown
from ingest.sources.records import Origin
from ingest.sources.table import read_csv
from ingest.web.addresses import is_address
from ingest.web.visits import Fetched, Gone, Unchanged

if TYPE_CHECKING:
    from ingest.web.visitor import Visitor

FORMATS = "JSONL, CSV, Atom/RSS, HTML, SQLite"
_SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".html": "html", ".htm": "html", ".xhtml": "html",
    ".xml": "feed", ".rss": "feed", ".atom": "feed", ".rdf": "feed",
    ".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite",
}  # fmt: skip
_FEED_START = re.compile(rb"<(?:rss|feed|rdf:RDF|\w+:feed)[\s>]")
_HTML_START = re.compile(rb"<(?:!doctype html|html|head|body)[\s>]", re.IGNORECASE)


def read(source: str, now: datetime, publisher: str = "", visitor: "Visitor | None" = None) -> Iterator[Found | Reject]:
    """Articles and rejects of a file, a folder or an http(s) address, in order.

    `now` is the clock that dates are held against; `publisher` goes before whatever the source names; `visitor` fetches
    an address (default: one with default settings, to which that address alone is named). Raises SourceError where
    nothing can be read, or no more of it. In a folder such a file is a reject, and files of other formats are passed
    over.
    """
    if is_address(source):
        yield from _read_address(source, now, publisher, visitor)
        return
    path = Path(source)
    try:
        folder, file, exists = path.is_dir(), path.is_file(), path.exists()
    except OSError as error:
        raise SourceError(f"{shown(path)}: can't be read ({error.strerror}); check the path") from error
    if folder:
        yield from _read_folder(path, now, publisher)
    elif file:
        yield from _read_file(path, now, publisher)
    elif exists:
        raise SourceError(f"{shown(path)}: neither a file nor a folder; save to a file what it gives")
    else:
        raise SourceError(f"{shown(path)}: no such file or folder; check the path")


def estimate(source: str) -> int:
    """About how many records a source holds, to tell how long it takes; 1 for what can't be known quickly."""
    path = Path(source)
    if is_address(source):
        return 1
    return sum(map(_records, files(path) if os.path.isdir(path) else [path]))


def files(folder: Path, refused: list[OSError] | None = None) -> Iterator[Path]:
    """The files of known formats below a folder, sorted; hidden ones left out, links to folders not followed.

    What may not be looked into is added to `refused`.
    """
    refused = [] if refused is None else refused
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or _suffix(path) not in _SUFFIXES:
                continue
            try:
                if path.is_file():
                    yield path
            except OSError as error:
                refused.append(error)


def _records(file: Path) -> int:
    try:
        return _counted(file)
    except SourceError:
        return 1


def _counted(file: Path) -> int:
    if not os.path.isfile(file):
        return 1
    match _format(file):
        case "jsonl":
            return line_count(file)
        case "csv":
            return max(line_count(file) - 1, 0)
        case "feed":
            return len(re.findall(rb"<(?:\w+:)?(?:item|entry)[\s>]", document(file)))
        case _:
            return 1


def _read_folder(folder: Path, now: datetime, publisher: str) -> Iterator[Found | Reject]:
    refused: list[OSError] = []
    for file in files(folder, refused):
        try:
            yield from _read_file(file, now, publisher)
        except SourceError as error:
            yield Reject(shown(file), str(error).removeprefix(f"{shown(file)}: "))
    for refusal in refused:
        yield Reject(shown(refusal.filename), f"can't be read ({refusal.strerror}); check its rights")


def _read_file(path: Path, now: datetime, publisher: str) -> Iterator[Found | Reject]:
    origin = Origin(shown(path), shown(_stem(path)), now, publisher)
    match _format(path):
        case "jsonl":
            yield from read_jsonl(path, origin)
        case "csv":
            yield from read_csv(path, origin)
        case "sqlite":
            yield from read_sqlite(path, origin)
        case "feed":
            yield from read_feed(document(path), origin)
        case "html":
            yield from read_page(document(path), origin)
        case _:
            raise SourceError(f"{shown(path)}: of no known format; {FORMATS} can be read")


def _fetched(address: str, visitor: "Visitor") -> Fetched:
    match visitor.visit(address):
        case Fetched() as fetched:
            return fetched
        case Gone(status=status):
            raise SourceError(f"{address}: the server answers {status}; check the address")
        case Unchanged():
            raise SourceError(f"{address}: the server answers 304 though nothing was known; try again later")


def _read_address(address: str, now: datetime, publisher: str, visitor: "Visitor | None") -> Iterator[Found | Reject]:
    if visitor is None:
        from ingest.web.visitor import Visitor

        with Visitor(named=[address]) as visitor:
            yield from _read_address(address, now, publisher, visitor)
        return
    fetched = _fetched(address, visitor)
    origin = Origin(address, address, now, publisher)
    kind = _kind_of_markup(fetched.data)
    if kind == "feed":
        yield from read_feed(fetched.data, origin)
    elif kind == "html" or fetched.media_type in ("text/html", "application/xhtml+xml"):
        addresses = (*fetched.passed, fetched.address)  # not one that leads there for today only
        for record in read_page(fetched.data, origin, fetched.address, visitor.visit):
            yield replace(record, addresses=addresses) if isinstance(record, Found) and not record.place else record
    else:
        raise SourceError(f"{address}: neither a page nor a feed but {fetched.media_type or 'of no type'}")


def _format(path: Path) -> str | None:
    """By suffix, else by the first bytes."""
    start = head(path)
    if start.startswith(b"SQLite format 3\0"):
        return "sqlite"
    if named := _SUFFIXES.get(_suffix(path)):
        if reason := no_text(start):
            raise SourceError(f"{shown(path)}: {reason}")
        return named
    return "jsonl" if _is_json_line(start) else _kind_of_markup(start)


def _is_json_line(start: bytes) -> bool:
    """True for an object on a line of its own, as far as it can be seen; false for JSON spread over lines."""
    line, end, _ = start.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    line = line.strip()
    return line.startswith(b"{") and line != b"{" and (line.endswith(b"}") or not end)


def _kind_of_markup(data: bytes) -> str | None:
    start = data[:4096]
    if _FEED_START.search(start):
        return "feed"
    return "html" if _HTML_START.search(start) else None


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem
