"""`archivar bench answers`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.terminal import sparse_lines, whole_numbers

if TYPE_CHECKING:
    from rich.console import Console

    from archive.settings import Settings
    from evaluation.exams import Exam
    from evaluation.side_by_side import OnProgress


def side_by_side(
    file: Annotated[
        Path | None, typer.Option("--questions", help="Questions with golds, one JSON object a line.")
    ] = None,
    squad: Annotated[Path | None, typer.Option(help="Questions and passages in SQuAD's format instead.")] = None,
    kinds: Annotated[str, typer.Option(help="Only these kinds of --questions, such as fact,time.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Ask so many; of --squad half as many more.")] = None,
    articles: Annotated[str, typer.Option(help="How many articles of the archive, or `all`.")] = "600",
    rivals: Annotated[str, typer.Option(help="Who is asked beside Archivar.")] = "langchain,openwebui",
    seed: Annotated[int, typer.Option(help="Which articles beside the golds; which questions of --squad.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what an earlier run has answered.")] = False,
) -> None:
    """Answers of Archivar beside plain LangChain retrieval QA and Open WebUI's own knowledge base.

    All hold the same articles, those of the golds and a random rest, and use the same embedder and generator. --squad
    asks 100 questions with an answer and 50 without: their passages are left out. Replies are kept
    in ARCHIVAR_HOME/evaluation as they come: an interrupted run goes on where it stopped. The last line is one JSON
    object.
    """
    from rich.console import Console

    from archive.settings import load_settings
    from evaluation.side_by_side import OURS, Kept, ask_systems, rivals_of
    from evaluation.side_by_side_table import as_json, earned, table

    names = [OURS, *rivals_of(rivals)]
    size = None if articles == "all" else whole_numbers("--articles", articles, least=1, example="600, or all")[0]
    settings = load_settings()
    show = _shown(Console(stderr=True))
    exam = _exam(settings, file, squad, kinds, limit, size, seed)
    folder = settings.home / "evaluation" / f"side-by-side-{exam.digest(settings)}"
    kept = {name: Kept(folder / f"{name}.jsonl", fresh=fresh) for name in names}
    failed = ask_systems(names, settings, exam, kept, folder, show)
    systems = {name: earned(exam, kept[name].replies) for name in names if kept[name].replies}
    for name, why in failed.items():
        typer.echo(f"{name}: {why}", err=True)
    typer.echo(f"{len(exam.questions)} questions to {len(exam.articles):,} articles\n\n{table(systems, failed)}\n")
    summary = {
        "questions": len(exam.questions), "missing": exam.missing, "articles": len(exam.articles),
        "systems": as_json(systems), "failed": failed, "replies": str(folder),
    }  # fmt: skip
    typer.echo(json.dumps(summary))


def _exam(
    settings: "Settings", file: Path | None, squad: Path | None, kinds: str, limit: int | None, size: int | None,
    seed: int,
) -> "Exam":  # fmt: skip
    from archive.errors import SettingsError
    from archive.models import ModelStore
    from archive.opening import open_archive
    from evaluation.exams import take, take_squad
    from evaluation.questions import read_questions

    if squad is not None and file is None:
        return take_squad(squad, limit or 100, (limit or 100) // 2, seed)
    if file is None or squad is not None:
        raise SettingsError("name either --questions FILE or --squad FILE")
    asked = read_questions(file, kinds, limit)
    archive = open_archive(settings, ModelStore(settings.models, offline=settings.offline))
    try:
        return take(archive, asked, size, seed)
    finally:
        archive.close()


def _shown(console: "Console") -> "OnProgress":
    line = sparse_lines(console)

    def show(what: str, done: int, total: int) -> None:
        line(f"{what}: {done:,} of {total:,}", done == total)

    return show
