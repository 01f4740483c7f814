"""The commands that keep an archive safe and in view: `archivar backup`, `restore` and `stats`."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import ArchiveLocked
from archive.priority import step_back

if TYPE_CHECKING:
    from archive.backup_file import Manifest
    from archive.settings import Settings

Home = Annotated[Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write, such as archive.tar.zst.")],
    home: Home = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE where it is there already.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for a writer at work.")] = 600,
) -> None:
    """Write the whole archive, without models, to one file, while it is being asked; an ingest waits meanwhile.

    What is deleted in the archive is not in it. FILE is there whole or not at all.
    """
    from archive.settings import load_settings

    settings, started = load_settings(home=home), time.perf_counter()
    step_back()
    manifest = _patient(settings, file, force, wait)
    typer.echo(
        f"{file}: {manifest.articles:,} articles, {manifest.passages:,} passages, "
        f"{file.stat().st_size / 1e6:,.1f} MB in {time.perf_counter() - started:.1f} s."
    )
    if settings.chroma_url:
        held_by = f"Vectors are not in it, but in Chroma at {settings.chroma_url}"
        typer.echo(f"{held_by}; a restore embeds all passages again.", err=True)
    elif "vectors" in manifest.left_out:
        typer.echo("Vectors are not in it: there are none.", err=True)
    if "words" in manifest.left_out:
        typer.echo("Words are not in it: a restore makes them anew, in about a minute for 40,000 articles.", err=True)


def _patient(settings: "Settings", file: Path, force: bool, wait: float) -> "Manifest":
    from archive.backup import back_up

    try:
        return back_up(settings.home, file, replace=force, chroma_url=settings.chroma_url)
    except ArchiveLocked as error:
        if not wait:
            raise
        typer.echo(f"{error}; the backup waits for it, {wait:.0f} s at most.", err=True)
        return back_up(settings.home, file, replace=force, wait=wait, chroma_url=settings.chroma_url)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup by `archivar backup`.")],
    home: Home = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the archive that is there.")] = False,
) -> None:
    """Make a backup the archive. All of it is verified before anything changes; an old archive goes last.

    What the archive that is replaced was to forget stays forgotten. Stop the server first.
    """
    from archive.check_commands import lines
    from archive.restoring import restore as bring_back
    from archive.settings import load_settings

    settings, started = load_settings(home=home), time.perf_counter()
    restored = bring_back(file, settings.home, replace=replace, chroma_url=settings.chroma_url)
    typer.echo(
        f"{settings.home}: restored as of {restored.manifest.made}, verified, in {time.perf_counter() - started:.1f} s."
    )
    for line in lines(restored.comparison):
        typer.echo(line, err=not restored.comparison.whole)


def stats(
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """What the archive holds: articles by month and source, passages, disk, the last runs and their rejects."""
    from rich.console import Console

    from archive import stats as counting
    from archive.settings import load_settings
    from archive.stats_view import show

    counted = counting.stats(load_settings(home=home).home)
    if as_json:
        typer.echo(json.dumps(asdict(counted), ensure_ascii=False, default=str))
    else:
        show(counted, Console())
