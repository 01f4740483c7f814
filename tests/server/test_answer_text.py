"""What of a model's words is its answer, however they are cut into pieces."""

import pytest

from server.answer_text import AnswerText

CALL = '<tool_call>\n{"name": "find", "arguments": {"q": "Köln"}}\n</tool_call>'


def shown(text: str, size: int, *tools: str, **more: bool) -> tuple[str, AnswerText]:
    answer = AnswerText(tools, **more)
    pieces = [answer.feed(text[place : place + size]) for place in range(0, len(text), size)]
    return "".join(pieces) + answer.finish(), answer


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ja [1].", "Ja [1]."), ("<think>Nein</think>Ja", "Ja"), ("<think>\nNein\n</think>\n\nJa", "Ja"),
        ("<think></think>\n\nJa <b>", "Ja <b>"), ("Erst <think>nein</think>dann", "Erst dann"),
        ("<think>a</think><think>b</think>Ja", "Ja"), ("[THINK]Nein[/THINK]Ja [T", "Ja [T"),
        ("a < b und <thi", "a < b und <thi"), ("<thinking>Nein</thinking> Ja", "Ja"), ("<think>Nein", ""),
        (f"Vorher {CALL}", f"Vorher {CALL}"), ('{"a": 1}', '{"a": 1}'),
    ],
)  # fmt: skip
def test_thinking_is_no_answer(text, expected, size):
    assert shown(text, size)[0] == expected


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (CALL, ""), (f"Ich suche.\n{CALL}", "Ich suche.\n"), (CALL.removesuffix("</tool_call>"), ""),
        ('{"name": "find", "arguments": {"q": "Köln"}}', ""),
        ('```json\n{"name": "find", "arguments": {"q": "Köln"}}\n```', ""),
        (f"<think>Was tun?</think>\n{CALL}", ""),
    ],
)  # fmt: skip
def test_calls_are_taken_out_of_the_answer(text, rest, size):
    said, answer = shown(text, size, "find")
    [call] = answer.calls
    assert said == rest and (call.name, call.values) == ("find", {"q": "Köln"}) and call.id.startswith("call_")


@pytest.mark.parametrize(
    "text", ['{"name": "other", "arguments": {}}', '{"farbe": "rot"}', "```python\nprint(1)\n```", "```", "{"]
)
def test_what_only_looks_like_a_call_is_the_answer(text):
    said, answer = shown(text, 3, "find")
    assert said == text and not answer.calls and answer.has_answered


def test_several_calls_each_have_an_id():
    calls = shown(CALL + CALL, 4, "find")[1].calls
    assert len(calls) == 2 and calls[0].id != calls[1].id


def test_rubbish_between_the_tags_is_no_call():
    assert shown("<tool_call>such mal</tool_call>", 4, "find")[1].calls == []


def test_an_end_of_thinking_without_its_beginning_is_noticed():
    assert shown("Erst einmal nachdenken.\n</think>\n\nJa", 5)[1].ended_late


@pytest.mark.parametrize(("text", "expected"), [("Nein, oder?</think>\n\nJa", "Ja"), ("Gleich: Ja", "Gleich: Ja")])
def test_a_model_that_thinks_at_once_is_waited_for(text, expected):
    said, answer = shown(text, 3, thinks_at_once=True)
    assert said == expected and not answer.ended_late
