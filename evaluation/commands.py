"""`archivar evaluate`: what retrieval and answers are worth, as numbers."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.settings import Settings
    from evaluation.answers import Answer
    from evaluation.questions import Asked, Retrieval
    from evaluation.report import Page
    from evaluation.runs import KeptRun
    from server.reranking import Reranker

evaluate_app = typer.Typer(help="Measure retrieval and answers.", no_args_is_help=True)

_LINE_EVERY = 10.0  # seconds between plain progress lines where no terminal shows a bar
_PLAIN_WIDTH = 140  # columns of a table where no terminal limits them
_Advance = Callable[[int, int], None]  # (done, total)

_Name = Annotated[str, typer.Option(help="What the run is called; its folder is named after it and the time.")]
_Out = Annotated[Path | None, typer.Option(help="Folder of the run, instead of one in ARCHIVAR_HOME/evaluation.")]


@evaluate_app.command()
def retrieval(
    corpus: Annotated[Path, typer.Option(help="Documents, BEIR's corpus.jsonl.")],
    queries: Annotated[Path, typer.Option(help="Questions, BEIR's queries.jsonl.")],
    qrels: Annotated[Path, typer.Option(help="Which document answers which question, BEIR's tab-separated file.")],
    keep: Annotated[bool, typer.Option("--keep", help="Add the corpus to other articles in ARCHIVAR_HOME.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first so many questions.")] = None,
    name: _Name = "",
    out: _Out = None,
) -> None:
    """Measure retrieval by stage on a benchmark in BEIR's format; the last line is one JSON object.

    The corpus goes into the archive in ARCHIVAR_HOME, and is not stored again where it is there already. Results by
    question and a report are kept in a folder of the run.
    """
    from archive.settings import load_settings
    from evaluation.beir import read_benchmark
    from evaluation.corpus import add_corpus
    from evaluation.record import describe, name_articles
    from evaluation.retrieval import StageRunner, judge, measure, rows_by_stage, search_all
    from evaluation.runs import choose_folder

    settings, console = load_settings(), _console()
    benchmark = read_benchmark(corpus, queries, qrels, limit)
    name = name or _as_name(corpus.resolve().parent.name)
    folder = choose_folder(settings.home, name, out)
    with _opened(settings) as (archive, reranker):
        with _progress(console, "documents") as advance:
            documents = add_corpus(archive, benchmark.documents, settings.home, keep=keep, on_progress=advance)
        runner = StageRunner(archive, reranker, settings.candidates, settings.reranked)
        with _progress(console, "questions") as advance:
            searched = search_all(runner, benchmark, advance)
        results = judge(benchmark, searched, documents)
        files = (corpus, queries, qrels)
        run = describe("retrieval", name, settings, archive, files, rows_by_stage(results))
        kept = name_articles(archive, run, results, documents)
    _publish(console, settings, folder, kept)
    typer.echo(json.dumps({**measure(results), "ci": run.ci, "run": str(folder)}))


@evaluate_app.command()
def questions(
    file: Annotated[Path, typer.Option("--questions", help="Questions with their golds, one JSON object a line.")],
    answers: Annotated[bool, typer.Option("--answers", help="Have the generator answer them, too.")] = False,
    kinds: Annotated[str, typer.Option(help="Only these kinds, such as fact,time.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first so many questions.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what an earlier run has answered.")] = False,
    name: _Name = "",
    out: _Out = None,
) -> None:
    """Measure retrieval, and with --answers the answers, by kind of question; the last line is one JSON object.

    Answers are kept in ARCHIVAR_HOME/evaluation as they come: an interrupted run goes on where it stopped. Results by
    question and a report are kept in a folder of the run.
    """
    from datetime import datetime

    from archive.articles import TIME_ZONE
    from archive.errors import ArchiveError
    from archive.settings import load_settings
    from evaluation.judging import judge
    from evaluation.questions import KINDS, find_golds, is_missing, read_questions
    from evaluation.record import by_column, describe, name_articles
    from evaluation.runs import choose_folder

    settings, console = load_settings(), _console()
    asked = read_questions(file, kinds, limit)
    name = name or _as_name(file.stem)
    folder = choose_folder(settings.home, name, out)
    with _opened(settings) as (archive, reranker):
        golds = find_golds(archive, asked)
        missing = [question.qid for question in asked if is_missing(question, golds[question.qid])]
        counted = [question for question in asked if question.qid not in missing]
        if not counted:
            raise ArchiveError(f"{settings.home}: holds no article that answers one of {file}; ingest them first")
        given = _answers(settings, console, archive, counted, file.stem, fresh) if answers else {}
        found = _retrieved(settings, console, archive, reranker, counted)
        results = judge(counted, golds, found, given, datetime.now(TIME_ZONE).date(), archive.ledger.article)
        rows = by_column(results, KINDS)
        run = describe("questions", name, settings, archive, (file,), rows, missing=missing, generator=answers)
        kept = name_articles(archive, run, results)
    _publish(console, settings, folder, kept)
    by_kind = {kind: run.measures[kind] for kind in rows if kind != "overall"}
    shown = {"questions": len(asked), "missing": len(missing), "overall": run.measures["overall"], "kinds": by_kind}
    typer.echo(json.dumps({**shown, "ci": run.ci, "run": str(folder)}))


@evaluate_app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder of the run before.", show_default=False)],
    run_b: Annotated[Path, typer.Argument(help="Folder of the run after.", show_default=False)],
    measure: Annotated[
        str, typer.Option(help="The measure that tells which questions got better or worse.")
    ] = "MRR@10",
    name: _Name = "",
    out: _Out = None,
) -> None:
    """Compare two runs over the questions that both asked; the last line is one JSON object.

    Differences are B minus A, with an interval and a p-value; a report names the questions that got better and worse.
    """
    from archive.settings import load_settings
    from evaluation import plots
    from evaluation.comparison import compare_runs
    from evaluation.comparison_page import comparison_page, comparison_table
    from evaluation.report import for_terminal
    from evaluation.runs import choose_folder, read_run

    settings, console = load_settings(), _console()
    before, after = read_run(run_a), read_run(run_b)
    comparison = compare_runs(before, after, measure)
    folder = choose_folder(settings.home, name or f"{before.run.name}-against-{after.run.name}"[:100], out)
    console.print(for_terminal(comparison_table(comparison)))
    draw = plots.can_draw(settings.home / "evaluation" / ".matplotlib")
    _write(console, folder, comparison_page(comparison, draw=draw), draw=draw)
    typer.echo(json.dumps({"a": str(run_a), "b": str(run_b), **comparison.as_json(), "report": str(folder)}))


def _publish(console: Console, settings: "Settings", folder: Path, kept: "KeptRun") -> None:
    """Keep a run, write its report and show its measures."""
    from evaluation import plots
    from evaluation.report import for_terminal, summary_table
    from evaluation.run_page import run_page
    from evaluation.runs import write_run

    write_run(folder, kept)
    run = kept.run
    console.print(for_terminal(summary_table(run.measures, run.ci, f"{run.counts['questions']:,} questions")))
    if run.missing:
        console.print(f"{len(run.missing)} not counted for want of their articles")
    draw = plots.can_draw(settings.home / "evaluation" / ".matplotlib")
    _write(console, folder, run_page(kept, draw=draw), draw=draw)


def _write(console: Console, folder: Path, page: "Page", *, draw: bool) -> None:
    from evaluation import plots
    from evaluation.report import write_page

    folder.mkdir(parents=True, exist_ok=True)
    write_page(folder, page)
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True, highlight=False)
    if not draw:
        console.print(plots.HOW_TO_DRAW, soft_wrap=True, highlight=False, markup=False)


def _as_name(text: str) -> str:
    """A file's or folder's name as the name of a run."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:100] or "run"


def _console() -> Console:
    console = Console(stderr=True)
    return console if console.is_terminal else Console(stderr=True, width=_PLAIN_WIDTH)


def _answers(
    settings: "Settings", console: Console, archive: "Archive", asked: "list[Asked]", name: str, fresh: bool
) -> "dict[str, Answer]":
    import asyncio

    from evaluation.answers import Results, answer_all, conditions_of
    from server.engine import load_engine, warm_up

    results = Results(settings.home / "evaluation" / f"{name}.jsonl", conditions_of(settings, archive), fresh=fresh)
    known = sum(results.get(question) is not None for question in asked)
    if known:
        console.print(f"{known} of {len(asked)} answers are from an earlier run; --fresh asks again")
    if known == len(asked):
        return {question.qid: answer for question in asked if (answer := results.get(question))}
    engine = load_engine(settings)

    async def run() -> "dict[str, Answer]":
        await warm_up(engine)
        with _progress(console, "answers") as advance:
            return await answer_all(engine.chat, asked, results, lambda done: advance(done, len(asked)))

    try:
        return asyncio.run(run())
    finally:
        engine.close()


def _retrieved(
    settings: "Settings", console: Console, archive: "Archive", reranker: "Reranker | None", asked: "list[Asked]"
) -> "dict[str, Retrieval]":
    from evaluation.questions import retrieve_all
    from server.retrieval import Retriever

    retriever = Retriever(archive, reranker, settings.candidates, settings.reranked)
    with _progress(console, "questions") as advance:
        return retrieve_all(retriever, settings, asked, lambda done: advance(done, len(asked)))


@contextmanager
def _opened(settings: "Settings") -> "Iterator[tuple[Archive, Reranker | None]]":
    """The archive and the reranker of the settings, without the generator."""
    from archive.archive import Archive
    from archive.embedding import load_embedder
    from archive.models import ModelStore
    from server.reranking import load_reranker

    store = ModelStore(settings.models, offline=settings.offline)
    embedder, reranker = load_embedder(settings, store), load_reranker(settings, store)
    archive = Archive.open(settings, embedder)
    try:
        yield archive, reranker
    finally:
        archive.close()


@contextmanager
def _progress(console: Console, what: str) -> Iterator[_Advance]:
    from time import monotonic

    from rich.progress import Progress

    if console.is_terminal:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(what)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    last = monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        if done == total or monotonic() - last >= _LINE_EVERY:
            last = monotonic()
            console.print(f"{what}: {done:,} of {total:,}", highlight=False)

    yield line
