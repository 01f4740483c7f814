"""`archivar bench live`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from archive.settings import Settings
    from evaluation.live_bench import Phase

PHASES = "ingest,reindex,swap,backup"


def live(
    articles: Annotated[int, typer.Option(min=1, help="Synthetic articles to ingest meanwhile.")] = 2000,
    rate: Annotated[float, typer.Option(min=0.1, help="Questions a second.")] = 5,
    quiet: Annotated[float, typer.Option(min=5, help="Seconds without anything else: what is usual.")] = 60,
    embedder: Annotated[
        str, typer.Option(help="Embedder for the reindex; by default that of the archive, by its folder's name.")
    ] = "",
    phases: Annotated[str, typer.Option(help="What goes on while questions are asked, with commas between.")] = PHASES,
) -> None:
    """Ask a real server all the while: in quiet, then during ingest, reindex, swap and backup.

    Works on a copy of the archive in ARCHIVAR_HOME, in `bench` in that folder. Prints, by phase, requests, failures,
    times, and the share slower than twice the usual p95. The last line is one JSON object.
    """
    from archive.ledger import check_archive
    from archive.settings import load_settings
    from evaluation import live_bench as bench
    from server.ports import free_port

    settings = load_settings()
    check_archive(settings.home)
    folder = settings.home / "bench" / "live"
    planned, questions = _prepared(settings, folder, articles, embedder, quiet, phases)
    env, port = bench.environment(folder / "home"), free_port("127.0.0.1")
    with bench.serving(env, port, folder / "server.log") as base_url:
        client = bench.Client(base_url, questions, rate)
        spans = bench.run(planned, client, env, lambda line: typer.echo(line, err=True))
    found = bench.summary(spans, client.answered)
    for name, figures in found.items():
        typer.echo(f"{name:>8}: {figures}")
    failures = sorted({one.failure for one in client.answered if one.failure})
    typer.echo(json.dumps({"rate": rate, "phases": found, "failures": failures[:5]}))


def _prepared(
    settings: "Settings", folder: Path, articles: int, embedder: str, quiet: float, phases: str
) -> tuple[list["Phase"], list[str]]:
    """Copies the archive, writes the articles to ingest; returns what goes on, and titles to ask with."""
    from archive.errors import SettingsError
    from archive.models import ModelStore
    from archive.opening import open_archive
    from evaluation.ingest_bench import write_articles
    from evaluation.live_bench import Phase, copied
    from evaluation.rerank_bench import titles
    from evaluation.scale_articles import draw, gather, moments, read_days

    folder.mkdir(parents=True, exist_ok=True)
    settings = settings.model_copy(update={"home": copied(settings.home, folder / "home")})
    store = ModelStore(settings.models, offline=settings.offline)
    archive = open_archive(settings, store)
    serving, questions = archive.embedder.name, titles(archive, 500)
    archive.close()
    material = gather(settings, archive.embedder)
    drawn = (article for batch in draw(material, moments(read_days(None), articles)) for article, _ in batch)
    write_articles(list(drawn), folder / "articles.jsonl")
    (folder / "backup.tar.zst").unlink(missing_ok=True)
    known = {
        "ingest": Phase("ingest", ("ingest", str(folder / "articles.jsonl"))),
        "reindex": Phase("reindex", ("reindex", "--embedder", embedder or str(store.path(serving)))),
        "swap": Phase("swap", ("reindex", "--embedder", serving)),
        "backup": Phase("backup", ("backup", str(folder / "backup.tar.zst"))),
    }
    names = [name.strip() for name in phases.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise SettingsError(f"--phases {', '.join(unknown)}: no such phase; there are {PHASES}")
    return [
        Phase("usual", seconds=quiet),
        *(known[name] for name in names),
        Phase("after", seconds=quiet / 2),
    ], questions
