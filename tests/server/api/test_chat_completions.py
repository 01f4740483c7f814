"""Chat completions as OpenAI's reference has them, over real HTTP with the official client."""

import json

import httpx
import pytest
from openai import BadRequestError

from archive.errors import GenerationError
from server.generation import ToolCall

QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"
TOOL = {"type": "function", "function": {"name": "wetter", "description": "Wetter", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True}}


def ask(client, question=QUESTION, model="heise-archiv", **more):
    messages = more.pop("messages", [{"role": "user", "content": question}])
    return client.chat.completions.create(model=model, messages=messages, **more)


def post(http: httpx.Client, body: dict, **headers: str) -> httpx.Response:
    asked = {"model": "heise-archiv", "messages": [{"role": "user", "content": QUESTION}]}
    return http.post("/v1/chat/completions", json=asked | body, headers=headers)


def test_an_answer_has_what_clients_expect(client):
    answer = ask(client)
    assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl-")
    assert answer.system_fingerprint.startswith("fp_") and answer.service_tier == "default"
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert answer.usage.completion_tokens_details.reasoning_tokens == 0
    assert answer.choices[0].message.refusal is None and answer.choices[0].logprobs is None
    assert ask(client, "Was ist Log4j?").system_fingerprint == answer.system_fingerprint


def test_citations_are_openais_too(client):
    answer = ask(client)
    message = answer.choices[0].message
    cited = message.annotations[0].url_citation
    assert message.content[cited.start_index : cited.end_index] == "[1]"
    assert (cited.url, cited.title) == (answer.sources[0]["url"], answer.sources[0]["title"])
    last = [chunk for chunk in ask(client, stream=True) if chunk.choices][-1]
    assert last.choices[0].delta.annotations == [annotation.model_dump() for annotation in message.annotations]


def test_usage_is_null_in_all_chunks_but_the_last(http):
    lines = post(http, {"stream": True, "stream_options": {"include_usage": True}}).text.split("\n\n")
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    assert all("usage" in chunk and chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("headers", "are_sent"),
    [
        ({}, False),
        ({"X-OWUI-Chat-Id": "c"}, True),
        ({"X-OpenWebUI-User-Id": "u"}, True),
        ({"User-Agent": "Python/3.11 aiohttp/3.14.5"}, True),
        ({"User-Agent": "Python/3.11 aiohttp/3.14.5", "X-Archivar-Events": "false"}, False),
        ({"X-Archivar-Events": "true"}, True),
    ],
)
def test_only_open_webui_is_sent_its_events(http, headers, are_sent):
    text = post(http, {"stream": True}, **headers).text
    assert ('"event"' in text) is are_sent
    assert ('"annotations"' in text) is not are_sent
    assert '"sources"' in text and text.endswith("data: [DONE]\n\n")


def test_sampling_reaches_the_bare_model(client, generator):
    ask(client, model="scripted", temperature=0.4, top_p=0.5, seed=-1, stop=["a", "b"], max_completion_tokens=9)
    sampling = generator.samplings[-1]
    assert (sampling.temperature, sampling.top_p, sampling.stop, sampling.answer_tokens) == (0.4, 0.5, ("a", "b"), 9)
    assert sampling.seed == 2**31 - 1  # no engine takes a negative one
    ask(client, model="scripted", presence_penalty=1.5, frequency_penalty=-1)
    assert (generator.samplings[-1].presence_penalty, generator.samplings[-1].frequency_penalty) == (1.5, -1.0)
    ask(client, model="scripted", top_p=0, temperature=1)
    assert (generator.samplings[-1].temperature, generator.samplings[-1].top_p) == (0.0, 1.0)


def test_the_archives_answer_minds_stop_and_length(client):
    whole = ask(client).choices[0].message.content
    stopped = ask(client, stop="Entwickler").choices[0]
    assert stopped.message.content == whole[: whole.index("Entwickler")] and stopped.finish_reason == "stop"
    short = ask(client, max_tokens=10).choices[0]
    assert short.finish_reason == "length"
    assert whole.startswith(short.message.content) and 0 < len(short.message.content) < 50
    streamed = ask(client, stop=["Entwickler"], stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices)
    assert text == stopped.message.content


def test_the_archive_answers_as_a_json_object(client, generator):
    answer = ask(client, response_format={"type": "json_object"}, tools=[TOOL])
    told = json.loads(answer.choices[0].message.content)
    assert told["answer"] == ask(client).choices[0].message.content
    assert [source["number"] for source in told["sources"]] == [source["number"] for source in answer.sources]
    with pytest.raises(BadRequestError) as refused:
        ask(client, response_format=SCHEMA)
    assert refused.value.param == "response_format"


def test_tools_of_a_client_mean_nothing_to_the_archive(client, generator):
    answer = ask(client, tools=[TOOL] * 36, tool_choice="auto")
    assert answer.choices[0].message.content and answer.choices[0].message.tool_calls is None


def test_tools_and_formats_reach_the_bare_model(client, generator):
    ask(client, model="scripted", tools=[TOOL], tool_choice="required", response_format=SCHEMA)
    sampling = generator.samplings[-1]
    assert (list(sampling.tools), sampling.tool_choice, sampling.response_format) == ([TOOL], "required", SCHEMA)
    ask(client, model="scripted", response_format={"type": "text"})
    assert generator.samplings[-1].response_format is None


def test_calls_of_tools_go_there_and_back(client, generator):
    generator.calls = (ToolCall("call_1", "wetter", '{"ort": "Kiel"}'), ToolCall("call_2", "wetter", "{}"))
    asked = ask(client, "Wie wird es?", model="scripted", tools=[TOOL])
    message = asked.choices[0].message
    assert asked.choices[0].finish_reason == "tool_calls" and message.content is None
    assert [call.function.arguments for call in message.tool_calls] == ['{"ort": "Kiel"}', "{}"]
    chunks = list(ask(client, "Wie wird es?", model="scripted", tools=[TOOL], stream=True))
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [(call.index, call.id, call.function.name) for call in calls] == [
        (0, "call_1", "wetter"), (1, "call_2", "wetter"),
    ]  # fmt: skip
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    generator.calls = ()
    talk = [
        {"role": "user", "content": "Wie wird es?"},
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": "call_1", "content": "Regen"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "Wind"}]},
    ]
    ask(client, messages=talk, model="scripted", tools=[TOOL])
    said = generator.asked[-1]
    assert [turn.role for turn in said] == ["user", "assistant", "tool", "tool"]
    assert [call.id for call in said[1].tool_calls] == ["call_1", "call_2"]
    assert [(turn.tool_call_id, turn.content) for turn in said[2:]] == [("call_1", "Regen"), ("call_2", "Wind")]


def test_half_a_character_from_an_engine_breaks_no_answer(client, generator):
    generator.enqueue("Gut \ud83d", "Gut \ud83d")
    assert ask(client, model="scripted").choices[0].message.content.startswith("Gut ")
    chunks = list(ask(client, model="scripted", stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_an_error_in_the_middle_has_openais_shape(http, generator):
    generator.enqueue(GenerationError("Engine weg"))
    lines = post(http, {"model": "scripted", "stream": True}).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    error = json.loads(lines[-2].removeprefix("data: "))["error"]
    assert (error["message"], error["type"]) == ("Engine weg", "server_error")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"temperature": "heiß"}, "temperature", "invalid_type"),
        ({"temperature": "0.5"}, "temperature", "invalid_type"),
        ({"top_p": 1.5}, "top_p", "invalid_value"),
        ({"n": 2}, "n", "invalid_value"),
        ({"n": True}, "n", "invalid_type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "invalid_value"),
        ({"stop": [""]}, "stop[0]", "invalid_value"),
        ({"logprobs": True}, "logprobs", "invalid_value"),
        ({"logit_bias": {"50256": -100}}, "logit_bias", "invalid_value"),
        ({"presence_penalty": 3}, "presence_penalty", "invalid_value"),
        ({"modalities": ["audio"]}, "modalities[0]", "invalid_value"),
        ({"seed": 1.5}, "seed", "invalid_type"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
        ({"tool_choice": "required"}, "tool_choice", None),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice", None),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
        ({"functions": [{"name": "f"}]}, "functions", "invalid_value"),
        ({"response_format": {"type": "xml"}}, "response_format", "invalid_value"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0]", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0]",
            "invalid_value",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "missing_required_parameter"),
        ({"messages": "Hallo"}, "messages", "invalid_type"),
        ({"model": None}, "model", "invalid_type"),
        ({"archive": {"from": 7}}, "archive.from", "invalid_type"),
        ({"archive": {"from": "2024-02-30"}}, "archive.from", "invalid_type"),
        ({"archive": {"since": "2024-02-01"}}, "archive.since", "unknown_parameter"),
    ],
)
def test_a_bad_value_is_named(http, body, param, code):
    response = post(http, body)
    error = response.json()["error"]
    assert (response.status_code, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error" and error["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"max_tokens": 10**30, "seed": -(10**30), "max_completion_tokens": 5.0},
        {"archive": {"from": "0001-01-01", "to": "9999-12-31", "now": "0001-01-01"}},
        {"archive": {"now": "9999-12-31"}, "messages": [{"role": "user", "content": "Was war letzte Woche?"}]},
        {"messages": [{"role": "user", "content": "\x00 Was ist Log4j?\x00 \ufffe"}]},
        {"messages": [{"role": "assistant", "content": None}, {"role": "user", "content": QUESTION}]},
        {"user": "u", "metadata": {"a": "b"}, "store": True, "service_tier": "auto", "reasoning_effort": "low"},
        {"stop": None, "stream": None, "tools": None, "logit_bias": {}, "logprobs": False, "modalities": ["text"]},
    ],
)
def test_what_is_odd_but_can_be_meant_is_answered(http, body):
    response = post(http, body)
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"]
