"""`archivar check`: whether an archive is whole, and mending it."""

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from archive.errors import ArchivarError, ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable

    from archive.checking import Comparison
    from archive.ledger import Ledger
    from archive.settings import Settings
    from archive.vectors import Vectors
    from archive.words import Words

_Part = TypeVar("_Part")
_WAIT = 60.0  # seconds for a writer to end: a watcher takes a few


def check(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is damaged, from the ledger.")] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on standard output.")] = False,
) -> None:
    """Compare the ledger with both indexes, passage by passage, by id and content hash.

    Every vector is read, every file of the words summed up. Exit codes: 0 whole, 1 damaged.
    """
    from archive.settings import load_settings

    console = Console(stderr=True)
    try:
        settings = load_settings(home=home)
        found = compared_at(settings)
        done: list[str] = []
        if repair and (found.pending or not found.whole):
            done = repaired(settings, found)
            found = compared_at(settings)
    except ArchivarError as error:
        console.print(f"Error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"whole": found.whole, "repaired": done}, ensure_ascii=False))
    else:
        for line in [*done, *lines(found)]:
            typer.echo(line)
    raise typer.Exit(0 if found.whole else 1)


def lines(found: "Comparison") -> list[str]:
    """What a comparison found, one line each."""
    if found.whole:
        held = f"{found.articles:,} articles, {found.passages:,} passages, each once in vectors and words with its text"
        shown = [f"The archive is whole: {held} ({found.seconds:.1f} s)."]
    else:
        shown = [str(finding) for finding in found.findings]
    if found.pending:
        shown.append(f"{found.pending:,} passages are still to be indexed: the next ingest does it, or check --repair.")
    if found.unhashed:
        shown.append(f"{found.unhashed:,} vectors were made by an older version, which noted no hash: not compared.")
    return shown


def compared_at(settings: "Settings") -> "Comparison":
    """Compare an archive, holding its write lock. Raises ArchiveError where its ledger can't be read."""
    from archive.checking import compare
    from archive.chroma import let_go
    from archive.ledger import Ledger, check_archive
    from archive.ledger_faults import explained
    from archive.locking import held

    check_archive(settings.home)
    with held(settings.home, "write", wait=_WAIT):
        ledger = Ledger.open(settings.home)
        try:
            return compare(ledger, _vectors(settings, ledger), _words(settings))
        except sqlite3.Error as error:
            raise ArchiveError(explained(settings.home, error)) from error
        finally:
            ledger.close()
            let_go()  # what is mended next may be renamed


def _opened(open_part: "Callable[[], _Part]") -> "_Part | str":
    try:
        return open_part()
    except ArchiveError as error:
        return str(error.__cause__ or error)


def _vectors(settings: "Settings", ledger: "Ledger") -> "Vectors | str":
    from archive.chroma import Chroma
    from archive.vectors import Vectors

    def opened() -> "Vectors":
        return Vectors(ledger, Chroma(settings.home, settings.chroma_url), ledger.fact("embedder") or "")

    return opened() if settings.chroma_url else _opened(opened)  # a server that is away is no damage


def _words(settings: "Settings") -> "Words | str":
    from archive.words import Words

    return _opened(lambda: Words(settings.home))


def repaired(settings: "Settings", found: "Comparison") -> list[str]:
    """Mend what was found; returns what was done."""
    from archive.locking import held
    from archive.mending import set_aside
    from archive.models import ModelStore
    from archive.opening import open_archive

    done = []
    unreadable = [finding.part for finding in found.findings if finding.kind == "unreadable"]
    with held(settings.home, "write", wait=_WAIT):
        for part in unreadable:
            done.append(f"{part}: the damaged folder lies at {set_aside(settings.home, part)} now")
    archive = open_archive(settings, ModelStore(settings.models, offline=settings.offline))
    try:
        with archive.writing(_WAIT):
            if "vectors" in unreadable:
                archive.index.vectors.parts[0].retire_others()
            done += archive.mend()
            archive.index_pending()
    finally:
        archive.close()
    return done
