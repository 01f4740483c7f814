"""A file of editors' questions with their golds, and how well retrieval finds those in an archive."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive.archive import Archive
from archive.articles import Article, Hit, Period, day_now, day_of
from archive.errors import SettingsError, SourceError
from archive.settings import Settings
from evaluation.runs import best_of_each
from server.generation import Message
from server.retrieval import Retriever, search_for
from server.timings import Timings
from server.understanding import understand

Kind = Literal["fact", "time", "followup", "multi", "none"]
KINDS: tuple[Kind, ...] = ("fact", "time", "followup", "multi", "none")
STAGES = ("dense", "words", "fused", "reranked")  # in the order in which they work
FINAL = "final"  # the order in which the server hands passages to the prompt


class Turn(BaseModel):
    """An earlier turn of the talk."""

    role: Literal["user", "assistant"]
    content: str


class Gold(BaseModel):
    """An article that answers a question; `moment` (`date` in the file) has a day, and perhaps a time."""

    id: str | int
    title: str = ""
    moment: str | None = Field(None, alias="date")

    @property
    def day(self) -> date | None:
        """Its day in the archive's time zone."""
        return day_of(datetime.fromisoformat(self.moment)) if self.moment else None


class Asked(BaseModel):
    """One line of the file.

    `asked_on` is the day that "heute" means, `start` to `end` the period that is meant, `answer` what a person wrote.
    """

    model_config = ConfigDict(populate_by_name=True)

    qid: str
    kind: Kind
    question: str
    history: list[Turn] = []
    asked_on: date | None = None
    start: date | None = Field(None, alias="from")
    end: date | None = Field(None, alias="to")
    gold: list[Gold] = []
    answer: str = ""
    must_contain: list[str] = []
    must_all: list[list[str]] = []

    @property
    def period(self) -> Period | None:
        """The period that the question means, None where it leaves time open."""
        return Period(self.start, self.end) if self.start or self.end else None

    @property
    def asked_text(self) -> str:
        """All that was asked and said, whose words an answer may repeat."""
        return "\n".join([*(turn.content for turn in self.history), self.question])

    @property
    def messages(self) -> tuple[Message, ...]:
        """The talk before the question."""
        return tuple(Message(turn.role, turn.content) for turn in self.history)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What retrieval made of one question: articles, best first, and the period it understood.

    `handed` are those of the articles that the chat gets; the others were found by a deeper search. `stages` holds
    (article, score of its best passage), best first, by stage: those of the hits that the stage scored. `steps` are
    the server's own timings in milliseconds, `ms` is all of it with understanding the question.
    """

    articles: tuple[str, ...]
    period: Period | None
    ms: float
    stages: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    steps: Mapping[str, float] = field(default_factory=dict)
    handed: tuple[str, ...] = ()


def read_questions(path: Path, kinds: str = "", limit: int | None = None) -> list[Asked]:
    """The file's questions, those of `kinds` (with commas between) only. Raises SourceError or SettingsError."""
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()] or list(KINDS)
    if unknown := sorted(set(wanted) - set(KINDS)):
        raise SettingsError(f"--kinds {', '.join(unknown)}: no such kind; there are {', '.join(KINDS)}")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise SourceError(f"{path}: {reason}; check the path") from error
    questions = [_question(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    twice = {question.qid for question in questions}
    if len(twice) < len(questions):
        raise SourceError(f"{path}: a qid names two questions; give each its own")
    kept = [question for question in questions if question.kind in wanted][:limit]
    if not kept:
        raise SourceError(f"{path}: holds no questions of kind {', '.join(wanted)}")
    return kept


def _question(path: Path, number: int, line: str) -> Asked:
    try:
        question = Asked.model_validate_json(line)
        _ = [gold.day for gold in question.gold]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise SourceError(f"{path}, line {number}: {where}: {first['msg']}") from error
    except ValueError as error:
        raise SourceError(f"{path}, line {number}: gold.date: {error}") from error
    return question


def find_golds(archive: Archive, questions: Iterable[Asked]) -> dict[str, tuple[frozenset[str], ...]]:
    """By qid, for each gold the articles of the archive that are it; empty where the archive has none.

    An article is a gold by its id and either title or day, since publishers number alike; else by exact title and day.
    """
    asked = list(questions)
    ids = {str(gold.id) for question in asked for gold in question.gold}
    by_id = {article_id: archive.ledger.article(article_id) for article_id in archive.ledger.known(ids)}
    titles = {_title(gold.title) for question in asked for gold in question.gold if gold.title}
    by_title: dict[str, list[Article]] = {}
    for article in archive.ledger.articles():
        if (title := _title(article.title)) in titles:
            by_title.setdefault(title, []).append(article)

    def articles_of(gold: Gold) -> frozenset[str]:
        held = by_id.get(str(gold.id))
        if held and (not gold.title or _title(held.title) == _title(gold.title) or _on(held, gold.day)):
            return frozenset({held.id})
        same = [article for article in by_title.get(_title(gold.title), ()) if gold.title and _on(article, gold.day)]
        return frozenset(article.id for article in same)

    return {question.qid: tuple(articles_of(gold) for gold in question.gold) for question in asked}


def _title(text: str) -> str:
    return " ".join(text.split())


def _on(article: Article, day: date | None) -> bool:
    return day is None or (article.published is not None and day_of(article.published) == day)


def is_missing(question: Asked, golds: Sequence[frozenset[str]]) -> bool:
    """Whether the archive can't answer: it holds no gold, or for `multi` not all of them."""
    if question.kind == "none":
        return False
    return not all(golds) if question.kind == "multi" else not any(golds)


def retrieve_all(
    retriever: Retriever,
    settings: Settings,
    questions: Sequence[Asked],
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Retrieval]:
    """What retrieval makes of each question, by qid; one of them runs before the clock does."""
    for question in questions[:1]:
        retrieve(retriever, settings, question)
    retrieved = {}
    for done, question in enumerate(questions, 1):
        retrieved[question.qid] = retrieve(retriever, settings, question)
        if on_progress:
            on_progress(done)
    return retrieved


def retrieve(retriever: Retriever, settings: Settings, question: Asked) -> Retrieval:
    """Understand and retrieve as Chat does; behind what it would see comes what a deeper search adds."""
    start, timings = perf_counter(), Timings()
    asked = understand(question.messages, question.question, question.asked_on or day_now(), settings.language)
    search = search_for(asked)
    hits = retriever.retrieve(search, 2 * settings.top_k, timings).hits
    ms = (perf_counter() - start) * 1000
    # More results wanted would have the reranker read more: what Chat sees is not changed by looking further.
    seen = {hit.passage.article_id for hit in hits}
    deeper = retriever.retrieve(search, settings.candidates, Timings()).hits
    stages = by_stage([*hits, *(hit for hit in deeper if hit.passage.article_id not in seen)])
    articles = tuple(article for article, _ in stages[FINAL])
    handed = tuple(article for article in articles if article in seen)
    return Retrieval(articles, asked.period, ms, stages, timings.ms(), handed)


def by_stage(hits: Sequence[Hit]) -> dict[str, list[tuple[str, float]]]:
    """(article, score) by stage, each in the order of that stage's scores; last, as FINAL, the order of the hits."""
    names = [*STAGES, *dict.fromkeys(name for hit in hits for name in hit.scores if name not in STAGES)]
    scored = {
        name: sorted(
            ((hit.passage.article_id, hit.scores[name]) for hit in hits if name in hit.scores),
            key=lambda one: -one[1],
        )
        for name in names
        if any(name in hit.scores for hit in hits)
    }
    scored[FINAL] = [(hit.passage.article_id, hit.score) for hit in hits]
    return {name: best_of_each(found) for name, found in scored.items()}
