"""The default model in this process: tools, forms, and what a question that was given up leaves behind."""

import asyncio
import contextlib
import json

import pytest

from archive.errors import BadRequest
from archive.settings import Settings
from server.generation import Message, Piece, Sampling, ToolCall

llama_cpp = pytest.importorskip("llama_cpp")
from server import kept_prompts  # noqa: E402 - it needs llama_cpp

pytestmark = pytest.mark.models

SEARCH = {
    "type": "function",
    "function": {
        "name": "search_archive",
        "description": "Sucht Meldungen im Archiv",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
ASKED = (Message("user", "Suche im Archiv nach TSMC in Dresden."),)
LONG = Message("user", " ".join(f"Meldung {number}: Das Werk in Dresden wird gebaut." for number in range(70)))


@pytest.fixture(scope="module")
def llama(model_store):
    from server.llamacpp import LlamaCppGenerator

    name = "qwen2.5-coder-1.5b-instruct"
    generator = LlamaCppGenerator(name, model_store.path(name), Settings())
    yield generator
    generator.close()


async def heard(llama, turns, sampling: Sampling) -> tuple[str, Piece]:
    pieces = [piece async for piece in llama.stream(turns, sampling)]
    return "".join(piece.text for piece in pieces), pieces[-1]


def say(llama, turns, sampling: Sampling) -> tuple[str, Piece]:
    return asyncio.run(heard(llama, turns, sampling))


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "search_archive"}}])
def test_a_tool_is_called(llama, choice):
    text, last = say(llama, ASKED, Sampling(60, tools=(SEARCH,), tool_choice=choice))
    [call] = last.tool_calls
    assert text == "" and last.finish_reason == "tool_calls"
    assert call.name == "search_archive" and "TSMC" in json.loads(call.arguments)["query"]


def test_no_tool_is_called_where_none_may_be(llama):
    text, last = say(llama, ASKED, Sampling(5, tools=(SEARCH,), tool_choice="none"))
    assert text and not last.tool_calls and last.finish_reason == "length"


def test_a_tools_answer_is_read(llama):
    call = ToolCall("call_1", "search_archive", '{"query": "TSMC"}')
    found = Message("tool", "Das Werk von TSMC in Dresden soll 2027 die Produktion aufnehmen.", (), "call_1")
    turns = [
        Message("user", "Wann nimmt TSMC in Dresden die Produktion auf?"),
        Message("assistant", "", (call,)),
        found,
    ]
    assert "2027" in say(llama, turns, Sampling(40, tools=(SEARCH,), tool_choice="none"))[0]


def test_an_answer_keeps_to_its_schema(llama):
    schema = {"type": "object", "properties": {"jahr": {"type": "integer"}}, "required": ["jahr"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    asked = [Message("user", "Das Werk in Dresden produziert ab 2027. In welchem Jahr?")]
    assert json.loads(say(llama, asked, Sampling(40, response_format=wanted))[0]) == {"jahr": 2027}
    assert isinstance(json.loads(say(llama, asked, Sampling(40, response_format={"type": "json_object"}))[0]), dict)


def test_a_schema_that_can_not_be_followed_is_refused(llama):
    wanted = {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/$defs/missing"}}}
    with pytest.raises(BadRequest, match="response_format"):
        say(llama, ASKED, Sampling(10, response_format=wanted))


def test_what_a_question_read_before_it_was_given_up_is_not_read_again(llama):
    async def give_up() -> Piece:
        await heard(llama, [Message("user", "Hallo")], Sampling(1))

        async def read() -> None:
            async with contextlib.aclosing(llama.stream([LONG], Sampling(5))) as pieces:
                async for _ in pieces:
                    pass

        reading = asyncio.create_task(read())
        while llama._llama.n_tokens < 500:  # two batches of 256
            await asyncio.sleep(0.02)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        return (await heard(llama, [LONG], Sampling(1)))[1]

    last = asyncio.run(give_up())
    assert 500 <= last.usage.cached_tokens < last.usage.prompt_tokens


def talk(topic: str, question: str = "Was wird gebaut?") -> list[Message]:
    """A talk whose head, of more than 100 tokens, is no other's."""
    head = " ".join(f"{topic} {number}: Das Werk in Dresden wird gebaut." for number in range(10))
    return [Message("system", head), Message("user", question)]


@pytest.mark.parametrize("way", ["stream", "weigh"])
def test_the_head_of_a_talk_is_not_read_again_where_another_came_between(llama, way):
    say(llama, talk("Meldung"), Sampling(1))
    if way == "stream":
        say(llama, talk("Nachricht"), Sampling(1))
    else:
        asyncio.run(llama.weigh(talk("Nachricht"), ("Ja", "Nein")))
    brought, last = say(llama, talk("Meldung", "Wo liegt das Werk?"), Sampling(12))
    assert 100 < last.usage.cached_tokens < last.usage.prompt_tokens

    forget(llama)
    read, last = say(llama, talk("Meldung", "Wo liegt das Werk?"), Sampling(12))
    assert last.usage.cached_tokens == 0 and brought == read


def test_a_prompt_that_is_asked_again_after_another_is_answered_the_same(llama):
    """All of it is kept, but not what the model would have said next."""
    first, _ = say(llama, talk("Meldung"), Sampling(1))
    between, _ = say(llama, talk("Nachricht", "Nenne nur die Zahl der Nachrichten."), Sampling(1))
    assert say(llama, talk("Meldung"), Sampling(1))[0] == first != between


def test_what_is_kept_is_bounded_and_the_latest_stays(llama, monkeypatch):
    def cached(topic: str) -> int:
        return say(llama, talk(topic), Sampling(1))[1].usage.cached_tokens

    forget(llama)
    say(llama, talk("Meldung"), Sampling(1))
    size = llama_cpp.llama_state_seq_get_size(llama._llama._ctx.ctx, 0)
    monkeypatch.setattr(kept_prompts, "_MOST_BYTES", size * 3 // 2)
    for topic in ("Nachricht", "Notiz"):
        assert cached(topic) < 10
        assert sum(state.data.nbytes for state in llama._kept._states) <= size * 3 // 2
    assert cached("Meldung") < 10
    assert cached("Notiz") > 100


def forget(llama) -> None:
    llama._llama.reset()
    llama._kept = kept_prompts.KeptPrompts(llama._llama)
