"""`archivar evaluate`: what retrieval and answers are worth, as numbers."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from evaluation.terminal import open_console, progress

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.settings import Settings
    from evaluation.answers import Answer
    from evaluation.interview import Interview
    from evaluation.runs import KeptRun
    from server.reranking import Reranker

evaluate_app = typer.Typer(help="Measure retrieval and answers.", no_args_is_help=True)

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
    from evaluation.publishing import publish_run
    from evaluation.record import describe, name_articles
    from evaluation.retrieval import StageRunner, judge, measure, rows_by_stage, search_all
    from evaluation.runs import choose_folder

    settings, console = load_settings(), open_console()
    benchmark = read_benchmark(corpus, queries, qrels, limit)
    name = name or _as_name(corpus.resolve().parent.name)
    folder = choose_folder(settings.home, name, out)
    with _opened(settings) as (archive, reranker):
        with progress(console, "documents") as advance:
            documents = add_corpus(archive, benchmark.documents, settings.home, keep=keep, on_progress=advance)
        runner = StageRunner(archive, reranker, settings.candidates, settings.reranked)
        with progress(console, "questions") as advance:
            searched = search_all(runner, benchmark, advance)
        results = judge(benchmark, searched, documents)
        files = (corpus, queries, qrels)
        run = describe("retrieval", name, settings, archive, files, rows_by_stage(results))
        kept = name_articles(archive, run, results, documents)
    publish_run(console, settings.home, folder, kept)
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
    from archive.errors import ArchiveError
    from archive.settings import load_settings
    from evaluation.interview import Interview
    from evaluation.publishing import publish_run
    from evaluation.questions import find_golds, is_missing, read_questions
    from evaluation.runs import choose_folder

    settings, console = load_settings(), open_console()
    asked = read_questions(file, kinds, limit)
    name = name or _as_name(file.stem)
    folder = choose_folder(settings.home, name, out)
    with _opened(settings) as (archive, reranker):
        golds = find_golds(archive, asked)
        missing = [question.qid for question in asked if is_missing(question, golds[question.qid])]
        counted = [question for question in asked if question.qid not in missing]
        if not counted:
            raise ArchiveError(f"{settings.home}: holds no article that answers one of {file}; ingest them first")
        interview = Interview(counted, golds)
        given = _answers(settings, console, archive, interview, file.stem, fresh) if answers else {}
        kept = _judged(settings, console, archive, reranker, interview, given, file, name, missing)
    publish_run(console, settings.home, folder, kept)
    typer.echo(json.dumps({**_shown(kept), "run": str(folder)}))


@evaluate_app.command("answers")
def answers_command(
    squad: Annotated[Path, typer.Option(help="Paragraphs with questions and answers, a file in SQuAD's format.")],
    sample: Annotated[int, typer.Option(min=1, help="How many of the questions to ask.")] = 100,
    unanswerable: Annotated[int, typer.Option(min=0, help="How many others to ask with their paragraph hidden.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed draws other questions.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what an earlier run has answered.")] = False,
    name: _Name = "",
    out: _Out = None,
) -> None:
    """Have the generator answer a sample of SQuAD's or XQuAD's questions; the last line is one JSON object.

    All paragraphs go into the archive in ARCHIVAR_HOME, beside what is there, and are not stored again where they are
    there already. Answers are kept as they come: an interrupted run goes on where it stopped.
    """
    from archive.settings import load_settings
    from evaluation.corpus import add_corpus
    from evaluation.interview import interview_of
    from evaluation.publishing import publish_run
    from evaluation.runs import choose_folder
    from evaluation.squad import read_squad

    settings, console = load_settings(), open_console()
    drawn = read_squad(squad, sample, unanswerable, seed)
    name = name or _as_name(squad.stem)
    folder = choose_folder(settings.home, name, out)
    with _opened(settings) as (archive, reranker):
        with progress(console, "paragraphs") as advance:
            documents = add_corpus(archive, drawn.documents, settings.home, keep=True, on_progress=advance)
        interview = interview_of(drawn, documents)
        given = _answers(settings, console, archive, interview, squad.stem, fresh)
        kept = _judged(settings, console, archive, reranker, interview, given, squad, name)
    publish_run(console, settings.home, folder, kept)
    typer.echo(json.dumps({**_shown(kept), "run": str(folder)}))


@evaluate_app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder of the run before.", show_default=False)],
    run_b: Annotated[Path, typer.Argument(help="Folder of the run after.", show_default=False)],
    measure: Annotated[
        str,
        typer.Option(
            help="What tells which questions got better or worse: right where both have answers, else MRR@10.",
            show_default=False,
        ),
    ] = "",
    name: _Name = "",
    out: _Out = None,
) -> None:
    """Compare two runs over the questions that both asked; the last line is one JSON object.

    Differences are B minus A, with an interval and a p-value; a report names the questions that got better and worse.
    """
    from archive.settings import load_settings
    from evaluation.comparison import compare_runs, usual_measure
    from evaluation.publishing import publish_comparison
    from evaluation.runs import choose_folder, read_run

    settings, console = load_settings(), open_console()
    before, after = read_run(run_a), read_run(run_b)
    comparison = compare_runs(before, after, measure or usual_measure(before, after))
    folder = choose_folder(settings.home, name or f"{before.run.name}-against-{after.run.name}"[:100], out)
    publish_comparison(console, settings.home, folder, comparison)
    typer.echo(json.dumps({"a": str(run_a), "b": str(run_b), **comparison.as_json(), "report": str(folder)}))


def _as_name(text: str) -> str:
    """A file's or folder's name as the name of a run."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:100] or "run"


def _answers(
    settings: "Settings", console: Console, archive: "Archive", interview: "Interview", name: str, fresh: bool
) -> "dict[str, Answer]":
    from evaluation.answers import Results, conditions_of
    from evaluation.interview import ask_chat
    from server.engine import check_settings, load_engine

    results = Results(settings.home / "evaluation" / f"{name}.jsonl", conditions_of(settings, archive), fresh=fresh)
    held = {question.qid: answer for question in interview.questions if (answer := results.get(question))}
    if held:
        console.print(f"{len(held)} of {len(interview.questions)} answers are from an earlier run; --fresh asks again")
    if len(held) == len(interview.questions):
        return held
    check_settings(settings)
    engine = load_engine(settings)
    try:
        with progress(console, "answers") as advance:
            return ask_chat(interview, engine, results, advance)
    finally:
        engine.close()


def _judged(
    settings: "Settings",
    console: Console,
    archive: "Archive",
    reranker: "Reranker | None",
    interview: "Interview",
    given: "dict[str, Answer]",
    file: Path,
    name: str,
    missing: "Sequence[str]" = (),
) -> "KeptRun":
    """The run of an interview, with what retrieval finds for each question and what its answer, if any, earns."""
    from archive.articles import day_now
    from evaluation.interview import ask_retrieval
    from evaluation.judging import judge
    from evaluation.questions import KINDS
    from evaluation.record import by_column, describe, name_articles

    with progress(console, "questions") as advance:
        found = ask_retrieval(interview, archive, reranker, settings, advance)
    results = judge(interview.questions, interview.golds, found, given, day_now(), archive.ledger.article)
    rows = by_column(results, KINDS)
    run = describe("questions", name, settings, archive, (file,), rows, missing=missing, generator=bool(given))
    return name_articles(archive, run, results)


def _shown(kept: "KeptRun") -> "dict[str, object]":
    """What the command prints of a run over questions."""
    run = kept.run
    by_kind = {kind: measures for kind, measures in run.measures.items() if kind != "overall"}
    asked = run.counts["questions"] + len(run.missing)
    counts = {"questions": asked, "missing": len(run.missing)}
    return {**counts, "overall": run.measures["overall"], "kinds": by_kind, "ci": run.ci}


@contextmanager
def _opened(settings: "Settings") -> "Iterator[tuple[Archive, Reranker | None]]":
    """The archive and the reranker of the settings, without the generator."""
    from archive.models import ModelStore
    from archive.opening import open_archive
    from server.reranking import load_reranker

    store = ModelStore(settings.models, offline=settings.offline)
    reranker, archive = load_reranker(settings, store), open_archive(settings, store)
    try:
        yield archive, reranker
    finally:
        archive.close()
