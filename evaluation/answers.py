"""Answers of the real chat to a file of questions, kept as they come, so that an interrupted run goes on."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import ValidationError

import prompts
from archive.archive import Archive
from archive.errors import ArchiveError
from archive.settings import Settings
from evaluation.questions import Asked
from evaluation.record import IRRELEVANT
from evaluation.runs import CitedSource
from evaluation.scores import Answer
from server.chat import Ask, Chat
from server.events import Finished, Text

# Where an engine is reached changes no answer, but what answers there might be another one.
_UNRELATED = IRRELEVANT - {"generator_url"}


def conditions_of(settings: Settings, archive: Archive) -> str:
    """A digest of settings, prompts and the state of the archive: answers under the same one may be put together."""
    templates = sorted(Path(prompts.__file__).parent.glob("*.md"))
    parts = [settings.model_dump_json(exclude=_UNRELATED), archive.ledger.fact("generation") or ""]
    return _digest(*parts, *(path.read_text(encoding="utf-8") for path in templates))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class Results:
    """The results file: one JSON object a line, appended as soon as an answer is there.

    Answers under other conditions are moved aside to `<name>.before.jsonl`, for comparison.
    """

    def __init__(self, path: Path, conditions: str, *, fresh: bool) -> None:
        self._path, self._conditions = path, conditions
        self._answers: dict[str, Answer] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = [] if not path.exists() else list(_read(path.read_text(encoding="utf-8")))
            if fresh or any(answer.conditions != conditions for answer in held):
                path.replace(path.with_suffix(".before.jsonl")) if path.exists() else None
            else:
                self._answers = {answer.qid: answer for answer in held}
                # Written anew without the line that an interruption may have cut.
                path.write_text("".join(f"{answer.model_dump_json()}\n" for answer in held), encoding="utf-8")
        except OSError as error:
            raise ArchiveError(f"{path}: {error.strerror}; check the folder's rights") from error

    def get(self, question: Asked) -> Answer | None:
        """The answer to this very question, where it was given before."""
        answer = self._answers.get(question.qid)
        return answer if answer and answer.asked == _digest(question.model_dump_json()) else None

    def add(self, answer: Answer) -> None:
        """Keep an answer."""
        self._answers[answer.qid] = answer
        with self._path.open("a", encoding="utf-8") as out:
            out.write(f"{answer.model_dump_json()}\n")

    async def ask(self, chat: Chat, question: Asked) -> Answer:
        """Ask the chat and keep its answer. Raises GenerationError and ArchiveError."""
        ask = Ask(question.question, question.messages, today=question.asked_on)
        text, finished = "", None
        async for event in chat.stream(ask):
            if isinstance(event, Text):
                text += event.text
            elif isinstance(event, Finished):
                finished = event
        assert finished is not None  # Chat.stream() ends with it, or raises
        answer = Answer(
            qid=question.qid, conditions=self._conditions, asked=_digest(question.model_dump_json()), text=text.strip(),
            sources=[CitedSource(number=s.number, article_id=s.article_id, title=s.title) for s in finished.sources],
            ttft=finished.timings.get("first_token", 0.0), total=finished.timings.get("total", 0.0),
            prompt_tokens=finished.usage.prompt_tokens, answer_tokens=finished.usage.completion_tokens,
        )  # fmt: skip
        self.add(answer)
        return answer


def _read(text: str) -> Iterable[Answer]:
    for line in text.split("\n"):  # splitlines() would split within an answer, too
        try:
            yield Answer.model_validate(json.loads(line))
        except (ValueError, ValidationError):
            continue  # cut by an interruption; that question is asked again


async def answer_all(
    chat: Chat, questions: Iterable[Asked], results: Results, on_progress: Callable[[int], None] | None = None
) -> dict[str, Answer]:
    """Answers by qid, asking only what `results` doesn't hold."""
    answers = {}
    for done, question in enumerate(questions, 1):
        answers[question.qid] = results.get(question) or await results.ask(chat, question)
        if on_progress:
            on_progress(done)
    return answers
