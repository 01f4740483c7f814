"""POST /v1/chat/completions."""

import contextlib
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.answering import begin
from server.bodies import JsonRoute
from server.clients import fingerprint, wants_events
from server.described.answers import answered
from server.described.completions import CHUNKS, ChatCompletion
from server.engine import Engine
from server.events import Event
from server.problems import describe, reader_of
from server.responses import EventStream, unless_gone
from server.statuses import broken_off
from server.understanding import Language
from server.wire.chat_answer import Completion, error_line
from server.wire.chat_request import ChatRequest
from server.wire.lines import DONE

router = APIRouter(prefix="/v1", route_class=JsonRoute)


@router.post("/chat/completions", response_model=None, responses={200: answered(ChatCompletion, CHUNKS)})
async def chat_completions(body: ChatRequest, request: Request) -> Response:
    """Answer from the archive, or with the bare generator, streaming or not."""
    engine: Engine = request.app.state.engine
    running = begin(body.inquiry(engine.settings.answer_tokens, engine.settings.temperature), request)
    completion = Completion(
        body.model, fingerprint(engine), include_usage=body.include_usage, events=wants_events(request)
    )
    if body.stream:
        return EventStream(_lines(completion, running.read(), reader_of(request)), running)
    whole = await unless_gone(request, completion.whole(running.read()), running)
    return Response(whole, media_type="application/json")


async def _lines(completion: Completion, events: AsyncGenerator[Event], reader: Language | None) -> AsyncGenerator[str]:
    """The stream; an error ends it readably, since a dropped connection would look like a whole answer."""
    try:
        async with contextlib.aclosing(events) as open_events:
            async for line in completion.lines(open_events):
                yield line
    except Exception as error:  # whatever it was, the chat must show that the answer is not whole
        if reader:
            yield completion.line(broken_off(reader))
        yield error_line(describe(error, reader)[1])
    yield DONE
