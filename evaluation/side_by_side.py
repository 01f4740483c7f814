"""The same questions to several systems over the same articles, with the same embedder and generator."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from archive.embedding import load_embedder
from archive.errors import ArchivarError, ArchiveError, SettingsError
from archive.models import ModelStore
from archive.settings import Settings
from evaluation.exams import Exam, build
from evaluation.questions import Asked
from evaluation.rivals.langchain_qa import LangChainQA
from evaluation.rivals.openwebui import running
from evaluation.rivals.own import Archivar, Models, served
from evaluation.rivals.replies import Reply, System

OURS = "archivar"
RIVALS = ("langchain", "openwebui")

OnProgress = Callable[[str, int, int], None]  # what is done, done, total

_WARMING = Asked.model_validate({"qid": "warm", "kind": "fact", "question": "Was gibt es Neues?"})


class Kept:
    """One system's replies in a file, one JSON object a line, so that an interrupted run goes on where it stopped."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self._path = path
        self.replies: dict[str, Reply] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if fresh:
                path.unlink(missing_ok=True)
            for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else ():
                self._read(line)
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror}; check the folder's rights") from error

    def _read(self, line: str) -> None:
        try:
            reply = Reply.model_validate(json.loads(line))
        except (ValueError, ValidationError):
            return  # empty, or cut by an interruption: asked again
        self.replies[reply.qid] = reply

    def add(self, reply: Reply) -> None:
        """Keep a reply."""
        self.replies[reply.qid] = reply
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(f"\n{reply.model_dump_json()}")


def ask_all(name: str, system: System, questions: Sequence[Asked], kept: Kept, on_progress: OnProgress) -> None:
    """Ask what is not kept yet, after one question that warms the system up."""
    open_questions = [question for question in questions if question.qid not in kept.replies]
    if open_questions:
        system.ask(_WARMING)
    done = len(questions) - len(open_questions)
    for number, question in enumerate(open_questions, done + 1):
        kept.add(system.ask(question))
        on_progress(f"{name} answers", number, len(questions))


@contextmanager
def started(
    name: str, settings: Settings, models: Models, exam: Exam, folder: Path, logs: Path, on_progress: OnProgress
) -> Iterator[System]:
    """A system that holds all articles of the exam; Archivar's server holds them already. Raises ArchivarError."""
    added = partial(on_progress, f"articles for {name}")
    if name == OURS:
        with closing(Archivar(models)) as ours:
            yield ours
    elif name == "langchain":
        chain_qa = LangChainQA(models, folder / name)
        chain_qa.add(exam.articles, added)
        yield chain_qa
    else:
        with running(settings, models, folder / name, logs) as webui:
            webui.add(exam.articles, added)
            yield webui


def ask_systems(
    names: Sequence[str], settings: Settings, exam: Exam, kept: Mapping[str, Kept], logs: Path, on_progress: OnProgress
) -> dict[str, str]:
    """Ask each system what is not kept yet; returns {name: why} for the rivals that failed.

    What servers say of themselves goes to files in `logs`. Archivar's server gives all of them their models. Raises
    ArchivarError where Archivar itself fails.
    """
    open_names = [name for name in names if any(question.qid not in kept[name].replies for question in exam.questions)]
    if not open_names:
        return {}
    failed = {}
    with TemporaryDirectory(prefix="archivar-answers-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        own = settings
        if not exam.whole:
            own = settings.model_copy(update={"home": folder / OURS, "chroma_url": ""})
            embedder = load_embedder(own, ModelStore(own.models, offline=own.offline))
            build(exam, own, embedder, partial(on_progress, f"articles for {OURS}"))
        with served(own, logs) as models:
            for name in open_names:
                try:
                    with started(name, own, models, exam, folder, logs, on_progress) as system:
                        ask_all(name, system, exam.questions, kept[name], on_progress)
                except ArchivarError as error:
                    if name == OURS:
                        raise
                    failed[name] = str(error)
    return failed


def rivals_of(text: str) -> list[str]:
    """The rivals named, with commas between. Raises SettingsError for a name that is none."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := sorted(set(names) - set(RIVALS)):
        raise SettingsError(f"--rivals {', '.join(unknown)}: no such system; there are {', '.join(RIVALS)}")
    return list(dict.fromkeys(names))
