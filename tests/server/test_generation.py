"""Engines behind LangChain, against small servers that speak Ollama's and OpenAI's wire formats for real."""

import asyncio
import gc
import json
import threading
import time
import warnings
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from archive.errors import EngineTimeout, EngineUnavailable, GenerationError, SettingsError
from archive.models import ModelStore
from archive.settings import Settings
from server.generation import Message, Piece, Sampling, load_generators, weights_of
from server.ports import free_port

TURNS = [Message("system", "Kurz."), Message("user", "Hallo?")]


class Engine:
    """Two engines in one app; `mode` says how they behave, `seen` what they were asked."""

    def __init__(self) -> None:
        self.mode = "fine"
        self.seen: dict = {}
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self.openai)
        self.app.post("/api/chat")(self.ollama)

    async def openai(self, request: Request):
        return self._reply(await request.json(), self._openai_lines(), "text/event-stream")

    async def ollama(self, request: Request):
        return self._reply(await request.json(), self._ollama_lines(), "application/x-ndjson")

    def _reply(self, body: dict, lines, media_type: str):
        self.seen = body
        if self.mode == "broken":
            return JSONResponse({"error": {"message": "out of memory"}}, 500)
        return StreamingResponse(lines, media_type=media_type)

    async def _openai_lines(self):
        def line(delta, finish=None, **more):
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n"

        yield line({"role": "assistant", "content": "Guten "})
        await self._middle()
        yield line({"content": "Tag."})
        yield line({}, "length")
        usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
        yield line({}, usage=usage).replace(
            '"choices": [{"index": 0, "delta": {}, "finish_reason": null}]', '"choices": []'
        )
        yield "data: [DONE]\n\n"

    async def _ollama_lines(self):
        def line(text, **more):
            message = {"role": "assistant", "content": text}
            return json.dumps({"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, **more}) + "\n"

        yield line("Guten ", done=False)
        await self._middle()
        yield line("Tag.", done=False)
        yield line("", done=True, done_reason="length", prompt_eval_count=9, eval_count=2, total_duration=1)

    async def _middle(self):
        if self.mode == "silent":
            await asyncio.sleep(3)
        if self.mode == "dying":
            raise RuntimeError("the engine dies")


# LangChain's clients pool connections for the life of a process and offer no close: one loop serves all tests here, and
# what a discarded client leaves open is no finding.
LOOP = asyncio.new_event_loop()
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True, scope="module")
def _close_loop() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        LOOP.close()
        gc.collect()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Engine, str]]:
    engine, port = Engine(), free_port("127.0.0.1")
    server = uvicorn.Server(uvicorn.Config(engine.app, host="127.0.0.1", port=port, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield engine, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def engine(running) -> Engine:
    running[0].mode = "fine"
    return running[0]


def settings(provider: str, address: str, **more) -> Settings:
    url = f"{address}/v1" if provider == "openai" else address
    return Settings(generator=f"{provider}:m", generator_url=url, **more)


def stream(chosen: Settings, sampling: Sampling | None = None) -> list[Piece]:
    [generator] = load_generators(chosen, ModelStore(chosen.models, offline=True))

    async def pieces() -> list[Piece]:
        return [piece async for piece in generator.stream(TURNS, sampling or Sampling(50))]

    return LOOP.run_until_complete(pieces())


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_text_end_and_usage_arrive(engine, running, provider):
    pieces = stream(settings(provider, running[1]))
    assert "".join(piece.text for piece in pieces) == "Guten Tag."
    assert pieces[-1].finish_reason == "length"
    assert (pieces[-1].usage.prompt_tokens, pieces[-1].usage.completion_tokens) == (9, 2)
    assert [turn["role"] for turn in engine.seen["messages"]] == ["system", "user"]


def test_openai_is_told_how_to_write(engine, running):
    stream(settings("openai", running[1]), Sampling(7, 0.3, 0.9, 5, ("Ende",)))
    asked = engine.seen
    assert (asked["temperature"], asked["top_p"], asked["seed"], asked["stop"]) == (0.3, 0.9, 5, ["Ende"])
    assert 7 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))


def test_ollama_is_told_how_to_write_and_to_stay_loaded(engine, running):
    stream(settings("ollama", running[1]), Sampling(7, 0.3, 0.9, 5, ("Ende",)))
    options = engine.seen["options"]
    assert (options["num_predict"], options["temperature"], options["seed"]) == (7, 0.3, 5)
    assert options["num_ctx"] == 4096 and engine.seen["keep_alive"] == -1
    assert options["stop"] == ["Ende"]


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_an_engine_that_is_away_says_where_and_what_to_do(provider):
    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1:9.*ARCHIVAR_GENERATOR_URL"):
        stream(settings(provider, "http://127.0.0.1:9"))


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_an_engine_that_fails_is_quoted(engine, running, provider):
    engine.mode = "broken"
    with pytest.raises(GenerationError, match="out of memory"):
        stream(settings(provider, running[1]))


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_silence_is_given_up(engine, running, provider):
    engine.mode = "silent"
    with pytest.raises(EngineTimeout, match="ARCHIVAR_ENGINE_TIMEOUT"):
        stream(settings(provider, running[1], engine_timeout=0.5))


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_death_in_the_middle_is_no_end(engine, running, provider):
    engine.mode = "dying"
    with pytest.raises(GenerationError):
        stream(settings(provider, running[1]))


@pytest.mark.parametrize("name", ["gpt-4o", "vertex:x", "ollama:", "openai:gpt-4o"])
def test_a_generator_of_no_known_engine(name):
    with pytest.raises(SettingsError, match="ARCHIVAR_GENERATOR"):
        load_generators(Settings(generator=name), ModelStore(Settings().models, offline=True))


def test_an_address_without_its_scheme_is_refused_at_once():
    with pytest.raises(SettingsError, match="http://localhost:8080/v1"):
        load_generators(
            Settings(generator="openai:m", generator_url="localhost:8080"), ModelStore(Settings().models, offline=True)
        )


@pytest.mark.parametrize(
    ("text", "likeliest"),
    [("(B)", "B"), ("B) Gras", "B"), ("**A**", "A"), ("Ja, das", None), ("", None), ("„C“", "C")],
)
def test_a_word_that_is_said_outweighs_the_others(text, likeliest):
    weights = dict(zip("ABC", weights_of(text, "ABC"), strict=True))
    best = [word for word, weight in weights.items() if weight == max(weights.values())]
    assert best == ([likeliest] if likeliest else ["A", "B", "C"])


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_engines_that_tell_no_probabilities_are_taken_at_their_word(engine, running, provider):
    chosen = settings(provider, running[1])
    [generator] = load_generators(chosen, ModelStore(chosen.models, offline=True))
    said, other = LOOP.run_until_complete(generator.weigh(TURNS, ("Guten", "Nein"), begun="("))
    assert said > other
