"""POST /v1/chat/completions: questions to the archive, Open WebUI's tasks, and the bare generator."""

import contextlib
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from archive.articles import Period
from archive.errors import NotFound
from server import metrics
from server.asked import NO_USAGE, Ask
from server.engine import Engine
from server.events import Event, Finished, Status, Text
from server.generation import Message
from server.problems import describe
from server.responses import EventStream, caller_of, unless_gone
from server.running import Runnings
from server.talk import remembered
from server.tasks import CHAT_HEADER, TASK_HEADER, answer_task
from server.timings import Timings
from server.turns import Turn
from server.understanding import Language
from server.wire import DONE, ChatRequest, Completion, error_line
from server.wording import say

router = APIRouter(prefix="/v1")

ARCHIVE_MODEL = "heise-archiv"


@router.post("/chat/completions", response_model=None)
async def chat_completions(body: ChatRequest, request: Request) -> EventStream | JSONResponse:
    """Answer from the archive, or with the bare generator, streaming or not."""
    engine: Engine = request.app.state.engine
    if body.model not in (ARCHIVE_MODEL, engine.generator.name):
        known = f"{ARCHIVE_MODEL}, {engine.generator.name}"
        raise NotFound(f"model {body.model} does not exist; there are: {known}", "model_not_found", "model")
    turns = body.conversation()
    chat_id = request.headers.get(CHAT_HEADER, "")
    turn = None
    if task := request.headers.get(TASK_HEADER):
        events = _task(task, turns, chat_id, engine)
    else:
        turn = engine.turns.take(caller_of(request))
        if body.model == ARCHIVE_MODEL:
            events = _remembered(engine.chat.stream(_ask(body, turns, engine, turn)), chat_id, engine)
        else:
            events = _bare(body, turns, engine, turn)
    runnings: Runnings = request.app.state.runnings
    running, completion = runnings.start(events, turn), Completion(body.model)
    if body.stream:
        include_usage = bool(body.stream_options and body.stream_options.include_usage)
        return EventStream(_lines(completion, running.read(), include_usage), running)
    return JSONResponse(await unless_gone(request, completion.whole(running.read()), running))


def _ask(body: ChatRequest, turns: list[Message], engine: Engine, turn: Turn) -> Ask:
    """The last user turn is the question; what follows it (Open WebUI's Continue) is dropped."""
    last = max(index for index, turn in enumerate(turns) if turn.role == "user")
    options = body.archive
    period = Period(options.start, options.end) if options and (options.start or options.end) else None
    settings = engine.settings
    return Ask(
        question=turns[last].content, history=tuple(turns[:last]), period=period,
        top_k=options.top_k if options else None, today=options.now if options else None,
        sampling=body.sampling(settings.answer_tokens, settings.temperature), turn=turn,
    )  # fmt: skip


async def _lines(completion: Completion, events: AsyncGenerator[Event], include_usage: bool) -> AsyncGenerator[str]:
    """The stream; an error ends it readably, since a dropped connection would look like a whole answer."""
    try:
        async with contextlib.aclosing(events) as open_events:
            async for line in completion.lines(open_events, include_usage):
                yield line
    except Exception as error:  # whatever it was, the chat must show that the answer is not whole
        yield error_line(describe(error)[1])
    yield DONE


async def _remembered(events: AsyncGenerator[Event], chat_id: str, engine: Engine) -> AsyncGenerator[Event]:
    """The events of an answer, its suggestions kept for the follow-up task and its figures for the metrics."""
    async with contextlib.aclosing(events) as open_events:
        async for event in open_events:
            if isinstance(event, Finished):
                metrics.observe(event)
                if chat_id:
                    engine.memory.remember(chat_id, event.suggestions)
            yield event


async def _task(task: str, turns: list[Message], chat_id: str, engine: Engine) -> AsyncGenerator[Event]:
    yield Text(answer_task(task, turns[-1].content, chat_id, engine.memory))
    yield Finished("stop", NO_USAGE, {})


async def _bare(body: ChatRequest, turns: list[Message], engine: Engine, turn: Turn) -> AsyncGenerator[Event]:
    """The generator alone, without the archive; of a talk that is too long the oldest turns go first."""
    timings, usage, reason = Timings(), None, "stop"
    language: Language = "en" if engine.settings.language == "en" else "de"
    with timings.stage("queue"):
        async for place in turn.wait():
            yield Status(say("queue", language, place=place))
    room = engine.settings.context_tokens - engine.settings.answer_tokens
    if sum(engine.generator.count_tokens(turn.content) for turn in turns) > room:
        rules = [turn for turn in turns if turn.role == "system"]
        room -= sum(engine.generator.count_tokens(turn.content) for turn in rules)
        turns = [*rules, *remembered(turns, engine.generator.count_tokens, max(room, 0))]
    sampling = body.sampling(engine.settings.answer_tokens, engine.settings.temperature)
    async with contextlib.aclosing(turn.stream(turns, sampling)) as pieces:
        async for piece in pieces:
            timings.mark("first_token")
            if piece.text:
                yield Text(piece.text)
            usage, reason = piece.usage or usage, piece.finish_reason or reason
    timings.mark("total")
    yield Finished(reason, usage or NO_USAGE, timings.ms())
