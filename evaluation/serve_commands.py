"""`archivar bench serve`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evaluation.serve_processes import Plan

PHASES = "start,added,streams,search,cancel"


def serve(
    phases: Annotated[str, typer.Option(help="What is measured, with commas between.")] = PHASES,
    questions: Annotated[
        Path | None, typer.Option(help="JSON lines with `question`; by default titles of the archive.")
    ] = None,
    answers: Annotated[int, typer.Option(min=10, help="Answers to time one by one.")] = 100,
    streams: Annotated[int, typer.Option(min=1, help="Streams at once.")] = 200,
    seconds: Annotated[float, typer.Option(min=2, help="Length of the phases streams and search.")] = 15,
    at_once: Annotated[int, typer.Option(min=1, help="Searches on their way at the same time.")] = 8,
    workers: Annotated[int, typer.Option(min=1, help="Processes of the server.")] = 1,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Start and cancel with the generator in the process, too.")
    ] = False,
) -> None:
    """Measure the server itself: start, time added to an engine's, many streams, searches a second, cancelling.

    Reads the archive in ARCHIVAR_HOME; logs go to `bench` in that folder. The server and a scripted engine are
    processes of their own. The last line is one JSON object.
    """
    from archive.errors import SettingsError
    from archive.ledger import check_archive
    from archive.settings import load_settings
    from evaluation.serve_processes import Plan

    settings = load_settings()
    check_archive(settings.home)
    measures = _measures()
    names = [name.strip() for name in phases.split(",")]
    if unknown := [name for name in names if name not in measures]:
        raise SettingsError(f"--phases {', '.join(unknown)}: no such phase; there are {PHASES}")
    (settings.home / "bench").mkdir(exist_ok=True)
    asked = _questions(questions, settings.home)
    plan = Plan(settings.home, asked, answers, streams, seconds, at_once, workers, in_process)
    found = {}
    for name in names:
        typer.echo(f"{name} ...", err=True)
        found[name] = measures[name](plan)
        typer.echo(f"{name:>8}: {found[name]}")
    typer.echo(json.dumps(found))


def _measures() -> "dict[str, Callable[[Plan], dict[str, Any]]]":
    from evaluation import serve_bench as bench
    from evaluation.serve_cancel import cancelling

    return {
        "start": bench.start, "added": bench.added, "streams": bench.streams, "search": bench.searches,
        "cancel": cancelling,
    }  # fmt: skip


def _questions(file: Path | None, home: Path) -> list[str]:
    """Of a file, or titles spread over the archive."""
    from archive.ledger import Ledger

    if file is not None:
        return [json.loads(line)["question"] for line in file.read_text(encoding="utf-8").splitlines() if line]
    ledger = Ledger.open(home)
    rows = ledger.db.execute("SELECT title FROM articles WHERE withdrawn IS NULL ORDER BY id").fetchall()
    ledger.close()
    return [row["title"] for row in rows[:: max(1, len(rows) // 500)]]
