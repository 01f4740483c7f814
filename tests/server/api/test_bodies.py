"""What is no request at all is refused in OpenAI's shape, whatever it is."""

import httpx
import pytest
from pydantic import ValidationError

from server.wire.chat_request import ChatRequest
from server.wire.library import EmbeddingsRequest, RerankRequest
from server.wire.responses_request import ResponsesRequest

CHAT = "/v1/chat/completions"
JSON = {"Content-Type": "application/json"}


def refused(response: httpx.Response, status: int) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"} and error["type"] == "invalid_request_error"
    return error


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe{}",
        b'{"model": "\xe4"}',
        b'{"model": NaN}',
        b'{"model": -Infinity}',
        b'{"model": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"n": ' + b"9" * 10_000 + b"}",
        b'{"model": 1,}',
    ],
)
def test_what_is_no_json(http, content):
    assert "no JSON" in refused(http.post(CHAT, content=content, headers=JSON), 400)["message"]


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"7", b'"text"'])
def test_json_that_is_no_object(http, content):
    refused(http.post(CHAT, content=content, headers=JSON), 400)


def test_of_doubled_keys_the_last_counts(http):
    content = b'{"model": "heise-archiv", "model": "nichts", "messages": [{"role": "user", "content": "x"}]}'
    assert "nichts" in refused(http.post(CHAT, content=content, headers=JSON), 404)["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_other_content_types(http, kind):
    headers = {"Content-Type": kind} if kind else {}
    error = refused(http.post(CHAT, content=b'{"model": "heise-archiv"}', headers=headers), 415)
    assert "application/json" in error["message"]


def test_json_by_its_other_names(http):
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"):
        answer = http.post("/v1/search", content=b'{"query": "Log4j"}', headers={"Content-Type": kind})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1/chat", "/%00", "/v1/models/%2e%2e", "/v1/models/a/b"])
def test_unknown_paths(http, path):
    refused(http.get(path), 404)


@pytest.mark.parametrize(
    "path", ["/v1/articles/%00", "/v1/articles/%ff%fe", "/v1/articles/" + "x" * 5000, "/articles/%00"]
)
def test_articles_that_can_not_be(http, path):
    assert refused(http.get(path), 404)["code"] == "article_not_found"


@pytest.mark.parametrize(("method", "path"), [("GET", CHAT), ("DELETE", "/v1/models"), ("PATCH", "/v1/embeddings")])
def test_other_methods(http, method, path):
    response = http.request(method, path)
    refused(response, 405)
    assert response.headers["allow"]


@pytest.mark.parametrize(
    "query", ["\x00", "Log4j\x00", "\ufffe\uffff", "\u202e", '"', '"\x00"', "-\x00", "(" * 500, "a" * 10_000]
)
def test_odd_words_are_searched_for(http, query):
    assert http.post("/v1/search", json={"query": query}).status_code == 200


def test_half_a_character_is_refused_everywhere(http):
    for path, body in (
        ("/v1/search", b'{"query": "\\udc00"}'),
        ("/v1/embeddings", b'{"model": "m", "input": "\\ud800x"}'),
        ("/v1/responses", b'{"model": "heise-archiv", "input": "\\ud83d"}'),
        ("/web/search", b'{"query": "\\ud83d"}'),
        ("/tools/search_archive", b'{"query": "\\ud83d"}'),
    ):
        refused(http.post(path, content=body, headers=JSON), 400)


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (ChatRequest, {"model": "m", "messages": [{"role": "user", "content": [1] * 1000}] * 1000}),
        (ChatRequest, {"model": "m", "messages": [1] * 100_000, "tools": [1] * 100_000, "stop": [1] * 100_000}),
        (ResponsesRequest, {"model": "m", "input": [1] * 100_000, "metadata": {str(n): n for n in range(100_000)}}),
        (EmbeddingsRequest, {"model": "m", "input": ["a"] + [1] * 100_000}),
        (RerankRequest, {"model": "m", "query": "q", "documents": [1] * 100_000}),
    ],
)
def test_the_first_of_many_errors_is_enough(shape, body):
    with pytest.raises(ValidationError) as refused:
        shape.model_validate(body)
    assert refused.value.error_count() < 10
