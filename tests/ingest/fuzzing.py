"""Damaged files through readers, clean() and split(): articles that hold what they promise, and clear rejects.

    .venv/bin/python tests/ingest/fuzzing.py --files 10000

prints one line a failure (its number finds the same file again: --first N --files 1 --keep FOLDER) and a summary.
"""

import argparse
import faulthandler
import resource
import signal
import sqlite3
import sys
import traceback
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlsplit

from mutating import Damaged, damaged

from archive.articles import Article, Passage
from archive.errors import BadArticle, SourceError
from ingest.clean import clean
from ingest.report import Found
from ingest.sources.reading import read
from ingest.split import LONGEST, split

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
_PROCESSOR_SECONDS = 10  # for one file; other programs' share of the processor doesn't count
_HUNG_SECONDS = 300  # by the clock, for what no signal ends
_MEMORY = 2**20  # KiB that one file may add to the process
_clock = sqlite3.connect(":memory:")


class Hang(BaseException):
    """A file took too long. No Exception, since readers turn those of other projects' parsers into rejects."""


@dataclass(slots=True)
class Tally:
    """What came of the files so far."""

    files: Counter[str] = field(default_factory=Counter)
    articles: int = 0
    rejects: int = 0
    unreadable: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.files.items()))
        return (
            f"{self.files.total():,} files ({kinds}): {self.articles:,} articles, {self.rejects:,} rejects, "
            f"{self.unreadable:,} files refused, {len(self.failures)} failures; "
            f"slowest {self.slowest[1]} {self.slowest[0]:.1f} s"
        )


def fuzz(files: Iterable[Damaged], folder: Path, report: Callable[[str], None] = lambda failure: None) -> Tally:
    """Every file read, cleaned and split; whatever breaks a promise is reported, and the next file goes on."""
    tally = Tally()
    for file in files:
        path, started = folder / file.name, perf_counter()
        path.write_bytes(file.data)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            with _watched(), warnings.catch_warnings():
                warnings.simplefilter("error")
                _read(path, tally)
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory > _MEMORY:
                raise MemoryError("more than a gigabyte")
        except (Exception, Hang) as error:
            where = " < ".join(
                f"{Path(frame.filename).name}:{frame.lineno}"
                for frame in reversed(traceback.extract_tb(error.__traceback__)[-5:])
            )
            report(failure := f"{file.name}: {type(error).__name__}: {str(error)[:200]!r} at {where}")
            tally.failures.append(failure)
        tally.files[file.kind] += 1
        tally.slowest = max(tally.slowest, (perf_counter() - started, file.name))
        path.unlink()
    return tally


def _read(path: Path, tally: Tally) -> None:
    try:
        for record in read(str(path), NOW):
            if not isinstance(record, Found):
                tally.rejects += 1
                check_reason(str(record), path)
                continue
            try:
                article = clean(record.article)
            except BadArticle as error:
                tally.rejects += 1
                check_reason(str(record.rejected(str(error))), path)
                continue
            tally.articles += 1
            check_article(article)
            check_passages(article, split(article))
    except SourceError as error:
        tally.unreadable += 1
        check_reason(str(error), path)


def check_reason(reason: str, path: Path) -> None:
    """One line that names the file and says something; it can be written to a file and a terminal."""
    assert reason.startswith(str(path)), reason
    assert len(reason) > len(str(path)) + 8, reason
    assert len(reason) < 600, f"{len(reason)} characters: {reason[:200]}"
    assert _printable(reason), reason


def check_article(article: Article) -> None:
    """What every article promises to those that store, find and show it."""
    assert 0 < len(article.id) <= 500, article.id
    assert article.id == article.id.strip(), repr(article.id)
    assert 0 < len(article.title) <= 1000, len(article.title)
    line = (article.id, article.title, article.teaser, article.source, article.url or "", *article.authors)
    for text in (*line, *article.topics):
        assert _printable(text), repr(text)
    assert all(_printable(part) for part in article.text.split("\n")), repr(article.text)
    if article.published is not None:
        assert article.published.utcoffset() is not None, article.published
        assert datetime(1990, 1, 1, tzinfo=UTC) - timedelta(days=1) < article.published < NOW + timedelta(days=2)
        seconds = _clock.execute("SELECT strftime('%s', ?)", [article.published.isoformat()]).fetchone()[0]
        assert seconds is not None, f"SQLite can't read {article.published.isoformat()}"
        assert int(seconds) == int(article.published.timestamp()), article.published.isoformat()
    if article.url is not None:
        parts = urlsplit(article.url)
        assert parts.scheme in ("http", "https"), article.url
        assert parts.hostname, article.url
        assert len(article.url) <= 2000, len(article.url)
        assert not any(character.isspace() or character in '<>"' for character in article.url), repr(article.url)
    assert len(article.content_hash) == 64


def check_passages(article: Article, passages: tuple[Passage, ...]) -> None:
    """At least one; none too long; each id leads back to its article."""
    assert passages
    for position, passage in enumerate(passages):
        assert 0 < len(passage.text) <= LONGEST, len(passage.text)
        assert passage.id.rpartition("#")[::2] == (article.id, str(position))


def _printable(text: str) -> bool:
    text.encode()
    return not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") and character != "\t" for character in text)


@contextmanager
def _watched() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang(f"more than {_PROCESSOR_SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _PROCESSOR_SECONDS)
    faulthandler.dump_traceback_later(_HUNG_SECONDS, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGPROF, before)


def _told(files: Iterable[Damaged]) -> Iterator[Damaged]:
    started = perf_counter()
    for number, file in enumerate(files, 1):
        yield file
        if number % 1000 == 0:
            print(f"{number:,} files in {perf_counter() - started:.0f} s", file=sys.stderr, flush=True)  # noqa: T201


def main() -> int:
    """The command line; 1 where anything failed."""
    parser = argparse.ArgumentParser(description="Damaged files through the readers.")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="only write the files, to this folder")
    asked = parser.parse_args()
    made = damaged(asked.first + asked.files, asked.seed, SHARED if SHARED.is_dir() else None)
    files = (file for number, file in enumerate(made) if number >= asked.first)
    if asked.keep:
        for file in files:
            (asked.keep / file.name).write_bytes(file.data)
        return 0
    started = perf_counter()
    with TemporaryDirectory() as folder:
        tally = fuzz(_told(files), Path(folder), partial(print, flush=True))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{tally}; {perf_counter() - started:.0f} s, {memory} MB at most")  # noqa: T201
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
