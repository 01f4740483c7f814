"""`archivar models`: list, pull and verify what the store holds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from archive.catalogue import CATALOGUE
from archive.errors import ModelDamaged
from archive.fetching import Progress as ReportProgress
from archive.models import ModelStore
from archive.settings import Settings, load_settings

LINE_EVERY = 5.0  # seconds between plain progress lines where no terminal shows a bar

models_app = typer.Typer(help="The models in the local store.", no_args_is_help=True)
Names = Annotated[
    list[str] | None, typer.Argument(help="Catalogue names or hub ids; by default those of the settings.")
]


@contextmanager
def show_progress(console: Console) -> Iterator[ReportProgress]:
    """A progress callback: a bar in bytes on a terminal, a plain line every few seconds elsewhere."""
    if not console.is_terminal:
        yield _PlainLines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield report


class _PlainLines:
    """Progress for logs: at most one line every few seconds, and one when a file is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = 0.0
        self._done: set[str] = set()

    def __call__(self, what: str, done: int, total: int) -> None:
        finished = done >= total
        if (finished and what in self._done) or (not finished and time.monotonic() - self._last < LINE_EVERY):
            return
        self._last = time.monotonic()
        if finished:
            self._done.add(what)
        self._console.print(f"{what}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", highlight=False)


def named_models(settings: Settings) -> list[str]:
    """The models that the settings name and this store can fetch; engines elsewhere keep their own."""
    kind, _, generator = settings.generator.partition(":")
    wanted = [settings.embedder, settings.reranker_name, generator if kind == "llamacpp" else ""]
    return [name for name in wanted if name]


def _store(settings: Settings) -> ModelStore:
    return ModelStore(settings.models, offline=settings.offline)


@models_app.command("list")
def list_models() -> None:
    """List the catalogue, and what of it is in the store."""
    settings, console = load_settings(), Console()
    store = _store(settings)
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for column in ("kind", "size", "licence", "state"):
        table.add_column(column, no_wrap=True, justify="right" if column == "size" else "left")
    for model in CATALOGUE.values():
        table.add_row(model.name, model.kind, f"{model.disk / 1e6:,.0f} MB", model.licence, store.state(model.name))
    console.print(table)
    console.print(f"store: {settings.models}", soft_wrap=True, highlight=False)


@models_app.command()
def pull(names: Names = None) -> None:
    """Fetch models into the store; quick where they are there already."""
    settings, console = load_settings(), Console()
    store = _store(settings)
    for name in names or named_models(settings):
        with show_progress(console) as progress:
            place = store.pull(name, progress=progress)
        console.print(f"{name}: ready in {place}", soft_wrap=True, highlight=False)


@models_app.command()
def verify(names: Names = None) -> None:
    """Hash the files of models again, every byte; exit 1 where one is damaged."""
    settings, console = load_settings(), Console()
    store = _store(settings)
    damaged = []
    for name in names or [name for name in named_models(settings) if name in CATALOGUE]:
        bad = store.verify(name)
        damaged += [(name, path) for path in bad]
        if not bad:
            console.print(f"{name}: intact", highlight=False)
    if damaged:
        name, path = damaged[0]
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        raise ModelDamaged(f"{path} is damaged{more}; run `archivar models pull {name}`")
