"""A question to the archive, answered: the whole way in one function, Chat.stream()."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from math import inf

from archive.archive import Archive
from archive.articles import day_now
from archive.settings import Settings
from prompts import render
from server.asked import NO_USAGE, Ask, Asked
from server.choosing import BESIDE, LETTERS, choose, is_beside, quoted, said
from server.enough import AFFIRMATION, Verdict, is_affirmed, verdict_on
from server.events import Event, Finished, Source, Status, Text
from server.excerpts import Line, excerpt, judged
from server.expectations import Expectation
from server.forms import Wanted, form_of, matter_of
from server.generation import Generator, Sampling, Usage
from server.grounding.citations import CitationChecker, Grounding
from server.grounding.evidence import Evidence
from server.listing import LISTS, compose, superseding
from server.periods import describe_period
from server.periods.tense import asks_for_events
from server.prompting import Prompt
from server.retrieval import Retrieved, Retriever, as_searched, search_for
from server.sources import PageOf, article_page, listed, merge, readable, shown
from server.statuses import searching
from server.suggestions import suggest
from server.talk import leaned_on, remembered
from server.timelines import Composed
from server.timings import Timings
from server.understanding import Question, understand
from server.wording import count_reports, say

_NEAREST = 3  # passages offered where the archive holds nothing about a question
_LISTED = 20  # articles that a list is chosen from
_LISTED_LINES = 3  # of different articles, where a question asks for several of a kind


class Chat:
    """Answers from one archive with one generator."""

    def __init__(
        self,
        archive: Archive,
        retriever: Retriever,
        generator: Generator,
        settings: Settings,
        clock: Callable[[], date] = day_now,
        page_of: PageOf | None = None,
    ) -> None:
        self._archive, self._retriever, self._generator = archive, retriever, generator
        self._settings, self._clock = settings, clock
        self._page_of = page_of or partial(article_page, settings.base_url)
        # On a bare topic a reranker, which judges answers, finds none.
        self._lists = Retriever(archive, None, settings.candidates)

    async def stream(self, ask: Ask) -> AsyncGenerator[Event]:
        """Understand, retrieve, decide, prompt, generate, check: events in order, closed by one Finished.

        Raises GenerationError and ArchiveError. Closing the iterator frees the engine.
        """
        timings = Timings()
        question, form = self._understand(ask, timings)
        period = ask.period or question.period
        yield Status(searching(question, period))
        found = await asyncio.to_thread(self._retrieve, question, form, ask, timings)
        question = as_searched(question, found)
        asked = Asked(question, form, period, found, timings, ask.turn or self._generator)
        verdict = verdict_on(question, found, self._settings.nearest)
        if verdict != "nothing" and (composed := await asyncio.to_thread(self._composed, asked)):
            events = self._list(asked, composed)
        elif verdict == "nothing":
            events = self._nothing(asked)
        else:
            events = self._answer(ask, asked, verdict)
        async with contextlib.aclosing(events):
            async for event in events:
                yield event

    def _understand(self, ask: Ask, timings: Timings) -> tuple[Question, Wanted]:
        with timings.stage("understand"):
            today = ask.today or self._clock()
            asked = understand(ask.history, ask.question, today, self._settings.language)
            return asked, form_of(ask.question)

    def _retrieve(self, question: Question, form: Wanted, ask: Ask, timings: Timings) -> Retrieved:
        search = search_for(question, ask.period)
        if form.form in LISTS:
            # Words such as "Chronologie" find articles that have them in their headlines. A list is dated, so that
            # the newest needs no lift, which lifts what is beside the matter, too.
            return self._lists.retrieve(
                replace(search, query=matter_of(search.query), parts=(), conjuncts=(), leaning=None), _LISTED, timings
            )
        # Twice as many as are shown: the rest becomes suggestions.
        return self._retriever.retrieve(search, 2 * (ask.top_k or self._settings.top_k), timings)

    def _composed(self, asked: Asked) -> Composed | None:
        with asked.timings.stage("compose"):
            return compose(asked.form, asked.question, asked.found.hits, self._archive, self._page_of)

    async def _list(self, asked: Asked, composed: Composed) -> AsyncGenerator[Event]:
        """A list made of the articles' own words, without the generator."""
        for event in asked.told(composed.sources):
            yield event
        yield Text(composed.text)
        suggestions = await asyncio.to_thread(self._suggest, asked, composed.sources)
        yield asked.finished(Finished("stop", NO_USAGE, {}, composed.sources, suggestions=suggestions))

    async def _nothing(self, asked: Asked) -> AsyncGenerator[Event]:
        """The honest answer where the archive holds nothing, at once and without the generator."""
        language = asked.question.language
        where = f" ({describe_period(asked.period, language)})" if asked.period else ""
        nearest = merge(shown(asked.found.hits, _NEAREST), self._page_of)
        yield Status(say("none", language), done=True)
        for source in nearest:
            yield source
        asked.timings.mark("first_token")
        yield Text(render("nothing", language, period=where))
        if nearest:
            yield Text("\n\n" + render("nearest", language, reports=listed(nearest, language)))
        yield asked.finished(Finished("stop", NO_USAGE, {}, nearest, abstained=True))

    async def _answer(self, ask: Ask, asked: Asked, verdict: Verdict) -> AsyncGenerator[Event]:
        """What the sources answer, read or written by the generator; an honest no where it finds nothing in them."""
        question = asked.question
        # A question with parts asks for several things at once.
        expectation = Expectation("" if question.parts else question.text)
        prompt = await asyncio.to_thread(self._prompt, ask, asked, expectation)
        with asked.timings.stage("queue"):
            async for place in ask.places():
                yield Status(say("queue", question.language, place=place))
        yield Status(say("reading", question.language, count=count_reports(len(prompt.sources), question.language)))
        if asked.form.form == "quotations":
            yield Text(render("no_quotation", question.language) + "\n\n")
        in_doubt = verdict == "doubtful" and question.language == "de"  # about another language the model says no
        if in_doubt and not await self._is_affirmed(asked, prompt):
            events = self._nothing(asked)
        elif self._settings.wording == "written" or question.language == "en":  # the archive's words are German
            events = self._written(ask, asked, prompt, expectation)
        else:
            events = self._quoted(asked, prompt, expectation)
        async with contextlib.aclosing(events):
            async for event in events:
                yield event

    async def _is_affirmed(self, asked: Asked, prompt: Prompt) -> bool:
        with asked.timings.stage("affirm"):
            yes, no = AFFIRMATION[prompt.language]
            weights = await asked.generator.weigh(prompt.reading("affirm"), (yes, no))
        return is_affirmed(weights[0] - weights[1])

    async def _quoted(self, asked: Asked, prompt: Prompt, expectation: Expectation) -> AsyncGenerator[Event]:
        """The archive's own words: the line that the generator chooses, for each part of the question."""
        chosen = await self._chosen(asked, prompt)
        asked.free_engine()
        for event in asked.told(prompt.sources):
            yield event
        texts = [quoted(line, prompt.sources) for line in chosen]
        certain = expectation.met(" ".join(found.text for found in texts))
        yield Text("\n\n".join(said(found, prompt.language, certain=certain) for found in texts))
        if certain and (dated := await asyncio.to_thread(self._dated, asked, [found.source for found in texts])):
            yield Text(dated)
        suggestions = await asyncio.to_thread(self._suggest, asked, prompt.sources)
        grounding = Grounding(supported=len(texts), cited=Counter(found.source.number for found in texts))
        read_tokens = sum(self._generator.count_tokens(turn.content) for turn in prompt.reading("choose"))
        usage = Usage(read_tokens, len(texts))
        yield asked.finished(Finished("stop", usage, {}, prompt.sources, grounding, suggestions, abstained=not certain))

    async def _chosen(self, asked: Asked, prompt: Prompt) -> list[Line]:
        """The line that answers; for each part of a question one, of different sources; for a list several."""
        parts = asked.question.parts
        questions = [prompt.question] if len(parts) < 2 else parts
        letters, chosen = LETTERS[: len(prompt.lines)], list[Line]()
        # The newest report is seldom the one that fits best, and what a follow-up leans on fits many.
        beside = inf if asked.question.leaning or asked.question.is_followup else BESIDE
        with asked.timings.stage("choose"):
            for question in questions:
                weights = await asked.generator.weigh(prompt.reading("choose", question), letters, begun="(")
                for _ in range(_LISTED_LINES if len(parts) == 1 else 1):
                    line = choose(prompt.lines, weights, {line.source for line in chosen}, beside=beside)
                    if len(parts) > 1 or not chosen or is_beside(line, chosen[0]):
                        chosen.append(line)
        return list(dict.fromkeys(chosen))

    async def _written(self, ask: Ask, asked: Asked, prompt: Prompt, expectation: Expectation) -> AsyncGenerator[Event]:
        """What the generator writes, sentence by sentence as it is checked, or the archive's words in its place."""
        timings, checker = asked.timings, self._checker(prompt)
        template = "comparison" if asked.form.form == "comparison" else "question"
        sampling = ask.sampling or Sampling(self._settings.answer_tokens, self._settings.temperature)
        usage, reason, held, answered = None, "stop", "", False
        pieces = asked.generator.stream(prompt.writing(template), sampling)
        with timings.stage("generate"):
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    if "first_token" not in timings.ms():
                        for event in asked.told(prompt.sources):
                            yield event
                    # What answers nothing waits until something does: it may be all.
                    held += checker.feed(piece.text)
                    answered = answered or (checker.grounding.tells and expectation.met(held))
                    if held and answered:
                        timings.mark("first_text")
                        yield Text(held)
                        held = ""
                    usage, reason = piece.usage or usage, piece.finish_reason or reason
        asked.free_engine()
        held += checker.finish()
        abstained = False
        if not (answered or (checker.grounding.tells and expectation.met(held))):
            nearest = quoted(max(prompt.lines, key=lambda line: line.relevance), prompt.sources)
            abstained = not (checker.grounding.withheld and expectation.met(nearest.text))
            held = said(nearest, prompt.language, certain=not abstained)
        if held:
            timings.mark("first_text")
            yield Text(held)
        cited = [source for source in prompt.sources if checker.grounding.cited[source.number]]
        if not abstained and (dated := await asyncio.to_thread(self._dated, asked, cited)):
            yield Text(dated)
        suggestions = await asyncio.to_thread(self._suggest, asked, prompt.sources)
        end = Finished(reason, usage or NO_USAGE, {}, prompt.sources, checker.grounding, suggestions)
        yield asked.finished(replace(end, abstained=abstained))

    def _prompt(self, ask: Ask, asked: Asked, expectation: Expectation) -> Prompt:
        question, settings = asked.question, self._settings
        with asked.timings.stage("prompt"):
            merged = merge(shown(asked.found.hits, ask.top_k or settings.top_k), self._page_of)
            several = bool(question.parts) or asked.form.form == "comparison"
            read = excerpt(
                self._archive.embedder, question.search, [readable(source) for source in merged],
                settings.prompt_characters * (2 if several else 1), expectation, each=several,
            )  # fmt: skip
            if not several and not question.is_followup and question.leaning is None:
                read = judged(read, question.text, self._retriever.reranker)
            hint = ""
            if asked.found.loosened and asked.period is not None:
                period = describe_period(asked.period, question.language)
                hint = say("hint_loosened", question.language, period=period)
            count = self._generator.count_tokens
            talk = remembered(ask.history, count, settings.history_tokens) if question.is_followup else []
            asked_text = f"{leaned_on(ask.history)} {question.text}" if question.is_followup else question.text
            prompt = Prompt(asked_text.strip(), question.language, read.sources, read.lines, tuple(talk), hint)
            return prompt.within(settings.context_tokens - settings.answer_tokens, count)

    def _checker(self, prompt: Prompt) -> CitationChecker:
        evidence = [Evidence(source.title, source.published, source.passage) for source in prompt.sources]
        mark = say("unsupported", prompt.language)
        unsupported = self._settings.unsupported
        foreign = prompt.language == "en"
        return CitationChecker(evidence, question=prompt.question, mark=mark, unsupported=unsupported, foreign=foreign)

    def _dated(self, asked: Asked, cited: Sequence[Source]) -> str:
        """A last line that dates a state of affairs where later articles tell of it, too."""
        if asked.period is not None or not cited or asks_for_events(asked.question.text):
            return ""
        return superseding(cited, asked.question, asked.found.hits, self._archive, self._page_of)

    def _suggest(self, asked: Asked, sources: Sequence[Source]) -> tuple[str, ...]:
        articles = [self._archive.ledger.article(source.article_id) for source in sources]
        return suggest(
            [article for article in articles if article], asked.found.hits, asked.question.language, asked.question.text
        )
