"""The Responses API with the official client, and as Open WebUI asks and reads it."""

import json

import httpx
import pytest
from openai import APIError, BadRequestError, NotFoundError

from archive.errors import GenerationError
from server.generation import ToolCall

QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"
TOOL = {
    "type": "function",
    "name": "wetter",
    "description": "Wetter",
    "parameters": {"type": "object"},
    "strict": False,
}


def ask(client, given=QUESTION, model="heise-archiv", **more):
    return client.responses.create(model=model, input=given, **more)


def test_an_answer_with_citations_and_our_keys(client):
    answer = ask(client, metadata={"a": "b"}, instructions="Kurz.")
    assert (answer.status, answer.object, answer.store) == ("completed", "response", False)
    assert (answer.metadata, answer.instructions) == ({"a": "b"}, "Kurz.")
    part = answer.output[0].content[0]
    assert answer.output_text == part.text and "[1]" in part.text
    cited = part.annotations[0]
    assert cited.type == "url_citation" and part.text[cited.start_index : cited.end_index] == "[1]"
    assert cited.url == answer.sources[0]["url"] and answer.timings
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


def test_a_stream_tells_the_same_in_order(client):
    events = list(ask(client, stream=True))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
    ]  # fmt: skip
    assert kinds[-5:] == [
        "response.output_text.annotation.added", "response.output_text.done", "response.content_part.done",
        "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    final = events[-1].response
    assert final.output_text == text == ask(client).output_text
    assert final.output[0].content[0].annotations and final.sources


def test_the_clients_own_stream_helper_takes_it(client):
    with client.responses.stream(model="heise-archiv", input=QUESTION) as stream:
        for _ in stream:
            pass
        assert "[1]" in stream.get_final_response().output_text


def test_open_webui_gets_its_events_in_place_of_citations(http):
    asked = {
        "stream": True, "model": "heise-archiv",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Was ist Log4j?"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Eine Lücke [1]."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        ],
    }  # fmt: skip
    text = http.post("/v1/responses", json=asked, headers={"X-OWUI-Chat-Id": "c"}).text
    told = [json.loads(line.partition("data: ")[2]) for line in text.strip().split("\n\n")]
    assert next(event["event"]["type"] for event in told if "event" in event) == "status"
    assert any(event["event"]["type"] == "source" for event in told if "event" in event)
    assert all(event["type"].startswith("response.") for event in told)
    assert not told[-1]["response"]["output"][0]["content"][0]["annotations"]
    assert told[-1]["response"]["archive"]["query"]


def test_a_length_ends_it_incomplete(client):
    answer = ask(client, max_output_tokens=10)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert [*ask(client, max_output_tokens=10, stream=True)][-1].type == "response.incomplete"


def test_tools_go_there_and_back(client, generator):
    generator.calls = (ToolCall("call_1", "wetter", '{"ort": "Kiel"}'), ToolCall("call_2", "wetter", "{}"))
    answer = ask(
        client, "Wie wird es?", model="scripted", tools=[TOOL], tool_choice={"type": "function", "name": "wetter"}
    )
    assert [(call.type, call.call_id, call.arguments) for call in answer.output] == [
        ("function_call", "call_1", '{"ort": "Kiel"}'), ("function_call", "call_2", "{}"),
    ]  # fmt: skip
    sampling = generator.samplings[-1]
    assert sampling.tools[0]["function"]["name"] == "wetter"
    assert sampling.tool_choice == {"type": "function", "function": {"name": "wetter"}}
    done = [event for event in ask(client, "Wie?", model="scripted", tools=[TOOL], stream=True)][-1]
    assert [call.call_id for call in done.response.output] == ["call_1", "call_2"]
    generator.calls = ()
    talk = [
        {"role": "user", "content": "Wie wird es?"},
        *[call.model_dump(exclude_none=True) for call in answer.output],
        {"type": "function_call_output", "call_id": "call_1", "output": "Regen"},
        {"type": "function_call_output", "call_id": "call_2", "output": "Wind"},
    ]
    ask(client, talk, model="scripted", tools=[TOOL])
    said = generator.asked[-1]
    assert [turn.role for turn in said] == ["user", "assistant", "tool", "tool"]
    assert [call.id for call in said[1].tool_calls] == ["call_1", "call_2"]


def test_a_schema_reaches_the_bare_model(client, generator):
    form = {"type": "json_schema", "name": "s", "schema": {"type": "object"}, "strict": True}
    ask(client, model="scripted", text={"format": form}, instructions="Kurz.")
    told = generator.samplings[-1].response_format
    assert told == {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True}}
    assert [turn.role for turn in generator.asked[-1]] == ["system", "user"]


def test_an_error_in_the_middle_is_told(client, http, generator):
    generator.enqueue(GenerationError("Engine weg"), GenerationError("Engine weg"))
    with pytest.raises(APIError, match="Engine weg"):
        list(ask(client, model="scripted", stream=True))
    text = http.post("/v1/responses", json={"model": "scripted", "input": "x", "stream": True}).text
    last = json.loads(text.strip().split("\n\n")[-1].partition("data: ")[2])
    assert last["type"] == "response.failed" and last["response"]["error"]["message"] == "Engine weg"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"input": []}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "assistant", "content": "x"}]}, "input"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"text": {"format": {"type": "json_schema", "name": "s"}}}, "text.format.schema"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"tool_choice": "required"}, "tool_choice"),
    ],
)
def test_bad_values_are_named(http: httpx.Client, body, param):
    response = http.post("/v1/responses", json={"model": "heise-archiv", "input": QUESTION} | body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param), response.text


def test_nothing_is_kept(client):
    with pytest.raises(BadRequestError):
        ask(client, previous_response_id="resp_1")
    with pytest.raises(NotFoundError):
        client.responses.retrieve("resp_1")
