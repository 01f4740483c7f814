"""How an ingest shows itself while it runs: a bar on a terminal, else a plain line every few seconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from archive.durations import duration
from ingest.pipeline import Progress

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown(count: Callable[[], int], console: Console) -> Iterator[Callable[[Progress], None]]:
    """Yields what ingest() calls; `count` tells about how many records there are, as far as is known by then."""
    if not console.is_terminal:
        yield _lines(count, console)
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.fields[shown]}"), BarColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    started = monotonic()
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=count(), shown="0 articles", rate="")

        def show(progress: Progress) -> None:
            rate = progress.passages / max(monotonic() - started, 0.1)
            bar.update(
                task,
                completed=progress.records,
                total=max(count(), progress.records),
                shown=f"{progress.records:,} articles, {progress.passages:,} passages",
                rate=f"{rate:.0f} passages/s",
            )

        yield show


def _lines(count: Callable[[], int], console: Console) -> Callable[[Progress], None]:
    started = last = monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        now = monotonic()
        if now - last < _SECONDS_BETWEEN_LINES:
            return
        last, total = now, count()
        rate = progress.records / (now - started)
        left = max(total - progress.records, 0) / rate if rate else 0.0
        console.print(
            f"{progress.records:,} of about {max(total, progress.records):,} articles, {progress.passages:,} passages, "
            f"{progress.passages / (now - started):.0f} passages/s, about {duration(left)} left",
            highlight=False, soft_wrap=True,
        )  # fmt: skip

    return show
