"""stats(): what an archive holds, since when, from whom, and how its last runs went."""

import os
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from archive.articles import TIME_ZONE
from archive.errors import ArchiveError
from archive.ledger import Ledger
from archive.schema import MOMENT
from archive.shelves import next_month

_RUNS = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A publisher: how many articles, and when the newest of them was published (aware; None: all are undated)."""

    name: str
    articles: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run of the ledger's table; times are ISO 8601, `ended` None where it was broken off or is still running."""

    what: str
    started: str
    ended: str | None
    stored: int
    changed: int
    unchanged: int
    withdrawn: int
    rejected: int
    passages: int


@dataclass(frozen=True, slots=True)
class Rejects:
    """The file that lists what was left out: lines in all, and how many of the last run that had any, at `last`."""

    file: str
    total: int
    of_last: int
    last: str


@dataclass(frozen=True, slots=True)
class Stats:
    """An archive in numbers. Withdrawn articles are in `withdrawn` alone.

    `months` counts articles by month of publication (`2024-03`) in the archive's time zone, none left out from first to
    last; `changed` are articles stored in more than one version, `disk` bytes by part.
    """

    home: str
    embedder: str | None
    articles: int
    undated: int
    withdrawn: int
    changed: int
    passages: int
    pending: int
    months: dict[str, int]
    sources: tuple[Source, ...]
    disk: dict[str, int]
    runs: tuple[RunShown, ...]
    rejects: Rejects | None


def stats(home: Path) -> Stats:
    """The numbers of the archive in `home`, read beside whoever else is at work on it. Raises ArchiveError."""
    if not (home / "ledger.sqlite3").is_file():
        raise ArchiveError(f"{home}: holds no archive; set ARCHIVAR_HOME, or give --home")
    ledger = Ledger.open(home)
    try:
        everything, withdrawn, changed, undated, passages, pending = ledger.db.execute(_COUNTS).fetchone()
        return Stats(
            home=str(home),
            embedder=ledger.fact("embedder"),
            articles=everything - withdrawn,
            undated=undated,
            withdrawn=withdrawn,
            changed=changed,
            passages=passages,
            pending=pending,
            months=_months(ledger),
            sources=_sources(ledger),
            disk={name: _bytes(home, name) for name in ("ledger", "vectors", "words")},
            runs=tuple(RunShown(*row) for row in ledger.db.execute(_LATEST, (_RUNS,))),
            rejects=_rejects(home / "rejects.jsonl"),
        )
    finally:
        ledger.close()


# Each of these reads an index alone: rows are as long as their articles.
_COUNTS = f"""SELECT
    (SELECT count(*) FROM articles),
    (SELECT count(*) FROM articles WHERE withdrawn IS NOT NULL),
    (SELECT count(*) FROM articles WHERE version > 1),
    (SELECT count(*) FROM articles WHERE {MOMENT} IS NULL)
        - (SELECT count(*) FROM articles WHERE withdrawn IS NOT NULL AND published IS NULL),
    (SELECT count(*) FROM passages),
    (SELECT count(*) FROM notes)"""
_WITHDRAWN_MOMENTS = f"SELECT {MOMENT} FROM articles WHERE withdrawn IS NOT NULL AND published IS NOT NULL"
_BY_SOURCE = f"SELECT source, count(*), max({MOMENT}) FROM articles GROUP BY source"
_WITHDRAWN_BY_SOURCE = "SELECT source, count(*) FROM articles WHERE withdrawn IS NOT NULL GROUP BY source"
_LATEST = """SELECT what, started, ended, stored, changed, unchanged, withdrawn, rejected, passages
    FROM runs ORDER BY number DESC LIMIT ?"""


def _months(ledger: Ledger) -> dict[str, int]:
    first, last = ledger.db.execute(f"SELECT min({MOMENT}), max({MOMENT}) FROM articles").fetchone()
    if first is None:
        return {}
    starts = [_month_start(first)]
    while starts[-1] <= last:
        starts.append(next_month(starts[-1]))
    counts = [
        ledger.db.execute(f"SELECT count(*) FROM articles WHERE {MOMENT} >= ? AND {MOMENT} < ?", bounds).fetchone()[0]
        for bounds in pairwise(starts)
    ]
    for (moment,) in ledger.db.execute(_WITHDRAWN_MOMENTS):
        counts[bisect_left(starts, moment + 1) - 1] -= 1
    names = (datetime.fromtimestamp(start, TIME_ZONE).strftime("%Y-%m") for start in starts)
    return dict(zip(names, counts, strict=False))


def _month_start(moment: int) -> int:
    day = datetime.fromtimestamp(moment, TIME_ZONE)
    return int(day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())


def _sources(ledger: Ledger) -> tuple[Source, ...]:
    """The largest first."""
    gone = dict(ledger.db.execute(_WITHDRAWN_BY_SOURCE).fetchall())
    found = (
        Source(name, count - gone.get(name, 0), datetime.fromtimestamp(newest, TIME_ZONE) if newest else None)
        for name, count, newest in ledger.db.execute(_BY_SOURCE)
    )
    return tuple(sorted((source for source in found if source.articles), key=lambda one: (-one.articles, one.name)))


def _bytes(home: Path, name: str) -> int:
    """Bytes of all files whose path begins so: `ledger` takes its log in, `words` an index that is being made."""
    held = (Path(folder) / file for path in home.glob(f"{name}*") if path.is_dir() for folder, _, files in os.walk(path)
            for file in files)  # fmt: skip
    files = (*held, *(path for path in home.glob(f"{name}*") if path.is_file()))
    return sum(path.stat().st_size for path in files if path.exists())


def _rejects(file: Path) -> Rejects | None:
    """Lines begin with the time of their run, the same for all of one run."""
    total = of_last = 0
    last = b""
    try:
        with file.open("rb") as lines:
            for line in lines:
                total += 1
                time = line[:40].partition(b'"time": "')[2].partition(b'"')[0]
                of_last = of_last + 1 if time == last else 1
                last = time
    except OSError:
        return None
    return Rejects(str(file), total, of_last, last.decode(errors="replace"))
