"""The answers to what clients ask for: from the archive, to Open WebUI's tasks, or by the bare generator."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from fastapi import Request

from archive.errors import NotFound
from server import current
from server.access.audit import keep_question
from server.access.guard import caller_of
from server.asked import NO_USAGE, Ask
from server.engine import Engine
from server.events import Calls, Event, Finished, Status, Text
from server.generation import Message
from server.inquiry import Inquiry
from server.running import Running, Runnings
from server.shaping import as_object, cut
from server.talk import remembered
from server.tasks import CHAT_HEADER, TASK_HEADER, answer_task
from server.timings import Timings
from server.turns import Turn
from server.wording import say

ARCHIVE_MODEL = "heise-archiv"

# What the archive is asked with: the models of retrieval read less, and a book in a question takes minutes.
_CHARACTERS = 4000
_TURNS = 20


def begin(inquiry: Inquiry, request: Request) -> Running:
    """The answer, which is being made from now on. Raises BadRequest, NotFound for another model, and Busy."""
    engine: Engine = request.app.state.engine
    runnings: Runnings = request.app.state.runnings
    if inquiry.model not in (ARCHIVE_MODEL, engine.generator.name):
        known = f"{ARCHIVE_MODEL}, {engine.generator.name}"
        raise NotFound(f"model {inquiry.model} does not exist; there are: {known}", "model_not_found", "model")
    current.note(model=inquiry.model)
    spoken, chat_id = inquiry.spoken, request.headers.get(CHAT_HEADER, "")
    if engine.settings.log_questions:
        keep_question(request, next((message.content for message in reversed(spoken) if message.role == "user"), ""))
    if task := request.headers.get(TASK_HEADER):
        return runnings.start(_task(task, spoken, chat_id, engine))
    if inquiry.model != ARCHIVE_MODEL:
        turn = engine.turns.take(caller_of(request).counted_as)
        return runnings.start(_bare(inquiry, engine, turn), turn)
    inquiry = inquiry.to_archive()
    turn = engine.turns.take(caller_of(request).counted_as)
    events = _remembered(engine.chat.stream(_ask(inquiry, turn)), chat_id, engine)
    return runnings.start(_shaped(inquiry, events, engine), turn)


def _ask(inquiry: Inquiry, turn: Turn) -> Ask:
    """The last user turn is the question; what follows it (Open WebUI's Continue) is dropped."""
    spoken = inquiry.spoken
    last = max(index for index, message in enumerate(spoken) if message.role == "user")
    return Ask(
        question=_shortened(spoken[last].content), history=_recent(spoken[:last]),
        period=inquiry.period, top_k=inquiry.top_k, today=inquiry.today,
        sampling=replace(inquiry.sampling, response_format=None), turn=turn,
    )  # fmt: skip


def _recent(history: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(replace(message, content=_shortened(message.content)) for message in history[-_TURNS:])


def _shortened(text: str) -> str:
    """The beginning and the end of a text that is too long to be asked with: a question stands at either."""
    return text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS // 2]} {text[-_CHARACTERS // 2 :]}"


def _shaped(inquiry: Inquiry, events: AsyncGenerator[Event], engine: Engine) -> AsyncGenerator[Event]:
    if inquiry.sampling.stop or inquiry.most_tokens:
        events = cut(events, inquiry.sampling.stop, inquiry.most_tokens, engine.generator.count_tokens)
    return as_object(events) if inquiry.wants_json else events


async def _remembered(events: AsyncGenerator[Event], chat_id: str, engine: Engine) -> AsyncGenerator[Event]:
    """The events of an answer, its suggestions kept for the follow-up task."""
    async with contextlib.aclosing(events) as open_events:
        async for event in open_events:
            if chat_id and isinstance(event, Finished):
                engine.memory.remember(chat_id, event.suggestions)
            yield event


async def _task(task: str, spoken: Sequence[Message], chat_id: str, engine: Engine) -> AsyncGenerator[Event]:
    yield Text(answer_task(task, spoken[-1].content, chat_id, engine.memory))
    yield Finished("stop", NO_USAGE, {})


async def _bare(inquiry: Inquiry, engine: Engine, turn: Turn) -> AsyncGenerator[Event]:
    """The generator alone, without the archive."""
    timings, usage, reason = Timings(), None, "stop"
    with timings.stage("queue"):
        async for place in turn.wait():
            yield Status(say("queue", engine.settings.language, place=place))
    async with contextlib.aclosing(turn.stream(_fitting(inquiry, engine), inquiry.sampling)) as pieces:
        async for piece in pieces:
            timings.mark("first_token")
            if piece.text:
                yield Text(piece.text)
            if piece.tool_calls:
                yield Calls(piece.tool_calls)
            usage, reason = piece.usage or usage, piece.finish_reason or reason
    timings.mark("total")
    yield Finished(reason, usage or NO_USAGE, timings.ms())


def _fitting(inquiry: Inquiry, engine: Engine) -> Sequence[Message]:
    """The turns to go on with; of a talk that is too long the oldest go first, calls of tools with their answers."""
    turns = [turn for turn in inquiry.messages if turn.role == "tool" or turn.tool_calls or turn.content.strip()]
    count = engine.generator.count_tokens
    room = engine.settings.context_tokens - engine.settings.answer_tokens
    if sum(count(turn.content) for turn in turns) <= room:
        return turns
    spoken = inquiry.spoken
    rules = [turn for turn in spoken if turn.role == "system"]
    room -= sum(count(turn.content) for turn in rules)
    return [*rules, *remembered(spoken, count, max(room, 0))]
