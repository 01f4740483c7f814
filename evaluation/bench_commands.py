"""`archivar bench`: how fast, how large."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.live_commands import live
from evaluation.serve_commands import serve
from evaluation.side_by_side_commands import side_by_side
from evaluation.terminal import sparse_lines, whole_numbers

if TYPE_CHECKING:
    from rich.console import Console

    from evaluation.scale import OnProgress

bench_app = typer.Typer(help="Measure speed and size.", no_args_is_help=True)
bench_app.command()(live)
bench_app.command()(serve)
bench_app.command("answers")(side_by_side)


@bench_app.command()
def scale(
    passages: Annotated[str, typer.Option(help="Sizes to measure, passages with commas between.")] = "10000,100000",
    queries: Annotated[int, typer.Option(min=1, help="Questions, each asked with four kinds of period.")] = 100,
    days: Annotated[Path | None, typer.Option(help="CSV with `date` and `articles`: how articles spread.")] = None,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="Bring articles in without order of time.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the synthetic archives in place.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw processor times as SVG (with the extra `report`).")] = None,
) -> None:
    """Fill synthetic archives of several sizes, ask each, and tell rate, disk, memory and times.

    Sentences and vectors come from the archive in ARCHIVAR_HOME, or from the sample articles. All is written to
    `bench` in that folder; a run that was interrupted goes on there. The last line is one JSON object.
    """
    from rich.console import Console

    from archive.embedding import load_embedder
    from archive.models import ModelStore
    from archive.serving import with_own_embedder
    from archive.settings import load_settings
    from evaluation.scale import Scale
    from evaluation.scale_articles import gather, read_days
    from evaluation.scale_report import draw_times, measure_all, table

    sizes, spread = _sizes(passages), read_days(days)
    settings = with_own_embedder(load_settings())
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
    from archive.serving import with_own_embedder
    from archive.settings import load_settings
    from evaluation.scale_probe import probe as measure
    from evaluation.scale_probe import read_queries

    settings = with_own_embedder(load_settings())
    embedder = load_embedder(settings, ModelStore(settings.models, offline=settings.offline))
    typer.echo(json.dumps(measure(settings, embedder, read_queries(asked))))


@bench_app.command("ingest")
def ingest_command(
    files: Annotated[list[str] | None, typer.Argument(help="Files of articles; by default the sample.")] = None,
    articles: Annotated[int | None, typer.Option(min=1, help="Take so many articles.")] = None,
    tokens: Annotated[int, typer.Option(min=50, max=300, help="Cut passages of about so many tokens.")] = 230,
    rounds: Annotated[int, typer.Option(min=1, help="Measure each pipeline so often, in turn.")] = 3,
) -> None:
    """Passages per second of `archivar ingest`, and of a plain LangChain pipeline with the same passages beside it.

    The plain one needs the extra `bench`; its fp32 weights are kept in `bench` in ARCHIVAR_HOME. The last line is one
    JSON object.
    """
    from tempfile import TemporaryDirectory

    from archive.embedding import load_embedder
    from archive.models import ModelStore
    from archive.settings import load_settings
    from evaluation import ingest_bench as bench
    from evaluation.bench_weights import fp32_folder
    from evaluation.scale_articles import SAMPLE

    settings = load_settings()
    store = ModelStore(settings.models, offline=settings.offline)
    count = bench.token_counter(store.path(settings.embedder) / "tokenizer.json")
    taken = list(bench.recut(bench.read_articles(files or [str(SAMPLE)], articles), count, tokens))
    plain = None
    if missing := bench.missing_packages():
        typer.echo(f"ours alone: the plain pipeline needs {', '.join(missing)}; run `{bench.MEND}`", err=True)
    else:
        weights = fp32_folder(settings.embedder, store, settings.home / "bench")
        plain = bench.plain_pipeline(weights, settings.embedder, settings.threads)
    with TemporaryDirectory(prefix="archivar-bench-") as folder:
        path = Path(folder) / "articles.jsonl"
        bench.write_articles(taken, path)
        measured = bench.measure(settings, load_embedder(settings, store), path, plain, count, rounds)
    typer.echo(f"{measured.passages:,} passages of {measured.tokens_mean:.0f} tokens, passages per second:")
    typer.echo(f"  ours {measured.ours.median:.1f}")
    if measured.plain.rounds:
        ratio = measured.ours.median / measured.plain.median
        typer.echo(f"  plain {measured.plain.median:.1f}, so ours is {ratio:.1f} times as fast")
    typer.echo(json.dumps(measured.summary()))


@bench_app.command("rerank")
def rerank_command(
    candidates: Annotated[str, typer.Option(help="How many passages, numbers with commas between.")] = "30,100,200",
    questions: Annotated[str, typer.Option(help="A file of questions, or how many titles to ask with.")] = "20",
) -> None:
    """Time that the reranker of the settings takes for so many passages of the archive in ARCHIVAR_HOME.

    The last line is one JSON object.
    """
    from dataclasses import asdict

    from archive.errors import SettingsError
    from archive.models import ModelStore
    from archive.opening import open_archive
    from archive.settings import load_settings
    from evaluation import rerank_bench as bench
    from evaluation.ingest_bench import token_counter
    from server.reranking import load_reranker

    depths = whole_numbers("--candidates", candidates, least=1, example="30,100,200")
    settings = load_settings()
    store = ModelStore(settings.models, offline=settings.offline)
    reranker = load_reranker(settings, store)
    if reranker is None:
        raise SettingsError("no reranker to measure; name one in ARCHIVAR_RERANKER")
    archive = open_archive(settings, store)
    try:
        asked = bench.titles(archive, int(questions)) if questions.isdigit() else bench.read_questions(Path(questions))
        count = token_counter(store.path(archive.embedder.name) / "tokenizer.json")
        found = bench.measure(archive, reranker, asked, depths, count)
    finally:
        archive.close()
    for depth in found:
        typer.echo(
            f"{depth.candidates:>4} candidates of {depth.tokens_mean:.0f} tokens: "
            f"p50 {depth.ms_p50:,.0f} ms, p95 {depth.ms_p95:,.0f} ms"
        )
    typer.echo(json.dumps({"reranker": reranker.name, "depths": [asdict(depth) for depth in found]}))


def _sizes(text: str) -> list[int]:
    return whole_numbers("--passages", text, least=100, example="10000,100000")


def _lines(console: "Console", size: int) -> "OnProgress":
    line = sparse_lines(console)

    def show(done: int, total: int, rate: float) -> None:
        line(f"{size:,}: {done:,} of about {total:,} passages, {rate:.0f} a second", False)

    return show
