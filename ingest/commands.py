"""The command `archivar ingest`."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from archive.articles import day_now
from archive.durations import duration
from archive.errors import ArchivarError, BadArticle, SourceError
from ingest.web.addresses import is_address

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.settings import Settings
    from ingest.report import Reject, Report
    from ingest.sources.publishers.publisher import Publisher
    from ingest.web.visitor import Visitor

_SHOWN = 20  # rejects; all are in the file


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...", help="Files, folders or addresses to take articles from, or a publisher such as heise."
        ),
    ],
    start: Annotated[
        str, typer.Option("--from", help="With a publisher: its articles from here on (2022, 2022-01 or 2022-01-31).")
    ] = "",
    end: Annotated[str, typer.Option("--to", help="With --from: up to and with here (default: today).")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="With --from: ask anew for what is held, whether it has changed or gone.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Publisher of all these articles, such as heise.de.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on standard output.")] = False,
) -> None:
    """Take articles into the archive: JSONL, CSV (either gzipped), Atom/RSS, HTML pages, SQLite, folders, addresses.

    A publisher's name takes what its feeds hold now, or with --from and --to what it brought out in that time.

    Running it again is harmless: what is known already is left alone. Exit codes: 0 all stored, 1 nothing stored
    because of an error, 3 stored with rejects.
    """
    from archive.settings import load_settings
    from ingest.rejects import note_rejects

    console = Console(stderr=True)
    try:
        settings = load_settings(home=home)
        report = _run(_orders(sources, start, end, again), settings, source, console)
        rejects_file = note_rejects(report.rejected, settings.home)
    except ArchivarError as error:
        console.print(f"Error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        typer.echo(summary(report))
    for line in rejects_shown(report.rejected, rejects_file):
        typer.echo(line, err=True)
    raise typer.Exit(report.exit_code)


@dataclass(frozen=True, slots=True)
class _Orders:
    """What is to be brought in: `sources`, or a publisher's articles of a period."""

    sources: tuple[str, ...]
    publisher: "Publisher | None" = None
    start: date = date.min
    end: date = date.max
    again: bool = False


def _orders(names: Sequence[str], start: str, end: str, again: bool) -> _Orders:
    """Raises SourceError for what can't be meant, before a model is loaded, perhaps even downloaded, for nothing."""
    from ingest.dates import first_and_last
    from ingest.sources.publishers import publisher, publishers

    if start:
        if len(names) != 1:
            raise SourceError("--from takes one publisher; run it once for each")
        try:
            first, last = first_and_last(start)[0], first_and_last(end)[1] if end else day_now()
        except BadArticle as error:
            raise SourceError(str(error)) from error
        if first > last:
            raise SourceError(f"--from {start} lies after {last}; change the two")
        return _Orders((), publisher(names[0]), first, last, again)
    if end or again:
        raise SourceError("--to and --again go with --from")
    known = {name for name in names if name in publishers() and not Path(name).exists()}
    sources = tuple(feed for name in names for feed in (publishers()[name].feeds if name in known else (name,)))
    if not any(is_address(source) or os.path.exists(source) for source in sources):
        raise SourceError(f"{', '.join(sources)}: no such file, folder or publisher; check the name")
    return _Orders(sources)


def _run(orders: _Orders, settings: "Settings", publisher: str, console: Console) -> "Report":
    # Imported here: models and indexes take seconds, and `archivar --help` should not.
    from archive.models import ModelStore
    from archive.opening import open_archive
    from archive.priority import step_back

    step_back()
    archive = open_archive(settings, ModelStore(settings.models, offline=settings.offline), deferred=True)
    try:
        if orders.publisher is None and not any(map(is_address, orders.sources)):
            return _read(orders, archive, publisher, None, console)
        from ingest.web.visitor import Visitor

        with Visitor.with_settings(settings, named=filter(is_address, orders.sources)) as visitor:
            if orders.publisher is None:
                return _read(orders, archive, publisher, visitor, console)
            return _crawl(orders, orders.publisher, archive, visitor, console)
    finally:
        archive.close()


def _read(orders: _Orders, archive: "Archive", publisher: str, visitor: "Visitor | None", console: Console) -> "Report":
    from ingest import pipeline
    from ingest.progress import shown
    from ingest.sources.reading import estimate

    total = sum(map(estimate, orders.sources))
    with shown(lambda: total, console) as show:
        return pipeline.ingest(
            orders.sources, archive, publisher=publisher, visitor=visitor, wait=pipeline.WAIT, on_progress=show
        )


def _crawl(
    orders: _Orders, publisher: "Publisher", archive: "Archive", visitor: "Visitor", console: Console
) -> "Report":
    from ingest.backfill import backfill
    from ingest.progress import shown
    from ingest.sources.crawl import Progress

    crawled = Progress()
    with shown(lambda: crawled.links, console) as show:
        return backfill(
            publisher, orders.start, orders.end, archive, visitor, again=orders.again, crawled=crawled, on_progress=show
        )


def summary(report: "Report") -> str:
    """The report in plain words, one or two lines."""
    total = report.stored + report.changed + report.unchanged + report.withdrawn + report.forgotten
    if not total:
        return "Nothing stored." if report.rejected else "Nothing stored: the sources hold no articles."
    left_out = f", {report.forgotten:,} left out as removed on request" if report.forgotten else ""
    if not report.stored and not report.changed and not report.withdrawn:
        return f"Nothing new: {_articles(report.unchanged)} known already{left_out} ({duration(report.seconds)})."
    rate = report.passages / max(report.seconds, 0.001)
    withdrawn = f", {report.withdrawn:,} withdrawn by their publisher" if report.withdrawn else ""
    return (
        f"{_articles(report.stored)} stored, {report.changed:,} changed, {report.unchanged:,} already known{left_out}"
        f"{withdrawn}, {len(report.rejected):,} rejected.\n"
        f"{report.passages:,} passages in {duration(report.seconds)}, {rate:.0f} passages per second."
    )


def rejects_shown(rejected: Sequence["Reject"], file: Path) -> list[str]:
    """Lines that list the first rejects and name the file that has all of them; none without rejects."""
    if not rejected:
        return []
    lines = [f"{len(rejected):,} rejected, all listed in {file}:"]
    lines += [f"  {reject}" for reject in rejected[:_SHOWN]]
    if len(rejected) > _SHOWN:
        lines.append(f"  ... and {len(rejected) - _SHOWN:,} more")
    return lines


def _articles(count: int) -> str:
    return f"{count:,} article{'' if count == 1 else 's'}"
