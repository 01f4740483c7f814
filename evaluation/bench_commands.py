"""`archivar bench`: how fast, how large."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from evaluation.scale import OnProgress

bench_app = typer.Typer(help="Measure speed and size.", no_args_is_help=True)

_LINE_EVERY = 10.0  # seconds between lines of progress


@bench_app.command()
def scale(
    passages: Annotated[str, typer.Option(help="Sizes to measure, passages with commas between.")] = "10000,100000",
    queries: Annotated[int, typer.Option(min=1, help="Questions, each asked with four kinds of period.")] = 100,
    days: Annotated[Path | None, typer.Option(help="CSV with `date` and `articles`: how articles spread.")] = None,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="Bring articles in without order of time.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the synthetic archives in place.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the times as SVG (needs the extra `report`).")] = None,
) -> None:
    """Fill synthetic archives of several sizes, ask each, and tell rate, disk, memory and times.

    Sentences and vectors come from the archive in ARCHIVAR_HOME, or from the sample articles. All is written to
    `bench` in that folder; a run that was interrupted goes on there. The last line is one JSON object.
    """
    from rich.console import Console

    from archive.embedding import load_embedder
    from archive.models import ModelStore
    from archive.settings import load_settings
    from evaluation.scale import Scale
    from evaluation.scale_articles import gather, read_days
    from evaluation.scale_report import draw_times, measure_all, table

    sizes, spread = _sizes(passages), read_days(days)
    settings = load_settings()
    console = Console(stderr=True)
    embedder = load_embedder(settings, ModelStore(settings.models, offline=settings.offline))
    folder = settings.home / "bench" / ("scale-shuffled" if shuffled else "scale")
    work = Scale(folder, gather(settings, embedder), spread, shuffled, queries)
    results = measure_all(work, settings, sizes, embedder, lambda size: _lines(console, size), keep=keep)
    Console(width=None if console.is_terminal else 140).print(table(results))
    if plot is not None:
        plot.write_text(draw_times(results, folder.parent), encoding="utf-8")
    typer.echo(json.dumps({"sizes": results}))


@bench_app.command(hidden=True)
def probe(asked: Annotated[Path, typer.Argument(help="Questions, as `scale` writes them.")]) -> None:
    """Ask the archive in ARCHIVAR_HOME; `scale` starts this as a process of its own."""
    from archive.embedding import load_embedder
    from archive.models import ModelStore
    from archive.settings import load_settings
    from evaluation.scale_probe import probe as measure
    from evaluation.scale_probe import read_queries

    settings = load_settings()
    embedder = load_embedder(settings, ModelStore(settings.models, offline=settings.offline))
    typer.echo(json.dumps(measure(settings, embedder, read_queries(asked))))


def _sizes(text: str) -> list[int]:
    from archive.errors import SettingsError

    try:
        sizes = sorted({int(part.replace("_", "")) for part in text.split(",")})
    except ValueError as error:
        raise SettingsError(f"--passages {text}: no numbers; write for example 10000,100000") from error
    if sizes[0] < 100:
        raise SettingsError(f"--passages {text}: {sizes[0]} is too few to measure; ask for 100 at least")
    return sizes


def _lines(console: "Console", size: int) -> "OnProgress":
    from time import monotonic

    last = monotonic()

    def show(done: int, total: int, rate: float) -> None:
        nonlocal last
        if monotonic() - last >= _LINE_EVERY:
            last = monotonic()
            console.print(f"{size:,}: {done:,} of about {total:,} passages, {rate:.0f} a second", highlight=False)

    return show
