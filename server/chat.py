"""A question to the archive, answered: the whole way in one function, Chat.stream()."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from archive.archive import Archive
from archive.articles import TIME_ZONE, Hit, Period
from archive.settings import Settings
from prompts import render
from server.citations import CitationChecker
from server.enough import enough, floor_of
from server.events import Event, Finished, Source, Status, Text
from server.excerpts import excerpt
from server.generation import Generator, Message, Sampling, Usage
from server.periods import describe_period
from server.retrieval import Retrieved, Retriever, search_for
from server.sources import listed, merge, passage_block, shown
from server.suggestions import suggest
from server.support import Evidence
from server.timings import Timings
from server.understanding import Question, understand
from server.wording import count_reports, decimal, say

_NEAREST = 3  # passages offered where the archive holds nothing about a question
_REMEMBERED_ANSWER = 400  # characters of the last answer that a follow-up's prompt repeats


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with the talk before it, oldest first. `period` and `today` override what would be understood."""

    question: str
    history: tuple[Message, ...] = ()
    period: Period | None = None
    top_k: int | None = None
    today: date | None = None
    sampling: Sampling | None = None


class Chat:
    """Answers from one archive with one generator."""

    def __init__(
        self,
        archive: Archive,
        retriever: Retriever,
        generator: Generator,
        settings: Settings,
        clock: Callable[[], date] = lambda: datetime.now(TIME_ZONE).date(),
    ) -> None:
        self._archive, self._retriever, self._generator = archive, retriever, generator
        self._settings, self._clock = settings, clock
        self._floor = floor_of(archive.embedder.name, settings.nearest)

    def today(self) -> date:
        """The day that "heute" means."""
        return self._clock()

    async def stream(self, ask: Ask) -> AsyncGenerator[Event]:
        """Understand, retrieve, decide, prompt, generate, check: events in order, closed by one Finished.

        Raises GenerationError and ArchiveError. Closing the iterator frees the engine.
        """
        timings = Timings()
        question = self._understand(ask, timings)
        period = ask.period or question.period
        yield Status(_searching(question, period))
        found = await asyncio.to_thread(self._retrieve, question, ask, timings)
        if not enough(found.hits, self._floor, in_period=found.period is not None):
            for event in self._nothing(question, period, found, timings):
                yield event
            return
        sources, messages = await asyncio.to_thread(self._prompt, question, ask, period, found, timings)
        reports = count_reports(len(sources), question.language)
        yield Status(say("reading", question.language, count=reports))
        for source in sources:
            yield source
        checker = self._checker(question, sources)
        sampling = ask.sampling or Sampling(self._settings.answer_tokens, self._settings.temperature)
        usage, reason = None, "stop"
        with timings.stage("generate"):
            async for piece in self._generator.stream(messages, sampling):
                if "first_token" not in timings.ms():
                    timings.mark("first_token")
                    yield Status(_read(question, period, found, reports, timings), done=True)
                if checked := checker.feed(piece.text):
                    yield Text(checked)
                usage, reason = piece.usage or usage, piece.finish_reason or reason
        if rest := checker.finish():
            yield Text(rest)
        timings.mark("total")
        suggestions = await asyncio.to_thread(self._suggest, question, sources, found.hits)
        yield Finished(
            reason, usage or Usage(0, 0), timings.ms(), sources, checker.grounding, suggestions,
            _understood(question, period, found.loosened),
        )  # fmt: skip

    def _understand(self, ask: Ask, timings: Timings) -> Question:
        with timings.stage("understand"):
            today = ask.today or self._clock()
            return understand(ask.history, ask.question, today, "en" if self._settings.language == "en" else "de")

    def _retrieve(self, question: Question, ask: Ask, timings: Timings) -> Retrieved:
        # Twice as many as are shown: the rest becomes suggestions.
        top_k = ask.top_k or self._settings.top_k
        return self._retriever.retrieve(search_for(question, ask.period), 2 * top_k, timings)

    def _prompt(
        self, question: Question, ask: Ask, period: Period | None, found: Retrieved, timings: Timings
    ) -> tuple[tuple[Source, ...], list[Message]]:
        with timings.stage("prompt"):
            sources = merge(shown(found.hits, ask.top_k or self._settings.top_k), self._settings.base_url)
            sources = excerpt(self._archive.embedder, question.search, sources, self._settings.prompt_characters)
            hint = ""
            if found.loosened and period is not None:
                hint = say("hint_loosened", question.language, period=describe_period(period, question.language))
            history = remembered(ask.history) if question.is_followup else []
            sources = self._within_budget(question, hint, history, sources)
            return sources, self._messages(question, hint, history, sources)

    def _messages(
        self, question: Question, hint: str, history: list[Message], sources: Sequence[Source]
    ) -> list[Message]:
        passages = "\n\n".join(passage_block(source, question.language) for source in sources)
        asked = render("question", question.language, passages=passages, question=question.text, hint=hint)
        return [Message("system", render("system", question.language)), *history, Message("user", asked)]

    def _within_budget(
        self, question: Question, hint: str, history: list[Message], sources: tuple[Source, ...]
    ) -> tuple[Source, ...]:
        """As many of the sources, best first, as fit the context beside the answer; at least one."""
        room = self._settings.context_tokens - self._settings.answer_tokens - 64  # the chat template's own tokens
        while len(sources) > 1:
            messages = self._messages(question, hint, history, sources)
            if sum(self._generator.count_tokens(message.content) for message in messages) <= room:
                break
            sources = sources[:-1]
        return sources

    @staticmethod
    def _checker(question: Question, sources: Sequence[Source]) -> CitationChecker:
        evidence = [Evidence(source.title, source.published, source.passage) for source in sources]
        return CitationChecker(evidence, question=question.text, mark=say("unsupported", question.language))

    def _nothing(
        self, question: Question, period: Period | None, found: Retrieved, timings: Timings
    ) -> Iterator[Event]:
        """The honest answer where the archive holds nothing, at once and without the generator."""
        language = question.language
        where = f" ({describe_period(period, language)})" if period else ""
        sources = merge(shown(found.hits, _NEAREST), self._settings.base_url)
        yield Status(say("none", language), done=True)
        yield from sources
        timings.mark("first_token")
        yield Text(render("nothing", language, period=where))
        if sources:
            yield Text("\n\n" + render("nearest", language, reports=listed(sources, language)))
        timings.mark("total")
        understood = _understood(question, period, found.loosened)
        yield Finished("stop", Usage(0, 0), timings.ms(), sources, understood=understood)

    def _suggest(self, question: Question, sources: Sequence[Source], hits: Sequence[Hit]) -> tuple[str, ...]:
        articles = [self._archive.ledger.article(source.article_id) for source in sources]
        return suggest([article for article in articles if article], hits, question.language)


_CITED = re.compile(r"\s*\[\d+\]")


def remembered(history: Sequence[Message]) -> list[Message]:
    """The last question and answer, shortened and without citation marks: what a follow-up leans on."""
    last: list[Message] = []
    for turn in reversed(history):
        if turn.role == "system":
            continue
        last.insert(0, Message(turn.role, _CITED.sub("", turn.content)[:_REMEMBERED_ANSWER]))
        if turn.role == "user":
            break
    return last


def _searching(question: Question, period: Period | None) -> str:
    language = question.language
    known = [describe_period(period, language)] if period else []
    known += [say(question.leaning, language)] if question.leaning else []
    return say("searching_period", language, period=", ".join(known)) if known else say("searching", language)


def _read(question: Question, period: Period | None, found: Retrieved, reports: str, timings: Timings) -> str:
    language = question.language
    note = ""
    if period is not None:
        described = describe_period(period, language)
        note = f" ({described})"
        if found.loosened:
            wider = describe_period(found.period, language) if found.period else say("all_time", language)
            note = say("loosened", language, period=described, wider=wider)
    seconds = decimal(timings.ms()["first_token"] / 1000, language)
    return say("read", language, count=reports, seconds=seconds, note=note)


def _understood(question: Question, period: Period | None, loosened: bool) -> dict[str, object]:
    return {
        "query": question.search,
        "language": question.language,
        "followup": question.is_followup,
        "parts": list(question.parts),
        "leaning": question.leaning,
        "from": period.start.isoformat() if period and period.start else None,
        "to": period.end.isoformat() if period and period.end else None,
        "loosened": loosened,
    }
