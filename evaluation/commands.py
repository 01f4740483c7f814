"""`archivar evaluate`: what retrieval and answers are worth, as numbers."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.settings import Settings
    from evaluation.questions import Asked
    from evaluation.report import Scored
    from evaluation.scores import Answer
    from server.reranking import Reranker
    from server.retrieval import Retriever

evaluate_app = typer.Typer(help="Measure retrieval and answers.", no_args_is_help=True)

_LINE_EVERY = 10.0  # seconds between plain progress lines where no terminal shows a bar
_Advance = Callable[[int, int], None]  # (done, total)


@evaluate_app.command()
def retrieval(
    corpus: Annotated[Path, typer.Option(help="Documents, BEIR's corpus.jsonl.")],
    queries: Annotated[Path, typer.Option(help="Questions, BEIR's queries.jsonl.")],
    qrels: Annotated[Path, typer.Option(help="Which document answers which question, BEIR's tab-separated file.")],
    keep: Annotated[bool, typer.Option("--keep", help="Add the corpus to other articles in ARCHIVAR_HOME.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first so many questions.")] = None,
) -> None:
    """Measure retrieval by stage on a benchmark in BEIR's format; the last line is one JSON object.

    The corpus goes into the archive in ARCHIVAR_HOME, and is not stored again where it is there already.
    """
    from archive.settings import load_settings
    from evaluation import report
    from evaluation.beir import read_benchmark
    from evaluation.corpus import add_corpus
    from evaluation.retrieval import StageRunner, measure, search_all

    settings, console = load_settings(), Console(stderr=True)
    benchmark = read_benchmark(corpus, queries, qrels, limit)
    with _opened(settings) as (archive, reranker):
        with _progress(console, "documents") as advance:
            documents = add_corpus(archive, benchmark.documents, settings.home, keep=keep, on_progress=advance)
        with _progress(console, "questions") as advance:
            runner = StageRunner(archive, reranker, settings.candidates)
            searched = search_all(runner, benchmark, advance)
    measured = measure(benchmark, searched, documents)
    console.print(report.table(measured, f"{len(searched):,} questions"))
    typer.echo(json.dumps(measured))


@evaluate_app.command()
def questions(
    file: Annotated[Path, typer.Option("--questions", help="Questions with their golds, one JSON object a line.")],
    answers: Annotated[bool, typer.Option("--answers", help="Have the generator answer them, too.")] = False,
    kinds: Annotated[str, typer.Option(help="Only these kinds, such as fact,time.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first so many questions.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what an earlier run has answered.")] = False,
) -> None:
    """Measure retrieval, and with --answers the answers, by kind of question; the last line is one JSON object.

    Answers are kept in ARCHIVAR_HOME/evaluation as they come: an interrupted run goes on where it stopped. A report
    with every failure is written beside them.
    """
    from archive.settings import load_settings
    from evaluation import report
    from evaluation.questions import KINDS, find_golds, is_missing, read_questions
    from evaluation.scores import summarize
    from server.retrieval import Retriever

    settings, console = load_settings(), Console(stderr=True)
    asked = read_questions(file, kinds, limit)
    with _opened(settings) as (archive, reranker):
        golds = find_golds(archive, asked)
        counted = [question for question in asked if not is_missing(question, golds[question.qid])]
        missing = [question.qid for question in asked if question not in counted]
        given = _answers(settings, console, archive, counted, file.stem, fresh) if answers else {}
        retriever = Retriever(archive, reranker, settings.candidates)
        scored = _scored(settings, console, archive, retriever, counted, golds, given)
    summaries = {"overall": summarize(one.scores for one in scored)}
    for kind in KINDS:
        if of_kind := [one.scores for one in scored if one.question.kind == kind]:
            summaries[kind] = summarize(of_kind)
    console.print(report.table(summaries, "measure"))
    page = settings.home / "evaluation" / f"{file.stem}{'' if answers else '.retrieval'}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(report.questions_report(file.stem, summaries, missing, scored), encoding="utf-8")
    console.print(f"{len(missing)} not counted for want of their articles; failures: {page}", soft_wrap=True)
    overall = summaries.pop("overall")
    shown = {"questions": len(asked), "missing": len(missing), "overall": overall, "kinds": summaries}
    typer.echo(json.dumps(shown))


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


def _scored(
    settings: "Settings", console: Console, archive: "Archive", retriever: "Retriever", asked: "list[Asked]",
    golds: "dict[str, tuple[frozenset[str], ...]]", answers: "dict[str, Answer]",
) -> "list[Scored]":  # fmt: skip
    from datetime import datetime

    from archive.articles import TIME_ZONE
    from evaluation.questions import retrieve_all
    from evaluation.report import Scored
    from evaluation.scores import score_answer, score_retrieval

    today = datetime.now(TIME_ZONE).date()
    with _progress(console, "questions") as advance:
        found = retrieve_all(archive, retriever, settings, asked, lambda done: advance(done, len(asked)))
    scored = []
    for question in asked:
        mine, answer = golds[question.qid], answers.get(question.qid)
        scores = score_retrieval(question, mine, found[question.qid], question.asked_on or today)
        if answer:
            scores |= score_answer(question, mine, answer)
        scored.append(Scored(question, scores, answer))
    return scored


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
