"""What engines say by their documentation and their source, where they can't be had here, and what proxies add.

Not recorded: each shape is written after what the engine's project says of it.
"""

import asyncio
import json

import pytest
from playing import TURNS, Player, chunk, data, events, heard

from archive.errors import EngineTimeout, EngineUnavailable, GenerationError
from archive.settings import Settings
from server.generation import Message, Sampling, ToolCall, Usage
from server.openai_generator import OpenAIGenerator

DONE = "data: [DONE]"
ENDS = (chunk("", "stop"), DONE)
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def refused(status: int, body: object, kind: str = "application/json") -> tuple:
    return status, kind, [(body if isinstance(body, str) else json.dumps(body)).encode()]


@pytest.mark.parametrize(
    ("engine", "answer"),
    [
        ("role-only and null (llama.cpp, SGLang)", events(chunk(None, role="assistant"), chunk("Ja"), *ENDS)),
        ("thinking beside null (SGLang)", events(chunk(reasoning_content="Hm", role=None), chunk("Ja"), *ENDS)),
        ("thinking in its own field (vLLM, Ollama)", events(chunk("", reasoning="Nein"), chunk("Ja"), *ENDS)),
        ("no space behind the colon (TGI)", events(b"data:" + data(chunk("Ja"))[6:], *ENDS)),
        ("CRLF and pings (tabbyAPI)", events(": ping - 2026-11-26", chunk("Ja"), *ENDS, end=b"\r\n\r\n")),
        ("names of events (koboldcpp)", events("event: message", chunk("Ja"), *ENDS)),
        ("one line end between events", events(chunk("Ja"), *ENDS, end=b"\n")),
        ("no [DONE] (mistral.rs of old)", events(chunk("Ja"), chunk("", "stop"))),
        ("no finish_reason", events(chunk("Ja"), DONE)),
        ("usage for an end", events(chunk("Ja"), {"choices": [], "usage": USAGE})),
        ("usage null in each chunk", events({**chunk("Ja"), "usage": None}, *ENDS)),
        ("no choices, no delta", events({"id": "1"}, {"choices": []}, {"choices": [{"index": 0}]}, chunk("Ja"), *ENDS)),
        ("parts of text", events(chunk([{"type": "text", "text": "Ja"}]), *ENDS)),
        ("a reason of its own (tabbyAPI)", events(chunk("Ja"), chunk("", "eos"), DONE)),
        ("a reason as an object (SGLang of old)", events(chunk("Ja"), chunk("", {"type": "stop", "matched": 7}), DONE)),
        ("two ends (SGLang)", events(chunk("Ja", "stop"), *ENDS)),
        ("words behind [DONE]", events(chunk("Ja"), *ENDS, chunk("Nein"))),
        ("lines that are none", events("WARNING: slow", chunk("Ja"), "<!-- proxy -->", *ENDS)),
        ("no stream at all", refused(200, {"choices": [{"message": {"content": "Ja"}, "finish_reason": "stop"}]})),
        ("thinking between tags", events(chunk("<th"), chunk("ink>\nNein\n</thi"), chunk("nk>\n\nJa"), *ENDS)),
        ("thinking in Magistral's tags", events(chunk("[THINK]Nein[/THINK]"), chunk("Ja"), *ENDS)),
    ],
)  # fmt: skip
def test_an_answer_is_heard_whole(engine, answer):
    told = heard(answer)
    assert (told.text, told.reason) == ("Ja", "stop")


def test_bytes_may_be_cut_anywhere():
    whole = b"".join(events(chunk("Grüße 😀 aus"), {**chunk(" Köln", "stop"), "usage": USAGE}, DONE)[2])
    answer = heard((200, "text/event-stream", [whole[place : place + 1] for place in range(len(whole))]))
    assert (answer.text, answer.usage) == ("Grüße 😀 aus Köln", Usage(9, 2))


def test_a_letter_in_two_halves_and_one_that_is_broken():
    halves = [
        b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n',
        b'data: {"choices":[{"delta":{"content":"\\ude00"}}]}\n',
    ]
    broken = b'data: {"choices":[{"delta":{"content":" K\xf6ln \\ud83d"}}]}\n'
    assert heard(events(*halves, broken, *ENDS)).text == "😀 K\ufffdln \ufffd"


def test_a_very_long_line_is_read_and_an_endless_one_given_up():
    assert len(heard(events(chunk("x" * 1_000_000), *ENDS)).text) == 1_000_000
    with pytest.raises(GenerationError, match="more than 8 MB"):
        heard(events(chunk("Ja"), b"data: " + b"x" * (9 * 2**20)))


def test_words_that_came_together_are_one_piece():
    together = b"".join(data(chunk(word)) for word in ("Das", " ist", " alles"))
    answer = heard(events(together, *ENDS))
    assert answer.text == "Das ist alles" and answer.pieces == 2


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (401, {"error": {"message": "Invalid API Key"}}, None, "ARCHIVAR_GENERATOR_KEY"),
        (404, {"error": {"message": "The model `qwen` does not exist."}}, None, "no model qwen"),
        (404, {"error": {"message": 'model "qwen" not found, try pulling it first'}}, None, "set ARCHIVAR_GENERATOR"),
        (404, {"detail": "Not Found"}, None, "with /v1 in ARCHIVAR_GENERATOR_URL"),
        (400, {"object": "error", "message": "the maximum context length is 4096"}, None, "CONTEXT_TOKENS"),
        (400, {"error": "Trying to keep 5000 tokens, context length 4096"}, None, "CONTEXT_TOKENS"),
        (422, {"error": "Input validation error", "error_type": "validation"}, None, "Input validation error"),
        (422, {"detail": [{"loc": ["body", "top_p"], "msg": "too high"}]}, None, "too high"),
        (500, "Internal Server Error", None, "500 Internal Server Error"),
        (500, {"message": "CUDA out of memory"}, None, "CUDA out of memory"),
        (429, {"error": "Model is overloaded", "error_type": "overloaded"}, EngineUnavailable, "overloaded"),
        (503, {"detail": {"msg": "Server is busy; please try again later."}}, EngineUnavailable, "busy"),
        (502, "<html><title>Bad Gateway</title><body>nginx</body></html>", EngineUnavailable, "502 Bad Gateway;"),
        (503, "", EngineUnavailable, "without a word"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_one_line_with_its_mend(status, body, kind, told):
    with pytest.raises(GenerationError) as caught:
        heard(refused(status, body))
    assert told in str(caught.value) and "\n" not in str(caught.value)
    assert isinstance(caught.value, EngineUnavailable) is (kind is EngineUnavailable)


@pytest.mark.parametrize(
    "failure",
    [
        'data: {"error": {"message": "out of memory", "code": 500}}', 'data: {"error": "out of memory"}',
        'data: {"object": "error", "message": "out of memory"}', 'data: {"detail": "out of memory"}',
        'event: error\ndata: {"error": {"message": "out of memory"}}', "error: out of memory",
        'data: {"error": "overloaded", "message": "out of memory"}',
    ],
)  # fmt: skip
def test_a_failure_in_the_stream_is_quoted(failure):
    with pytest.raises(GenerationError, match="out of memory"):
        heard(events(chunk("Am "), failure, *ENDS))


@pytest.mark.parametrize(
    "rubbish",
    [
        "data: {\"choices\": [{\"delta\"", 'data: "Unsinn"', "data: [1, 2]", 'data: {"choices": "none"}',
        'data: {"choices": [{"delta": {"content": 7}}]}', 'data: {"choices": [{"delta": "x"}]}', "data: <html>",
        'data: {"choices": [{"finish_reason": "abort"}]}',
    ],
)  # fmt: skip
def test_rubbish_in_the_middle_is_no_end(rubbish):
    with pytest.raises(GenerationError) as caught:
        heard(events(chunk("Am "), rubbish, *ENDS))
    assert not isinstance(caught.value, EngineUnavailable)


@pytest.mark.parametrize("reset", [True, False])
def test_what_breaks_off_says_so(reset):
    with pytest.raises(GenerationError, match="broke off in the middle"):
        heard(events(chunk("Am "), chunk("Montag")), reset=reset)
    with pytest.raises(EngineUnavailable, match="broke off before its first word"):
        heard(events(chunk(None, role="assistant")), reset=reset)


def test_an_engine_that_tells_how_its_answers_end_has_broken_one_off_where_it_does_not():
    whole, broken = events(chunk("Ja"), *ENDS), events(chunk("Am "), chunk("Mon"), DONE)  # llama-cpp-python's server
    with Player(whole, broken) as player:
        generator = OpenAIGenerator("qwen", Settings(), player.url)

        async def ask() -> str:
            return "".join([piece.text async for piece in generator.stream(TURNS, Sampling(60))])

        assert asyncio.run(ask()) == "Ja"
        with pytest.raises(GenerationError, match="broke off in the middle"):
            asyncio.run(ask())


def test_an_engine_that_is_at_an_answer_is_not_looked_at_beside_it():
    with Player(events(chunk("Ja"), *ENDS)) as player:
        generator = OpenAIGenerator("qwen", Settings(), player.url)

        async def ask() -> None:
            async for piece in generator.stream(TURNS, Sampling(60)):
                if piece.text:
                    await generator.check()

        asyncio.run(ask())
        assert len(player.asked) == 1


def test_a_page_of_something_else_is_no_answer():
    with pytest.raises(EngineUnavailable):
        heard(refused(200, "<html>Willkommen</html>", "text/html"))


@pytest.mark.parametrize("words", [[], [chunk("Am ")]])
def test_silence_is_given_up_before_and_behind_the_first_word(words):
    with pytest.raises(EngineTimeout, match="ARCHIVAR_ENGINE_TIMEOUT"):
        heard(events(*words, ": still there"), silence=0.3, pause=1.0)


def test_signs_of_life_are_patience_but_not_for_ever():
    lively = [": ping"] * 4
    assert heard(events(*lively, chunk("Ja"), *ENDS), silence=0.5, pause=0.2).text == "Ja"
    with pytest.raises(EngineTimeout):
        heard(events(*[": ping"] * 40), silence=0.1, pause=0.05)


def test_an_answer_that_is_all_thinking_is_none():
    with pytest.raises(GenerationError, match=r"wrote no answer.*ARCHIVAR_ANSWER_TOKENS"):
        heard(events(chunk("<think>Erst einmal"), chunk(" sehen", "length"), DONE))


def test_calls_arrive_whole_from_their_fragments():
    def part(index: int, **more: object) -> dict:
        return chunk(None, tool_calls=[{"index": index, **more}])

    answer = heard(
        events(
            part(0, id="a", type="function", function={"name": "find", "arguments": ""}),
            part(0, function={"arguments": '{"q":'}), part(0, function={"arguments": ' "Köln"}'}),
            part(1, id="b", function={"name": "", "arguments": {"n": 1}}), part(1, function={"name": "get"}), *ENDS,
        ),
        sampling=Sampling(9, tools=({"type": "function", "function": {"name": "find"}},)),
    )  # fmt: skip
    assert answer.calls == (ToolCall("a", "find", '{"q": "Köln"}'), ToolCall("b", "get", '{"n": 1}'))
    assert answer.reason == "tool_calls" and answer.asked[0]["tools"][0]["function"]["name"] == "find"


def test_fields_that_an_engine_does_not_know_are_left_out_from_then_on():
    refusal = refused(422, {"detail": [{"loc": ["body", "chat_template_kwargs"], "msg": "Extra inputs"}]})
    answer = heard(refusal, events(chunk("Ja"), *ENDS))
    assert answer.text == "Ja"
    assert "chat_template_kwargs" in answer.asked[0] and "chat_template_kwargs" not in answer.asked[1]


def test_a_talk_with_tools_is_passed_on():
    from server.openai_generator import _request

    call = ToolCall("a", "find", "{}")
    turns = [Message("user", "Such!"), Message("assistant", "", (call,)), Message("tool", "nichts", (), "a")]
    asked = _request(turns, Sampling(9, response_format={"type": "json_object"}))
    assert asked["messages"][1]["tool_calls"][0]["function"] == {"name": "find", "arguments": "{}"}
    assert asked["messages"][2] == {"role": "tool", "content": "nichts", "tool_call_id": "a"}
    assert asked["response_format"] == {"type": "json_object"} and "tools" not in asked and "stop" not in asked
