"""The numbers of an archive as a terminal shows them."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from archive.articles import TIME_ZONE
from archive.stats import RunShown, Stats

_MONTHS, _SOURCES = 24, 12  # rows at most; years before these months are one row each
_WIDEST = 60


def show(stats: Stats, console: Console) -> None:
    """Print all of `stats`."""
    notes = ((stats.undated, "undated"), (stats.changed, "changed since"), (stats.withdrawn, "withdrawn besides"))
    noted = ", ".join(f"{count:,} {name}" for count, name in notes if count)
    _line(console, f"{stats.home}: {stats.articles:,} articles{f' ({noted})' if noted else ''}")
    pending = f", {stats.pending:,} changes waiting for the indexes" if stats.pending else ""
    _line(console, f"{stats.passages:,} passages{pending}; embedder {stats.embedder or 'none yet'}")
    disk = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in stats.disk.items())
    _line(console, f"disk: {disk}")
    if stats.months:
        console.print()
        console.print(_plot(stats.months, console.width))
    if stats.sources:
        console.print()
        console.print(_sources(stats))
    console.print()
    for run in stats.runs:
        _line(console, _run(run))
    if stats.rejects:
        rejects = stats.rejects
        _line(
            console, f"rejects: {rejects.of_last:,} on {_when(rejects.last)}, {rejects.total:,} in all, {rejects.file}"
        )


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _plot(months: dict[str, int], width: int) -> Table:
    rows = list(_condensed(months))
    # A year beside months would make every month a stub, so the two are drawn to scales of their own.
    largest = {len(name): max(count for other, count in rows if len(other) == len(name)) for name, _ in rows}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    length = max(min(_WIDEST, width - 20), 5)
    for name, count in rows:
        table.add_row(name, f"{count:,}", Bar(max(largest[len(name)], 1), 0, count, width=length))
    return table


def _condensed(months: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Rows of the plot, oldest first: whole years before the newest months, which begin with a January."""
    names = list(months)
    kept = names[-_MONTHS:]
    if len(names) > _MONTHS:
        kept = kept[next(at for at, name in enumerate(kept) if name.endswith("-01")) :]
    years: Counter[str] = Counter()
    for name in names[: len(names) - len(kept)]:
        years[name[:4]] += months[name]
    yield from years.items()
    yield from ((name, months[name]) for name in kept)


def _sources(stats: Stats) -> Table:
    table = Table("source", box=None, pad_edge=False)
    table.add_column("articles", justify="right", no_wrap=True)
    table.add_column("newest", no_wrap=True)
    for source in stats.sources[:_SOURCES]:
        table.add_row(source.name, f"{source.articles:,}", source.newest.strftime("%Y-%m-%d") if source.newest else "")
    rest = stats.sources[_SOURCES:]
    if rest:
        table.add_row(f"{len(rest):,} more", f"{sum(source.articles for source in rest):,}", "")
    return table


def _run(run: RunShown) -> str:
    counts = ((run.stored, "stored"), (run.changed, "changed"), (run.unchanged, "known"), (run.withdrawn, "withdrawn"),
              (run.rejected, "rejected"), (run.passages, "passages"))  # fmt: skip
    done = ", ".join(f"{count:,} {name}" for count, name in counts if count) or "nothing new"
    return f"{_when(run.started)}  {run.what}: {done}{'' if run.ended else ' (not ended)'}"


def _when(moment: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return moment
