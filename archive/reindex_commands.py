"""The command `archivar reindex`."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from archive.durations import duration
from archive.priority import step_back

if TYPE_CHECKING:
    from archive.reindexing import Progress, Report
    from archive.settings import Settings

_LINE_EVERY = 5.0  # seconds between plain progress lines where no terminal shows a bar


def reindex(
    embedder: Annotated[
        str, typer.Option("--embedder", help="Let this embedder serve: catalogue name, hub id or folder.")
    ] = "",
    drop: Annotated[str, typer.Option("--drop", help="Delete the index of this embedder, which rests.")] = "",
) -> None:
    """Build an index for another embedding model, beside the old one, and let it serve; or list the indexes.

    Goes on where it was interrupted. The server answers and articles may come in meanwhile. The old index rests, and
    comes back within moments where its embedder is named again; --drop frees its disk.
    """
    from archive.settings import load_settings

    settings, console = load_settings(), Console(stderr=True)
    if embedder and drop:
        raise typer.BadParameter("--embedder and --drop go one at a time")
    if embedder:
        _reindex(settings, embedder, console)
    elif drop:
        from archive.reindexing import drop as drop_index
        from archive.serving import place_of

        drop_index(settings, place_of(drop), lambda line: _tell(console, line))
        typer.echo(f"The index of {drop} is deleted.")
    else:
        _list(settings)


def _reindex(settings: "Settings", name: str, console: Console) -> None:
    # Imported here: models and indexes take seconds, and `archivar --help` should not.
    from archive import embedding
    from archive.models import ModelStore
    from archive.reindexing import reindex as build
    from archive.serving import place_of, serving_embedder

    name = place_of(name)
    if serving_embedder(settings.home) == name:
        typer.echo(f"{name} serves already.")
        return
    step_back()
    store = ModelStore(settings.models, offline=settings.offline)
    embedder = embedding.load_embedder(settings.model_copy(update={"embedder": name}), store)
    with _shown(console) as show:
        done = build(settings, embedder, show, lambda line: _tell(console, line))
    typer.echo(
        f"{name} serves: {done.embedded:,} passages embedded, {done.strays:,} taken out ({duration(done.seconds)}). "
        f"The index of {done.before} rests; `archivar reindex --embedder {done.before}` brings it back, "
        f"`archivar reindex --drop {done.before}` deletes it."
    )
    if "embedder" in settings.model_fields_set and place_of(settings.embedder) != name:
        _tell(console, f"ARCHIVAR_EMBEDDER={settings.embedder} is set: unset it, or the next start is refused.")


def _list(settings: "Settings") -> None:
    from rich.table import Table

    from archive.reindexing import states

    table = Table("embedder", "state", "passages", "of the archive's", box=None, header_style="bold")
    for state in states(settings):
        share = f"{state.passages / state.total:.0%}" if state.total else ""
        table.add_row(state.embedder, "serves" if state.serves else "rests", f"{state.passages:,}", share)
    console = Console()
    (console if console.is_terminal else Console(width=140)).print(table)


@contextmanager
def _shown(console: Console) -> Iterator["Report"]:
    """Progress with rate and time left: a bar on a terminal, a plain line every few seconds elsewhere."""
    if not console.is_terminal:
        yield _lines(console)
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.fields[shown]}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    started = monotonic()
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", shown="comparing", rate="")

        def show(progress: "Progress") -> None:
            bar.update(
                task, completed=progress.compared, total=progress.total,
                shown=f"{progress.compared:,} of {progress.total:,} passages",
                rate=f"{progress.embedded / max(monotonic() - started, 0.1):.0f} embedded/s",
            )  # fmt: skip

        yield show


def _lines(console: Console) -> "Report":
    started = last = monotonic()

    def show(progress: "Progress") -> None:
        nonlocal last
        if monotonic() - last < _LINE_EVERY:
            return
        last = monotonic()
        rate = progress.embedded / (last - started)
        left = f", at most {duration((progress.total - progress.compared) / rate)} left" if rate else ""
        _tell(
            console,
            f"{progress.compared:,} of {progress.total:,} passages, {rate:.0f} embedded per second{left}",
        )

    return show


def _tell(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
