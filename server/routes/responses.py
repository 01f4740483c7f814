"""POST /v1/responses."""

import contextlib
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.answering import begin
from server.bodies import JsonRoute
from server.clients import wants_events
from server.described import responses as described
from server.described.answers import answered
from server.engine import Engine
from server.events import Event
from server.problems import describe, reader_of
from server.responses import EventStream, unless_gone
from server.statuses import broken_off
from server.understanding import Language
from server.wire.responses_answer import ResponseAnswer
from server.wire.responses_request import ResponsesRequest

router = APIRouter(prefix="/v1", route_class=JsonRoute)


@router.post("/responses", response_model=None, responses={200: answered(described.Response, described.EVENTS)})
async def responses(body: ResponsesRequest, request: Request) -> Response:
    """Answer as chat completions do, in the shape of OpenAI's Responses API. Nothing is kept."""
    engine: Engine = request.app.state.engine
    running = begin(body.inquiry(engine.settings.answer_tokens, engine.settings.temperature), request)
    answer = ResponseAnswer(body, events=wants_events(request))
    if body.stream:
        return EventStream(_lines(answer, running.read(), reader_of(request)), running)
    return Response(await unless_gone(request, answer.whole(running.read()), running), media_type="application/json")


async def _lines(answer: ResponseAnswer, events: AsyncGenerator[Event], reader: Language | None) -> AsyncGenerator[str]:
    try:
        async with contextlib.aclosing(events) as open_events:
            async for line in answer.lines(open_events):
                if line:
                    yield line
    except Exception as error:  # whatever it was, the client must see that the answer is not whole
        if reader:
            yield answer.line(broken_off(reader))
        yield answer.failed(describe(error, reader)[1])
