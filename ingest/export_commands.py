"""The command `archivar export`."""

import gzip
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from archive.errors import ArchiveError, BadArticle, SettingsError

if TYPE_CHECKING:
    from archive.articles import Period
    from ingest.exporting import Line

_QUICK = 1  # gzip's own levels from here to 9 take four times as long for an eighth less


def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON Lines to write, gzipped where it ends in .gz; - is stdout.")
    ] = Path("-"),
    home: Annotated[
        Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")
    ] = None,
    start: Annotated[str, typer.Option("--from", help="Published from here on (2022, 2022-01 or 2022-01-31).")] = "",
    end: Annotated[str, typer.Option("--to", help="Published up to and with here.")] = "",
    source: Annotated[str, typer.Option("--source", help="By this publisher alone, as `archivar stats` has it.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace FILE where it is there already.")] = False,
) -> None:
    """Write the articles as JSON Lines, of which `archivar ingest` makes the same articles under the same ids.

    Withdrawn articles are left out, undated ones where a time is asked for.
    """
    from archive.ledger import Ledger, check_archive
    from archive.settings import load_settings
    from ingest.exporting import export as lines_of

    settings, period = load_settings(home=home), _period(start, end)
    check_archive(settings.home)
    ledger = Ledger.open(settings.home)
    try:
        with _opened(file, force) as out:
            count, others = _written(lines_of(ledger.articles(), period, source), out)
    finally:
        ledger.close()
    typer.echo(f"{count:,} article{'' if count == 1 else 's'} exported.", err=True)
    if others:
        typer.echo(f"Of these an ingest would make other articles: {', '.join(others[:10])}", err=True)
        raise typer.Exit(3)


def _written(lines: "Iterator[Line]", out: IO[str]) -> tuple[int, list[str]]:
    """How many lines were written, and the ids of those articles that can't be written so that they come back alike."""
    count, others = 0, []
    for line in lines:
        out.write(line.text + "\n")
        count += 1
        if not line.alike:
            others.append(line.article.id)
    return count, others


def _period(start: str, end: str) -> "Period | None":
    from archive.articles import Period
    from ingest.dates import first_and_last

    def days(text: str) -> tuple[date | None, date | None]:
        return first_and_last(text) if text else (None, None)

    try:
        period = Period(days(start)[0], days(end)[1])
    except BadArticle as error:
        raise SettingsError(str(error)) from error
    if period.start and period.end and period.start > period.end:
        raise SettingsError(f"--from {start} lies after --to {end}; change the two")
    return period if start or end else None


@contextmanager
def _opened(file: Path, force: bool) -> Iterator[IO[str]]:
    """The file to write to, which takes its name when all is written. Raises ArchiveError."""
    if file == Path("-"):
        out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")  # whatever the terminal's encoding
        try:
            yield out
        finally:
            out.detach()
        return
    if file.exists() and not force:
        raise ArchiveError(f"{file}: is there already; name another file, or give --force")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as raw:
            packed = gzip.GzipFile("", "wb", _QUICK, raw) if file.suffix == ".gz" else raw
            with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as out:
                yield out
                out.flush()
                if packed is not raw:
                    packed.close()
                raw.flush()
                os.fsync(raw.fileno())
        part.replace(file)
    except OSError as error:
        raise ArchiveError(f"{file}: can't be written ({error.strerror}); check the folder and its disk") from error
    finally:
        with suppress(OSError):
            part.unlink()
