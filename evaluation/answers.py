"""Answers of the real chat to a file of questions, kept as they come, so that an interrupted run goes on."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

import prompts
from archive.archive import Archive
from archive.articles import Article
from archive.errors import ArchiveError
from archive.settings import Settings
from evaluation.given import Evidence, Given
from evaluation.questions import Asked
from evaluation.record import IRRELEVANT
from evaluation.runs import CitedSource
from server.asked import Ask
from server.chat import Chat
from server.events import Finished, Status, Text

# Where an engine is reached changes no answer, but what answers there might be another one.
_UNRELATED = IRRELEVANT - {"generator_url"}


class Answer(BaseModel):
    """One answer as it is kept in the results file. Times are milliseconds since the question.

    `first_status` is when anything was told, `ttft` when the generator's first token was there, `first_text` when a
    reader saw the first text. `grounding` is the answer's own account of its sentences.
    """

    qid: str
    conditions: str  # digest of what the answer depends on besides the question
    asked: str  # digest of the question
    text: str
    sources: list[CitedSource]
    ttft: float
    total: float
    prompt_tokens: int
    answer_tokens: int
    first_status: float | None = None
    first_text: float | None = None
    abstained: bool | None = None
    grounding: dict[str, Any] = {}
    timings: dict[str, float] = {}

    def given(self, articles: Callable[[str], Article | None], retrieved: Iterable[str] | None = None) -> Given:
        """The answer as it is scored; `articles` gives an article by its id, None where the archive has lost it."""
        return Given(
            text=self.text, shown=tuple(_evidence(source, articles(source.article_id)) for source in self.sources),
            retrieved=None if retrieved is None else tuple(retrieved), abstained=self.abstained,
            first_status=self.first_status, ttft=self.ttft, first_text=self.first_text, total=self.total,
            prompt_tokens=self.prompt_tokens, answer_tokens=self.answer_tokens, borne_out=_borne_out(self.grounding),
        )  # fmt: skip


def _evidence(source: CitedSource, article: Article | None) -> Evidence:
    if article is None:
        return Evidence(source.article_id, source.title, source.passage, source.published)
    return Evidence(article.id, article.title, f"{article.teaser}\n{article.text}", article.published)


def _borne_out(grounding: dict[str, Any]) -> float | None:
    """The share of checked sentences that were found to be borne out, put right or not; None where none was checked."""
    good = grounding.get("supported", 0) + grounding.get("corrected", 0)
    bad = len(grounding.get("unsupported", ())) + len(grounding.get("withheld", ()))
    return good / (good + bad) if good + bad else None


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
        text, finished, started = "", None, perf_counter()
        first: dict[type, float] = {}
        async for event in chat.stream(ask):
            first.setdefault(type(event), (perf_counter() - started) * 1000)
            if isinstance(event, Text):
                text += event.text
            elif isinstance(event, Finished):
                finished = event
        assert finished is not None  # Chat.stream() ends with it, or raises
        answer = Answer(
            qid=question.qid, conditions=self._conditions, asked=_digest(question.model_dump_json()), text=text.strip(),
            sources=[
                CitedSource(
                    number=source.number, article_id=source.article_id, title=source.title, published=source.published,
                    passage=source.passage, excerpt=source.excerpt,
                )
                for source in finished.sources
            ],
            ttft=finished.timings.get("first_token", 0.0), total=finished.timings.get("total", 0.0),
            prompt_tokens=finished.usage.prompt_tokens, answer_tokens=finished.usage.completion_tokens,
            first_status=first.get(Status), first_text=first.get(Text),
            abstained=finished.abstained,
            grounding=to_jsonable_python(finished.grounding or {}), timings=dict(finished.timings),
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
    chat_for: Callable[[Asked], Chat],
    questions: Iterable[Asked],
    results: Results,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Answer]:
    """Answers by qid, asking only what `results` doesn't hold; `chat_for` gives the chat that a question goes to."""
    answers = {}
    for done, question in enumerate(questions, 1):
        answers[question.qid] = results.get(question) or await results.ask(chat_for(question), question)
        if on_progress:
            on_progress(done)
    return answers
