"""stats(): what an archive holds, since when, from whom, and how its last runs went."""

import os
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from archive.articles import TIME_ZONE
from archive.ledger import Ledger, check_archive
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
    check_archive(home)
    ledger = Ledger.open(home)
    try:
        tally = _tally(ledger)
        return Stats(
            home=str(home),
            embedder=ledger.fact("embedder"),
            articles=sum(tally.sources.values()),
            undated=tally.undated,
            withdrawn=tally.withdrawn,
            changed=tally.changed,
            passages=ledger.db.execute("SELECT count(*) FROM passages").fetchone()[0],
            pending=ledger.db.execute("SELECT count(*) FROM notes").fetchone()[0],
            months=_months(tally.moments),
            sources=tuple(
                Source(name, count, datetime.fromtimestamp(newest, TIME_ZONE) if newest else None)
                for name, count in tally.sources.most_common()
                for newest in (tally.newest.get(name),)
            ),
            disk={name: _bytes(home, name) for name in ("ledger", "vectors", "words")},
            runs=tuple(RunShown(*row) for row in ledger.db.execute(_LATEST, (_RUNS,))),
            rejects=_rejects(home / "rejects.jsonl"),
        )
    finally:
        ledger.close()


# One walk over all articles, for SQLite a fifth of what several groupings cost it.
_ARTICLES = f"SELECT source, {MOMENT}, version > 1, withdrawn IS NOT NULL FROM articles"
_LATEST = """SELECT what, started, ended, stored, changed, unchanged, withdrawn, rejected, passages
    FROM runs ORDER BY number DESC LIMIT ?"""


@dataclass(slots=True)
class _Tally:
    """Articles as they are counted; `moments` are the publication times, Unix seconds, of those that have one."""

    sources: Counter[str] = field(default_factory=Counter)
    newest: dict[str, int] = field(default_factory=dict)
    moments: list[int] = field(default_factory=list)
    undated: int = 0
    withdrawn: int = 0
    changed: int = 0


def _tally(ledger: Ledger) -> _Tally:
    tally = _Tally()
    for source, moment, changed, withdrawn in ledger.db.execute(_ARTICLES):
        if withdrawn:
            tally.withdrawn += 1
            continue
        tally.sources[source] += 1
        tally.changed += changed
        if moment is None:
            tally.undated += 1
        else:
            tally.moments.append(moment)
            tally.newest[source] = max(moment, tally.newest.get(source, moment))
    return tally


def _months(moments: list[int]) -> dict[str, int]:
    moments.sort()
    months: dict[str, int] = {}
    start, after = 0, _month_start(moments[0]) if moments else 0
    while start < len(moments):
        name, after = f"{datetime.fromtimestamp(after, TIME_ZONE):%Y-%m}", next_month(after)
        end = bisect_left(moments, after, start)
        months[name], start = end - start, end
    return months


def _month_start(moment: int) -> int:
    day = datetime.fromtimestamp(moment, TIME_ZONE)
    return int(day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())


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
