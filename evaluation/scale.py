"""How an archive behaves as it grows: filled with synthetic articles through ledger and index, then asked."""

import json
import os
import shutil
import subprocess
import sys
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from archive.archive import Archive
from archive.articles import Period
from archive.embedding import Embedder
from archive.errors import ArchiveError
from archive.settings import Settings
from evaluation.scale_articles import BATCH, DrawnEmbedder, Material, articles_for, draw, moments
from evaluation.scale_probe import KINDS, Query, write_queries

_BYTES_A_PASSAGE = 7000  # of disk, with what is written while shelves are split

OnProgress = Callable[[int, int, float], None]  # (passages, of so many, passages a second)
Days = Sequence[tuple[date, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """One benchmark: its folder, what is recombined, how articles spread over time and whether they come in order."""

    folder: Path
    material: Material
    days: Days
    shuffled: bool
    queries: int


def run(scale: Scale, settings: Settings, passages: int, embedder: Embedder, progress: OnProgress) -> dict[str, Any]:
    """Fill an archive of about `passages` (going on where an earlier run broke off) and ask it; the figures of both."""
    home = scale.folder / f"passages-{passages}"
    _require_disk(scale.folder, passages)
    settings = settings.model_copy(update={"home": home, "chroma_url": ""})
    filled = fill(scale, settings, passages, embedder.name, progress)
    write_queries(scale.folder / "queries.json", queries(scale))
    return {**filled, "disk_mb": _disk(home), **_probe(scale.folder / "queries.json", home)}


def _require_disk(folder: Path, passages: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(folder).free, passages * _BYTES_A_PASSAGE
    if free < needed:
        raise ArchiveError(
            f"{folder}: {passages:,} passages need {needed / 1e9:.0f} GB of disk, {free / 1e9:.0f} GB are free; "
            "ask for fewer with --passages, or set ARCHIVAR_HOME to another disk"
        )


def fill(scale: Scale, settings: Settings, passages: int, embedder: str, progress: OnProgress) -> dict[str, Any]:
    """Store and index what is missing of `passages`, in the order of time or shuffled."""
    archive = Archive.open(settings, DrawnEmbedder(embedder, scale.material.vectors))
    published = moments(scale.days, articles_for(passages))
    if scale.shuffled:
        published = [published[at] for at in np.random.default_rng(3).permutation(len(published))]
    before = archive.ledger.counts()
    spent = float(archive.ledger.fact("seconds") or 0)
    started, done = perf_counter(), before.passages - before.pending
    with archive.writing():
        done += archive.index_pending()
        first = done
        for batch in draw(scale.material, published, -(-before.articles // BATCH)):
            archive.ledger.store(batch)
            done += archive.index_pending()
            archive.ledger.set_fact("seconds", str(spent + perf_counter() - started))
            progress(done, passages, (done - first) / (perf_counter() - started))
    counts, seconds = archive.ledger.counts(), float(archive.ledger.fact("seconds") or 0)
    shelves = archive.ledger.db.execute("SELECT count(*) FROM shelves").fetchone()[0]
    archive.close()
    rate = round(counts.passages / seconds) if seconds else 0
    return {
        "passages": counts.passages, "articles": counts.articles, "shelves": shelves, "shuffled": scale.shuffled,
        "insert": {"seconds": round(seconds), "passages_per_second": rate},
    }  # fmt: skip


def queries(scale: Scale) -> list[Query]:
    """Questions about real titles, each with a month, a year and an open period in which articles were published."""
    random = np.random.default_rng(4)
    asked = []
    for moment in random.permutation(np.array(moments(scale.days, 10 * scale.queries)))[: scale.queries]:
        title = scale.material.titles[random.integers(0, len(scale.material.titles))]
        asked.append(Query(f"Was wurde über {title} berichtet?", _periods(moment, bool(random.integers(0, 2)))))
    return asked


def _periods(moment: datetime, since: bool) -> dict[str, Period | None]:
    day = moment.date()
    year, month = day.year, day.month
    ranges = (
        None,
        Period(date(year, month, 1), date(year, month, monthrange(year, month)[1])),
        Period(date(year, 1, 1), date(year, 12, 31)),
        Period(start=day) if since else Period(end=day),
    )
    return dict(zip(KINDS, ranges, strict=True))


def _probe(asked: Path, home: Path) -> dict[str, Any]:
    """Ask in a process of its own: the memory of this one has the synthetic articles in it."""
    done = subprocess.run(
        [sys.executable, "-m", "archivar", "bench", "probe", str(asked)],
        env={**os.environ, "ARCHIVAR_HOME": str(home), "ARCHIVAR_CHROMA_URL": ""},
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ArchiveError(f"{home}: asking it ended with exit code {done.returncode}; the message stands above")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _disk(home: Path) -> dict[str, int]:
    """Megabytes of each part of an archive."""
    parts = {
        "ledger": home.glob("ledger.sqlite3*"),
        "vectors": (home / "vectors").rglob("*"),
        "words": (home / "words").rglob("*"),
    }
    return {
        name: round(sum(path.stat().st_size for path in paths if path.is_file()) / 2**20)
        for name, paths in parts.items()
    }
