"""A server's status as a terminal shows it."""

import time
from collections.abc import Mapping
from datetime import datetime

from rich.console import Console
from rich.table import Table

from archive.articles import TIME_ZONE
from server.status import Latency, ServerFigures, Status


def show(status: Status, console: Console) -> None:
    """Print all of `status`."""
    _line(console, f"{status.url}: {'ready' if status.is_ready else 'NOT READY'}")
    for line in status.missing:
        _line(console, f"  missing: {line}")
    for line in status.worrying:
        _line(console, f"  worrying: {line}")
    if status.figures is None:
        _line(console, "more is told with ARCHIVAR_API_KEY, a key that may administer")
        return
    console.print()
    console.print(_table(status.figures))


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _table(told: ServerFigures) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in _rows(told):
        table.add_row(name, text.replace("[", r"\["))
    return table


def _rows(told: ServerFigures) -> list[tuple[str, str]]:
    workers = "1 worker" if told.workers == 1 else f"{told.workers} workers"
    rows = [
        ("server", f"{told.version}, {workers}, up {_span(time.time() - told.started)}"),
        ("models", ", ".join(f"{name} {model}" for name, model in told.models.items() if model)),
    ]
    for where, engine in told.engines.items():
        state = "" if engine.is_up else "left out, "
        said = f"; {engine.said}" if engine.said not in ("", "ready") else ""
        rows.append(("engine", f"{where}: {state}{engine.running} running, {engine.failures} failures{said}"))
    rows += [
        ("queue", f"{told.waiting} waiting, {told.refused:,} refused"),
        ("requests", f"{told.requests:,}{_counts(told.errors, '; errors: ')}"),
        ("answers", _counts({end: count for end, count in told.answers.items() if count}) or "none yet"),
        ("first token", _latency(told.first_token)),
        ("answer", _latency(told.answer)),
        ("archive", _archive(told)),
        ("newest article", _when(told.newest)),
        ("last ingest", _when(told.last_run)),
    ]
    return rows


def _counts(counts: Mapping[str, int], before: str = "") -> str:
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return f"{before}{told}" if told else ""


def _latency(latency: Latency) -> str:
    if latency.p50 is None or latency.p95 is None:
        return "none yet"
    return f"half within {latency.p50:.2f} s, 95 % within {latency.p95:.2f} s"


def _archive(told: ServerFigures) -> str:
    if told.articles is None:
        return "its ledger can't be read"
    waiting = f", {told.pending:,} waiting for the indexes" if told.pending else ""
    return f"{told.articles:,} articles, {told.passages:,} passages{waiting}"


def _when(moment: float | None) -> str:
    if moment is None:
        return "none"
    at = datetime.fromtimestamp(moment, TIME_ZONE)
    return f"{at:%Y-%m-%d %H:%M} ({_span(time.time() - moment)} ago)"


def _span(seconds: float) -> str:
    """In its largest unit, which is enough for a look."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"
