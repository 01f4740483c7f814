"""The server over real HTTP, with the official client: real uvicorn, archive and embedder; what is said is scripted."""

import asyncio
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from openai import APIError, AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from serving import serving

from archive.archive import Archive
from archive.articles import Article, Passage
from archive.errors import EngineTimeout, EngineUnavailable, GenerationError, SettingsError
from archive.settings import Settings
from server.app import create_app

QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"
WEBUI = {"X-OWUI-Chat-Id": "c"}  # as Open WebUI asks
ANSWER = "Andres Freund entdeckte die Hintertür in den XZ Utils [1]."


@pytest.fixture(scope="module")
def base(archive_home, swap) -> Iterator[str]:
    with serving(Settings(home=archive_home, wording="written", unsupported="mark"), swap) as address:
        yield address


def ask(client: OpenAI, question: str = QUESTION, **more):
    messages = more.pop("messages", [{"role": "user", "content": question}])
    return client.chat.completions.create(model=more.pop("model", "heise-archiv"), messages=messages, **more)


def post(http: httpx.Client, body: dict, **headers: str) -> httpx.Response:
    question = {"model": "heise-archiv", "messages": [{"role": "user", "content": QUESTION}]}
    return http.post("/v1/chat/completions", json=question | body, headers=headers)


def test_an_answer_carries_sources_timings_and_usage(client, generator):
    generator.enqueue(ANSWER)
    answer = ask(client)
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    first = answer.sources[0]
    known = {"number", "article_id", "title", "url", "published", "passage", "score"}
    assert set(first) == known | {"twins", "newest", "cited"}
    assert first["number"] == 1 and "XZ" in first["title"] and first["published"].startswith("2024-0")
    assert {"embed", "search", "fuse", "prompt", "first_token", "total"} <= set(answer.timings)
    assert answer.grounding["supported"] == 1


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_stream_says_the_same_and_ends_with_the_extras(client, generator, include_usage):
    generator.enqueue(ANSWER)
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    chunks = list(ask(client, stream=True, **options))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == ANSWER
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].sources and chunks[-1].timings
    assert len({chunk.id for chunk in chunks}) == 1
    assert (chunks[-1].usage is not None) is include_usage
    assert sum(not chunk.choices for chunk in chunks) == (1 if include_usage else 0)


def test_status_and_sources_come_before_the_text(client):
    seen = []
    for chunk in ask(client, stream=True, extra_headers=WEBUI):
        if event := getattr(chunk, "event", None):
            seen.append(event["type"])
        elif chunk.choices[0].delta.content:
            seen.append("text")
    text = seen.index("text")
    assert seen[0] == "status" and "source" in seen[:text] and "source" not in seen[text:]
    assert seen[text - 1] == "source"


def test_no_source_key_is_an_address(client):
    events = [chunk.event["data"] for chunk in ask(client, stream=True, extra_headers=WEBUI) if hasattr(chunk, "event")]
    sources = [data for data in events if "source" in data]
    assert sources and not any(data["metadata"][0]["source"].startswith("http") for data in sources)
    assert all(data["source"]["url"].startswith("http") and data["document"][0] for data in sources)


def test_async_client(base, generator):
    async def answer() -> str:
        async with AsyncOpenAI(base_url=f"{base}/v1", api_key="x") as client:
            messages = [{"role": "user", "content": QUESTION}]
            stream = await client.chat.completions.create(model="heise-archiv", messages=messages, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    generator.enqueue(ANSWER)
    assert asyncio.run(answer()) == ANSWER


def test_wrong_citations_are_put_right_on_the_way(client, generator):
    generator.enqueue("Andres Freund entdeckte die Hintertür in den XZ Utils [9].")
    assert ask(client).choices[0].message.content == ANSWER


def test_a_period_by_request_filters(client):
    answer = ask(client, extra_body={"archive": {"from": "2024-03-01", "to": "2024-04-30", "top_k": 2}})
    assert answer.archive["from"] == "2024-03-01"
    assert all("2024-03" <= source["published"][:7] <= "2024-04" for source in answer.sources)
    assert len(answer.sources) <= 2


def test_a_period_in_the_question_filters(client):
    answer = ask(client, "Was geschah im Dezember 2021 bei Log4j?")
    assert (answer.archive["from"], answer.archive["to"]) == ("2021-12-01", "2021-12-31")
    assert all(source["published"].startswith("2021-12") for source in answer.sources)


def test_now_can_be_set(client):
    answer = ask(client, "Was geschah letzte Woche bei OpenAI?", extra_body={"archive": {"now": "2023-11-22"}})
    assert (answer.archive["from"], answer.archive["to"]) == ("2023-11-13", "2023-11-19")


def test_a_period_without_articles_is_loosened_and_said(client, generator):
    answer = ask(client, extra_body={"archive": {"from": "1995-01-01", "to": "1995-12-31"}})
    assert answer.archive["loosened"] is True
    assert "1995" in generator.asked[-1][-1].content


def test_a_followup_is_searched_with_the_talk(client, generator):
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWER},
        {"role": "user", "content": "Und wodurch fiel sie ihm auf?"},
    ]
    answer = ask(client, messages=messages)
    assert answer.archive["followup"] and "XZ Utils" in answer.archive["query"]
    assert [turn.role for turn in generator.asked[-1]] == ["system", "user", "assistant", "user"]


def test_english_questions_get_the_english_prompt(client, generator):
    generator.favoured = ["Yes"]  # German articles are farther from English questions
    ask(client, "Who found the backdoor in the XZ Utils?")
    assert "Answer in English" in generator.asked[-1][0].content


def test_a_question_far_from_the_archive_costs_no_generation(client, generator):
    answer = ask(client, "asdf qwertz yxcv jklö")
    assert answer.choices[0].message.content.startswith("Dazu finde ich im Archiv nichts")
    assert not generator.asked
    assert answer.sources


def test_the_bare_generator_answers_without_the_archive(client, generator):
    generator.enqueue("Hallo [7].")
    answer = ask(client, model="scripted", temperature=0.5, seed=3, stop=["x"], max_tokens=7)
    assert answer.choices[0].message.content == "Hallo [7]."
    assert answer.sources == []
    sampling = generator.samplings[-1]
    assert (sampling.temperature, sampling.seed, sampling.stop, sampling.answer_tokens) == (0.5, 3, ("x",), 7)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {"role": "user", "content": QUESTION, "name": "ute"},
    ],
)
def test_other_shapes_of_a_message(client, message):
    system = {"role": "developer", "content": "Kurz."}
    answer = ask(client, messages=[system, message], tools=[], extra_body={"unknown": 1, "user": "x"})
    assert answer.archive["query"] == QUESTION


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
        ({"archive": {"from": "gestern"}}, "archive.from"),
        ({"archive": {"from": "2024-02-01", "to": "2024-01-01"}}, "archive.to"),
        ({"archive": {"since": "2024"}}, "archive.since"),
        ({"n": 2}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
def test_bad_values_are_named(http, body, param):
    response = post(http, body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"].startswith(param) and error["type"] == "invalid_request_error"


def test_broken_json_and_unknown_paths_have_openais_shape(http):
    broken = http.post("/v1/chat/completions", content="{", headers={"content-type": "application/json"})
    assert broken.status_code == 400 and broken.json()["error"]["message"]
    assert http.get("/v1/nothing").json()["error"]["type"] == "invalid_request_error"


def test_the_official_client_raises_its_own_errors(client):
    with pytest.raises(NotFoundError) as missing:
        ask(client, model="gpt-4o")
    assert missing.value.code == "model_not_found" and "heise-archiv" in str(missing.value)
    with pytest.raises(BadRequestError):
        ask(client, temperature=9)


@pytest.mark.parametrize(
    ("error", "status"),
    [(EngineUnavailable("weg"), 503), (EngineTimeout("still"), 504), (GenerationError("kaputt"), 502)],
)
def test_engine_errors_have_their_status(http, generator, error, status):
    generator.enqueue(error)
    response = post(http, {})
    assert response.status_code == status
    assert response.json()["error"]["message"] == str(error)


def test_an_error_in_the_middle_ends_the_stream_readably(http, client, generator):
    generator.enqueue(GenerationError("Engine weg"), GenerationError("Engine weg"))
    lines = [line for line in post(http, {"stream": True}).text.split("\n") if line]
    assert lines[-1] == "data: [DONE]"
    assert json.loads(lines[-2].removeprefix("data: "))["error"]["message"] == "Engine weg"
    with pytest.raises(APIError, match="Engine weg"):
        list(ask(client, stream=True))


def wait_for(condition, seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_closing_a_stream_frees_the_engine(client, generator):
    generator.pause = 0.05
    generator.enqueue(" ".join([ANSWER] * 200))
    stream = ask(client, stream=True)
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    stream.close()
    assert wait_for(lambda: generator.closed == 1)


def test_giving_up_a_whole_answer_frees_the_engine(base, generator):
    generator.pause = 0.05
    generator.enqueue(" ".join([ANSWER] * 200))
    body = {"model": "heise-archiv", "messages": [{"role": "user", "content": QUESTION}]}
    with httpx.Client(base_url=base) as http, pytest.raises(httpx.ReadTimeout):
        http.post("/v1/chat/completions", json=body, timeout=6)
    assert wait_for(lambda: generator.closed == 1)


def test_tasks_are_told_by_header_and_cost_no_generation(http, generator):
    chat = {"X-OWUI-Chat-Id": "c1"}
    post(http, {}, **chat)
    asked = len(generator.asked)
    body = {"messages": [{"role": "user", "content": f"### Task:\n<chat_history>\nUSER: {QUESTION}\n</chat_history>"}]}
    title = post(http, body, **chat, **{"X-OWUI-Task": "title_generation"}).json()
    assert json.loads(title["choices"][0]["message"]["content"])["title"] == QUESTION.rstrip("?")
    later = post(http, body, **chat, **{"X-OWUI-Task": "follow_up_generation"}).json()
    follow_ups = json.loads(later["choices"][0]["message"]["content"])["follow_ups"]
    assert follow_ups and len(generator.asked) == asked
    post(http, body, **chat, **{"X-OWUI-Task": ""})
    assert len(generator.asked) == asked + 1


def test_models(client):
    assert [model.id for model in client.models.list()] == ["heise-archiv", "scripted"]
    assert client.models.retrieve("heise-archiv").id == "heise-archiv"
    with pytest.raises(NotFoundError):
        client.models.retrieve("gpt-4o")


def test_search_tells_scores_times_and_what_it_understood(http):
    found = http.post("/v1/search", json={"query": "Was geschah im Dezember 2021 bei Log4j?", "top_k": 3}).json()
    assert len(found["data"]) == 3 and found["from"] == "2021-12-01"
    assert {"fused", "dense"} <= set(found["data"][0]["scores"])
    other = http.post("/v1/search", json={"query": "Log4j", "from": "2024-01-01"}).json()
    assert all(hit["published"] >= "2024" for hit in other["data"])
    assert http.post("/v1/search", json={"query": ""}).status_code == 400
    assert "rerank" in other["timings"]
    plain = http.post("/v1/search", json={"query": "Log4j", "rerank": False}).json()
    assert plain["data"] and "rerank" not in plain["timings"]


def test_articles_as_json_and_as_page(http):
    hit = http.post("/v1/search", json={"query": QUESTION}).json()["data"][0]
    article = http.get(f"/v1/articles/{hit['article_id']}").json()
    assert article["title"] == hit["title"] and len(article["text"]) > 300
    page = http.get(httpx.URL(article["url"]).path)
    assert page.status_code == 200 and article["title"] in page.text and "Beispielartikel" in page.text
    assert "script" not in page.headers["content-security-policy"] and "<script" not in page.text
    assert http.get("/v1/articles/nicht-da").status_code == 404
    assert http.get("/articles/nicht-da").status_code == 404


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings(client, real_embedder, encoding):
    texts = ["Die Hintertür in den XZ Utils", "Ein Kuchenrezept"]
    data = client.embeddings.create(model=real_embedder.name, input=texts, encoding_format=encoding).data
    vectors = [entry.embedding for entry in data]
    if encoding == "base64":
        import base64

        import numpy as np

        vectors = [np.frombuffer(base64.b64decode(vector), np.float32).tolist() for vector in vectors]
    assert [len(vector) for vector in vectors] == [real_embedder.dimensions] * 2
    assert sum(value * value for value in vectors[0]) == pytest.approx(1.0, abs=1e-3)
    with pytest.raises(NotFoundError):
        client.embeddings.create(model="text-embedding-3-small", input="x")


def test_documents_are_reranked(http):
    asked = {"model": "archivar-reranker-de", "query": "Wer entdeckte die Hintertür in den XZ Utils?", "top_n": 2}
    documents = ["Der Wal schwamm vor Sylt.", "Andres Freund entdeckte die Hintertür in den XZ Utils.", "Der Dax fiel."]
    results = http.post("/v1/rerank", json=asked | {"documents": documents}).json()["results"]
    assert [len(results), results[0]["index"]] == [2, 1]
    assert 1 >= results[0]["relevance_score"] > results[1]["relevance_score"] >= 0


def test_another_reranker_is_a_404_that_names_ours(http):
    response = http.post("/v1/rerank", json={"model": "x", "query": "q", "documents": ["d"]})
    assert response.status_code == 404 and "archivar-reranker-de does" in response.json()["error"]["message"]


def test_health_and_metrics(http):
    assert http.get("/health/live").status_code == 200
    ready = http.get("/health/ready").json()
    assert ready["status"] == "ready" and ready["articles"] >= 120
    post(http, {})
    metrics = http.get("/metrics").text
    assert 'archivar_requests_total{route="/v1/chat/completions",status="200"}' in metrics
    assert "archivar_stage_seconds" in metrics


class NoEmbedder:
    """For archives that are only looked at."""

    name = "multilingual-e5-small-q4"


def test_an_empty_archive_is_not_ready_and_answers_honestly(tmp_path, scripted):
    with serving(Settings(home=tmp_path / "empty"), scripted) as address, httpx.Client(base_url=address) as http:
        ready = http.get("/health/ready")
        assert ready.status_code == 503 and "archivar ingest" in ready.json()["missing"][0]
        answer = post(http, {}).json()
        assert answer["choices"][0]["message"]["content"] == "Dazu finde ich im Archiv nichts."
    assert [turn[-1].content for turn in scripted.asked] in ([], ["Frage:"])  # the warm-up at most


def test_an_article_page_shows_markup_as_text_and_links_to_the_web_only(tmp_path, scripted):
    settings = Settings(home=tmp_path / "home")
    archive = Archive.open(settings, NoEmbedder())
    bad = Article(
        id="b", title="<script>alert(1)</script>", text="<img src=x>", url="javascript:alert(1)", source="z.de"
    )
    archive.ledger.store([(bad, [Passage("b#0", "b", 0, bad.text, bad.title)])])
    archive.close()
    with serving(settings, scripted) as address:
        page = httpx.get(f"{address}/articles/b").text
    assert "<script>" not in page and "&lt;script&gt;" in page and "<img" not in page
    assert "javascript:" not in page


def test_an_article_tells_its_versions_and_one_that_was_withdrawn_is_shown_no_more(tmp_path, scripted):
    settings = Settings(home=tmp_path / "home")
    archive = Archive.open(settings, NoEmbedder())
    for text in ("Die erste Fassung.", "Die zweite Fassung."):
        one = Article(id="b", title="Ein Artikel", text=text, source="z.de", paid=True)
        archive.ledger.store([(one, [Passage("b#0", "b", 0, text, one.title)])])
    with serving(settings, scripted) as address:
        told = httpx.get(f"{address}/v1/articles/b").json()
        assert (told["version"], told["text"], told["paid"]) == (2, "Die zweite Fassung.", True)
        assert told["updated"] >= told["added"]
        assert "Bezahlartikel" in httpx.get(f"{address}/articles/b").text
        archive.ledger.withdraw("b")
        for path in ("/v1/articles/b", "/articles/b"):
            gone = httpx.get(f"{address}{path}")
            assert (gone.status_code, gone.json()["error"]["code"]) == (410, "article_withdrawn")
            assert "Fassung" not in gone.text
    archive.close()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"context_tokens": 600, "answer_tokens": 400}, "ARCHIVAR_ANSWER_TOKENS"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(fields, complaint):
    with pytest.raises(SettingsError, match=complaint):
        create_app(Settings(**fields))
