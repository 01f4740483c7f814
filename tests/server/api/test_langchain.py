"""The API with langchain-openai, as programs use it."""

import asyncio
import json

import numpy as np
import pytest
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import BadRequestError
from pydantic import BaseModel

from server.generation import ToolCall

QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"


class Person(BaseModel):
    """A person."""

    name: str


def wetter(ort: str) -> str:
    """Das Wetter an einem Ort."""
    return f"Regen in {ort}"


def chat(base: str, model: str = "heise-archiv", **more) -> ChatOpenAI:
    return ChatOpenAI(base_url=f"{base}/v1", api_key="x", model=model, max_retries=0, **more)


def test_the_archive_answers_whole_and_as_a_stream(base, generator):
    model = chat(base, temperature=0, stream_usage=True)
    answer = model.invoke(QUESTION)
    assert "[1]" in answer.content and answer.usage_metadata["total_tokens"] > 0
    chunks = list(model.stream(QUESTION))
    assert "".join(chunk.text for chunk in chunks) == answer.content
    assert any(chunk.usage_metadata for chunk in chunks)

    async def streamed() -> str:
        return "".join([chunk.text async for chunk in model.astream(QUESTION)])

    assert asyncio.run(streamed()) == answer.content


def test_the_archive_by_the_responses_api(base, generator):
    answer = chat(base, use_responses_api=True).invoke(QUESTION)
    assert "[1]" in answer.text
    assert answer.content[0]["annotations"][0]["type"] in ("url_citation", "citation")
    assert "[1]" in "".join(chunk.text for chunk in chat(base, use_responses_api=True).stream(QUESTION))


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output_of_the_bare_model(base, generator, method):
    if method == "function_calling":
        generator.calls = (ToolCall("call_1", "Person", '{"name": "Freund"}'),)
    else:
        generator.enqueue('{"name": "Freund"}')
    model = chat(base, "scripted").with_structured_output(Person, method=method)
    assert model.invoke("Wer war es? Antworte als JSON.") == Person(name="Freund")
    sampling = generator.samplings[-1]
    if method == "function_calling":
        assert sampling.tools[0]["function"]["name"] == "Person" and sampling.tool_choice
    else:
        assert sampling.response_format["type"] == ("json_schema" if method == "json_schema" else "json_object")


def test_a_schema_of_ones_own_is_not_the_archives(base, generator):
    with pytest.raises(BadRequestError, match="bare model"):
        chat(base).with_structured_output(Person, method="json_schema").invoke(QUESTION)
    told = chat(base).bind(response_format={"type": "json_object"}).invoke(QUESTION)
    assert set(json.loads(told.content)) == {"answer", "sources"}


def test_tools_bound_to_the_bare_model(base, generator):
    generator.calls = (ToolCall("call_1", "wetter", '{"ort": "Kiel"}'),)
    model = chat(base, "scripted").bind_tools([wetter])
    asked = model.invoke("Wie wird es in Kiel?")
    assert asked.tool_calls[0]["args"] == {"ort": "Kiel"}
    streamed = None
    for chunk in model.stream("Wie wird es in Kiel?"):
        streamed = chunk if streamed is None else streamed + chunk
    assert streamed.tool_calls[0]["args"] == {"ort": "Kiel"}
    generator.calls = ()
    generator.enqueue("Es regnet.")
    talk = [("human", "Wie wird es?"), asked, {"role": "tool", "tool_call_id": "call_1", "content": wetter("Kiel")}]
    assert model.invoke(talk).content == "Es regnet."
    assert generator.asked[-1][-1].content == "Regen in Kiel"


def test_embeddings(base, generator, real_embedder):
    embeddings = OpenAIEmbeddings(
        base_url=f"{base}/v1", api_key="x", model=real_embedder.name, check_embedding_ctx_length=False
    )
    made = embeddings.embed_documents(["Die Hintertür in den XZ Utils", "Ein Kuchenrezept"])
    assert np.allclose(
        made, real_embedder.embed_passages(["Die Hintertür in den XZ Utils", "Ein Kuchenrezept"]), atol=1e-5
    )
