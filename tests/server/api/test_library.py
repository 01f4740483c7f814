"""Models, embeddings and reranking in the shapes of OpenAI, Jina and Cohere."""

import base64

import numpy as np
import pytest
from openai import BadRequestError, NotFoundError, OpenAI

RERANKER = "archivar-reranker-de"
DOCUMENTS = ["Der Wal schwamm vor Sylt.", "Andres Freund entdeckte die Hintertür in den XZ Utils.", "Der Dax fiel."]


def test_models_are_exact(client, http):
    listed = client.models.list().data
    assert [model.id for model in listed] == ["heise-archiv", "scripted"]
    assert all((model.object, model.owned_by) == ("model", "archivar") and model.created for model in listed)
    assert client.models.retrieve("scripted").id == "scripted"
    with pytest.raises(NotFoundError) as missing:
        client.models.retrieve("org/model")  # names of models have slashes
    assert missing.value.code == "model_not_found"


def test_vectors_are_the_same_in_both_encodings(client: OpenAI, http, real_embedder):
    texts = ["Die Hintertür in den XZ Utils", "Ein Kuchenrezept"]
    plain = client.embeddings.create(model=real_embedder.name, input=texts, encoding_format="float")
    usual = client.embeddings.create(model=real_embedder.name, input=texts)  # base64, which the client unpacks
    for one, other in zip(plain.data, usual.data, strict=True):
        assert one.index == other.index and np.allclose(one.embedding, other.embedding)
    packed = http.post(
        "/v1/embeddings", json={"model": real_embedder.name, "input": texts[0], "encoding_format": "base64"}
    ).json()
    vector = np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), "<f4")
    assert np.allclose(vector, real_embedder.embed_passages([texts[0]])[0], atol=1e-5)
    assert packed["usage"]["total_tokens"] == packed["usage"]["prompt_tokens"] > 0


def test_dimensions_are_the_models_own(client, real_embedder):
    made = client.embeddings.create(model=real_embedder.name, input="x", dimensions=real_embedder.dimensions)
    assert len(made.data[0].embedding) == real_embedder.dimensions
    with pytest.raises(BadRequestError) as refused:
        client.embeddings.create(model=real_embedder.name, input="x", dimensions=256)
    assert refused.value.param == "dimensions"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([1, 2, 3], "input"),
        ([[1, 2], [3]], "input"),
        ("", "input"),
        ("  ", "input"),
        ([], "input"),
        (["a", " "], "input[1]"),
        (["a", None], "input[1]"),
        (["a"] * 2049, "input"),
        (["a" * 200_000] * 21, "input"),
    ],
)
def test_inputs_that_can_not_be_embedded(http, real_embedder, given, param):
    response = http.post("/v1/embeddings", json={"model": real_embedder.name, "input": given})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


def test_tokens_are_refused_with_the_way_out(http, real_embedder):
    error = http.post("/v1/embeddings", json={"model": real_embedder.name, "input": [[1, 2]]}).json()["error"]
    assert "check_embedding_ctx_length=False" in error["message"]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_documents_are_texts_or_objects(http, path):
    asked = {"model": RERANKER, "query": "Wer entdeckte die Hintertür in den XZ Utils?"}
    plain = http.post(path, json=asked | {"documents": DOCUMENTS}).json()
    objects = [{"text": text, "id": number} for number, text in enumerate(DOCUMENTS)]
    told = http.post(path, json=asked | {"documents": objects, "return_documents": True, "top_n": 2}).json()
    assert next(result["index"] for result in plain["results"]) == 1 and len(plain["results"]) == 3
    assert "document" not in plain["results"][0]
    assert next(result["document"]["text"] for result in told["results"]) == DOCUMENTS[1] and len(told["results"]) == 2
    assert told["results"][0]["relevance_score"] == pytest.approx(plain["results"][0]["relevance_score"], abs=1e-4)
    assert plain["usage"]["total_tokens"] > 0 and plain["id"]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"documents": []}, "documents"),
        ({"documents": ["a", {"title": "b"}]}, "documents[1].text"),
        ({"documents": ["a"], "top_n": 0}, "top_n"),
        ({"documents": ["a"], "query": ""}, "query"),
        ({"documents": ["a"] * 1001}, "documents"),
    ],
)
def test_bad_documents_are_named(http, more, param):
    response = http.post("/v1/rerank", json={"model": RERANKER, "query": "q"} | more)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
