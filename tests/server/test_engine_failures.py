"""Which failure of an engine is which: away, refusing, or broken off, however its text reads."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from archive.errors import EngineUnavailable, GenerationError
from archive.models import ModelStore
from archive.settings import Settings
from server.generation import Message, Sampling, load_generators

CLOSE = {"Connection": "close"}  # or a client would keep its connection beyond the loop of its test
REFUSAL = "no memory left to connect layers"


class Engine:
    """Refuses with `status`, or says `words` words and breaks off; `quietly`, as if that were all."""

    def __init__(self) -> None:
        self.status, self.words, self.quietly = 200, 1, False
        self.body: dict = {}
        self.app = FastAPI()
        self.app.post("/v1/chat/completions", response_model=None)(self.openai)
        self.app.post("/api/chat", response_model=None)(self.ollama)

    async def openai(self, request: Request) -> StreamingResponse | JSONResponse:
        choice = {"index": 0, "delta": {"role": "assistant", "content": "Am "}, "finish_reason": None}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small", "choices": [choice]}
        return await self._answer(request, f"data: {json.dumps(chunk)}\n\n", {"error": {"message": REFUSAL}})

    async def ollama(self, request: Request) -> StreamingResponse | JSONResponse:
        message = {"role": "assistant", "content": "Am "}
        line = {"model": "small", "created_at": "2024-01-01T00:00:00Z", "message": message, "done": False}
        return await self._answer(request, json.dumps(line) + "\n", {"error": REFUSAL})

    async def _answer(self, request: Request, line: str, refusal: dict) -> StreamingResponse | JSONResponse:
        self.body = await request.json()
        if self.status != 200:
            return JSONResponse(refusal, self.status, CLOSE)

        async def broken_off():
            for _ in range(self.words):
                yield line
            if not self.quietly:
                raise ConnectionAbortedError

        return StreamingResponse(broken_off(), headers=CLOSE)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Engine, str]]:
    engine = Engine()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(engine.app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield engine, f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def engine(running) -> Engine:
    running[0].status, running[0].words, running[0].quietly = 200, 1, False
    return running[0]


def failure_of(provider: str, address: str) -> GenerationError:
    """What the generator raises; all engines of this file fail."""
    url = f"{address}/v1" if provider == "openai" else address
    settings = Settings(generator=f"{provider}:small", generator_url=url, engine_timeout=20)
    [generator] = load_generators(settings, ModelStore(settings.models, offline=True))

    async def listen() -> None:
        async for _ in generator.stream([Message("user", "Wann?")], Sampling(answer_tokens=77)):
            pass

    with pytest.raises(GenerationError) as caught:
        asyncio.run(listen())
    return caught.value


@pytest.mark.parametrize("provider", ["ollama", "openai"])
def test_an_engine_that_is_away_is_unavailable(provider):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    start = time.monotonic()
    assert type(failure_of(provider, f"http://127.0.0.1:{port}")) is EngineUnavailable
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("provider", ["ollama", "openai"])
@pytest.mark.parametrize("status", [400, 500])
def test_a_refusal_that_speaks_of_connecting_is_quoted(engine, running, provider, status):
    engine.status = status
    error = failure_of(provider, running[1])
    assert type(error) is GenerationError and REFUSAL in str(error)


@pytest.mark.parametrize("provider", ["ollama", "openai"])
def test_an_answer_that_breaks_off_was_reached(engine, running, provider):
    assert type(failure_of(provider, running[1])) is GenerationError


@pytest.mark.parametrize("provider", ["ollama", "openai"])
def test_an_answer_that_just_ends_is_not_whole(engine, running, provider):
    """As a connection without a length looks whose engine was killed."""
    engine.words, engine.quietly = 3, True
    error = failure_of(provider, running[1])
    assert type(error) is GenerationError and ("broke off" in str(error) or "No data" in str(error))


@pytest.mark.parametrize("provider", ["ollama", "openai"])
def test_what_breaks_off_before_the_first_word_may_be_asked_elsewhere(engine, running, provider):
    engine.words = 0
    assert type(failure_of(provider, running[1])) is EngineUnavailable


@pytest.mark.parametrize("provider", ["ollama", "openai"])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_engine_that_is_loading_is_unavailable(engine, running, provider, status):
    engine.status = status
    error = failure_of(provider, running[1])
    assert type(error) is EngineUnavailable and REFUSAL in str(error)


def test_the_length_goes_by_the_name_that_every_server_knows(engine, running):
    failure_of("openai", running[1])
    assert engine.body["max_tokens"] == 77 and "max_completion_tokens" not in engine.body
