"""The command `archivar ingest`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from archive.errors import ArchivarError, SourceError

if TYPE_CHECKING:
    from archive.settings import Settings
    from ingest.report import Reject, Report

_SHOWN = 20  # rejects; all are in the file


def ingest(
    sources: Annotated[
        list[str], typer.Argument(metavar="PATH_OR_URL...", help="Files, folders or addresses to take articles from.")
    ],
    home: Annotated[
        Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")
    ] = None,
    source: Annotated[str, typer.Option("--source", help="Publisher of all these articles, such as heise.de.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on standard output.")] = False,
) -> None:
    """Take articles into the archive: JSONL, CSV (either gzipped), Atom/RSS, HTML pages, SQLite, folders, addresses.

    Running it again is harmless: what is known already is left alone. Exit codes: 0 all stored, 1 nothing stored
    because of an error, 3 stored with rejects.
    """
    from archive.settings import load_settings

    console = Console(stderr=True)
    try:
        settings = load_settings(home=home)
        report = _run(sources, settings, source, console)
        rejects_file = _note_rejects(report.rejected, settings.home)
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


def _run(sources: Sequence[str], settings: "Settings", publisher: str, console: Console) -> "Report":
    # Imported here: models and indexes take seconds, and `archivar --help` should not.
    from archive.archive import Archive
    from archive.embedding import load_embedder
    from archive.models import ModelStore
    from ingest import pipeline
    from ingest.progress import shown
    from ingest.sources.reading import estimate
    from ingest.web.addresses import is_address

    if not any(is_address(source) or Path(source).exists() for source in sources):
        # Before a model is loaded, perhaps even downloaded, for nothing.
        raise SourceError(f"{', '.join(sources)}: no such file or folder; check the path")
    embedder = load_embedder(settings, ModelStore(settings.models, offline=settings.offline))
    archive = Archive.open(settings, embedder)
    try:
        with shown(sum(map(estimate, sources)), console) as show:
            return pipeline.ingest(sources, archive, publisher=publisher, on_progress=show)
    finally:
        archive.close()


def summary(report: "Report") -> str:
    """The report in plain words, one or two lines."""
    from ingest.progress import duration

    total = report.stored + report.changed + report.unchanged
    if not total:
        return "Nothing stored." if report.rejected else "Nothing stored: the sources hold no articles."
    if not report.stored and not report.changed:
        return f"Nothing new: {_articles(report.unchanged)} known already ({duration(report.seconds)})."
    rate = report.passages / max(report.seconds, 0.001)
    return (
        f"{_articles(report.stored)} stored, {report.changed:,} changed, {report.unchanged:,} already known, "
        f"{len(report.rejected):,} rejected.\n"
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


def _note_rejects(rejected: Sequence["Reject"], home: Path) -> Path:
    file, now = home / "rejects.jsonl", datetime.now(UTC).isoformat(timespec="seconds")
    if rejected:
        try:
            with file.open("a", encoding="utf-8") as out:
                for reject in rejected:
                    out.write(json.dumps({"time": now} | asdict(reject), ensure_ascii=False) + "\n")
        except OSError as error:
            raise SourceError(f"{file}: can't be written ({error.strerror}); check the folder's rights") from error
    return file
