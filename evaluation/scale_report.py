"""The figures of a benchmark of scale: kept while it runs, then as table and plot."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from archive.embedding import Embedder
from archive.errors import SettingsError
from archive.settings import Settings
from evaluation import plots
from evaluation.scale import OnProgress, Scale, run
from evaluation.scale_probe import KINDS

Results = list[dict[str, Any]]


def measure_all(
    scale: Scale,
    settings: Settings,
    sizes: Sequence[int],
    embedder: Embedder,
    progress: Callable[[int], OnProgress],
    *,
    keep: bool,
) -> Results:
    """The figures of each size. A size that an interrupted run has finished is not measured again."""
    finished = scale.folder / "finished.json"
    known: dict[str, dict[str, Any]] = json.loads(finished.read_text()) if finished.exists() else {}
    for size in sizes:
        if str(size) not in known:
            known[str(size)] = run(scale, settings, size, embedder, progress(size))
            finished.write_text(json.dumps(known))
        if not keep:
            shutil.rmtree(scale.folder / f"passages-{size}", ignore_errors=True)
    if not keep:
        shutil.rmtree(scale.folder)
    return [known[str(size)] for size in sizes]


def table(results: Results) -> Table:
    """A row for each size; times are milliseconds of fused retrieval: p50, p95, mean of CPU."""
    shown = Table("passages", "shelves", "stored/s", "disk MB", "memory MB", *KINDS)
    shown.title = "Fused retrieval, ms: p50 / p95 / mean of CPU"
    for column in shown.columns:
        column.justify = "right"
    for one in results:
        shown.add_row(
            f"{one['passages']:,}", f"{one['shelves']}", f"{one['insert']['passages_per_second']:,}",
            f"{sum(one['disk_mb'].values()):,}", f"{one['memory_mb']['resident']:,}",
            *(" / ".join(f"{one['ms'][kind]['fused'][of]:.0f}" for of in ("p50", "p95", "cpu")) for kind in KINDS),
        )  # fmt: skip
    return shown


def draw_times(results: Results, cache: Path) -> str:
    """Processor time of fused retrieval by size, which other programs disturb least, as SVG text.

    `cache` is where matplotlib may keep its fonts.
    """
    if not plots.can_draw(cache):
        raise SettingsError(f"--plot: {plots.HOW_TO_DRAW}")
    sizes = [one["passages"] for one in results]
    return plots.growth(sizes, {kind: [one["ms"][kind]["fused"]["cpu"] for one in results] for kind in KINDS})
