"""The two tools: what a model gets to read, and the OpenAPI tool server as Open WebUI asks it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import httpx
import pytest
from newspaper import BRIDGE, SECRET
from pydantic import ValidationError
from serving import serving

from archive.articles import Period
from archive.errors import NotFound, Withdrawn
from archive.settings import Settings
from server.library import Library, find, open_library, search
from server.tool_shapes import ArticleArguments, SearchArguments, complaint
from server.tools import get_article, search_archive


@pytest.fixture(scope="module")
def library(newspaper, model_store) -> Iterator[Library]:
    library = open_library(Settings(home=newspaper, offline=True, public_url="http://archiv.example"))
    yield library
    library.archive.close()


def searched(library: Library, **arguments):
    return search_archive(library, SearchArguments.model_validate(arguments))


def read(library: Library, **arguments):
    return get_article(library, ArticleArguments.model_validate(arguments))


def test_a_search_gives_what_to_cite_and_the_passage(library):
    result = searched(library, query="Was kostete die neue Brücke in Landshut?")
    best = result.articles[0]
    assert (best.number, best.id, best.title) == (1, "bruecke", BRIDGE["title"])
    assert (best.url, best.date) == (BRIDGE["url"], "2023-05-17")
    assert "41 Millionen" in best.passage and result.note is None
    assert [article.number for article in result.articles] == list(range(1, len(result.articles) + 1))


def test_the_period_of_the_question_filters_unless_one_is_given(library):
    meant = searched(library, query="Was wurde im Mai 2023 eröffnet?")
    assert (meant.start, meant.end) == ("2023-05-01", "2023-05-31")
    assert [article.id for article in meant.articles] == ["bruecke"]
    given = searched(library, query="Was wurde im Mai 2023 eröffnet?", **{"from": "2022", "to": "2022-11"})
    assert (given.start, given.end) == ("2022-01-01", "2022-11-30")
    assert [article.id for article in given.articles] == ["lang"]


def test_a_search_says_where_nothing_is_of_the_period_or_fits_at_all(library):
    empty = searched(library, query="Brücke Landshut Isar", **{"from": "2023-06-20", "to": "2023-06-21"})
    assert "Zeitraum" in empty.note and empty.articles[0].id == "bruecke"
    unlikely = searched(library, query="Wie besiegte Uli Hoeneß beim Schach den Weltmeister Magnus Carlsen?")
    assert unlikely.note.startswith("Vielleicht enthält das Archiv dazu nichts")
    english = searched(library, query="How did Uli Hoeneß defeat the world champion Magnus Carlsen at chess?")
    assert "may hold nothing" in english.note


def test_a_note_is_in_the_language_of_the_settings_where_the_question_leaves_it_open(library):
    english = replace(library, settings=library.settings.model_copy(update={"language": "en"}))
    empty = {"query": "Landshut", "from": "2023-06-20", "to": "2023-06-21"}
    assert "Zeitraum" in searched(library, **empty).note
    assert "period" in searched(english, **empty).note


def test_top_k_bounds_the_articles(library):
    assert len(searched(library, query="Landshut", top_k=1).articles) == 1


def test_what_speaks_to_a_model_or_a_browser_in_an_article_is_not_given(library):
    found = next(each for each in searched(library, query="Parkplätze Bahnhof Landshut").articles if each.id == "boese")
    whole = read(library, id="boese")
    for text in (found.passage, whole.text):
        assert "200 neue" in text and "Lärm" in text
        assert "Banane" not in text and "<|im_start|>" not in text
    assert found.url == whole.url == "http://archiv.example/articles/boese"


@pytest.mark.parametrize(
    "reference", ["bruecke", " bruecke ", BRIDGE["url"], f"{BRIDGE['url']}#:~:text=Band", "http://archiv.example/articles/bruecke?s=x"]
)  # fmt: skip
def test_an_article_is_found_by_id_by_address_and_by_our_page_of_it(library, reference):
    assert find(library, reference).article.id == "bruecke"


@pytest.mark.parametrize("reference", ["nichts", "https://zeitung.example/nichts.html", "../ledger.sqlite3", "%", " "])
def test_what_is_no_article_is_not_found(library, reference):
    with pytest.raises(NotFound):
        find(library, reference)


def test_a_whole_article(library):
    article = read(library, id="bruecke")
    assert (article.teaser, article.authors, article.source) == (BRIDGE["teaser"], ["Ute Müller"], "zeitung.example")
    assert "41 Millionen" in article.text and "Putz" in article.text
    assert (article.part, article.parts) == (1, 1)


def test_a_long_article_comes_in_parts_that_hold_all_of_it(library):
    first = read(library, id="lang")
    texts = [first.text, *(read(library, id="lang", part=part).text for part in range(2, first.parts + 1))]
    assert first.parts > 1 and all(len(text) <= 12_000 for text in texts)
    whole = "\n".join(texts)
    assert all(f"{year} Schiffe" in whole for year in range(150))
    with pytest.raises(NotFound, match=f"the article has {first.parts}"):
        read(library, id="lang", part=first.parts + 1)


def test_a_withdrawn_article_is_told_of_and_not_shown(library):
    with pytest.raises(Withdrawn, match="withdrawn"):
        read(library, id="weg")
    shown = searched(library, query="Wird das Rathaus verkauft?")
    assert SECRET not in shown.model_dump_json() and "weg" not in [article.id for article in shown.articles]


def test_a_wrong_id_is_told_with_what_to_do(library):
    with pytest.raises(
        NotFound, match="article 1 is not in the archive; take id or url from a result of search_archive"
    ):
        read(library, id=1)


def test_blanks_and_inventions_of_models_are_overlooked():
    asked = SearchArguments.model_validate({"query": "x", "from": "", "to": None, "top_k": "5", "language": "de"})
    assert (asked.start, asked.end, asked.top_k) == (None, None, 5)
    assert SearchArguments.model_validate({"query": "x", "to": "2024-02"}).end.isoformat() == "2024-02-29"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "query: Field required"),
        ({"query": "x", "from": "gestern"}, "from: Input should be a valid date"),
        ({"query": "x", "from": "2024", "to": "2023"}, "to: lies before from"),
        ({"query": "x", "top_k": 21}, "top_k: Input should be less than or equal to 20"),
    ],
)
def test_a_complaint_is_one_line_that_names_the_argument(arguments, told):
    with pytest.raises(ValidationError) as raised:
        SearchArguments.model_validate(arguments)
    assert complaint(raised.value) == f"{told}{complaint(raised.value).removeprefix(told)}"
    assert "\n" not in complaint(raised.value) and "again" in complaint(raised.value)


def test_the_document_lists_both_tools_for_a_model(http, base):
    document = http.get("/tools/openapi.json").json()
    operations = {path: each["post"]["operationId"] for path, each in document["paths"].items()}
    assert operations == {"/search_archive": "search_archive", "/get_article": "get_article"}
    told = document["paths"]["/search_archive"]["post"]["description"]
    assert "Nachrichtenarchiv" in told and "news archive" in told
    arguments = document["components"]["schemas"]["SearchArguments"]
    assert arguments["required"] == ["query"] and list(arguments["properties"]) == ["query", "from", "to", "top_k"]
    assert all("type" in argument and argument["description"] for argument in arguments["properties"].values())


def test_tools_are_called_by_post(http):
    found = http.post("/tools/search_archive", json={"query": "Was kostete die neue Brücke?", "top_k": 1}).json()
    assert [article["id"] for article in found["articles"]] == ["bruecke"] and "note" not in found
    whole = http.post("/tools/get_article", json={"id": found["articles"][0]["url"]}).json()
    assert whole["title"] == BRIDGE["title"]
    assert 'archivar_requests_total{route="/tools/get_article",status="200"}' in http.get("/metrics").text


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "told"),
    [
        ("search_archive", {"query": "x", "from": "gestern"}, 400, "from: Input should be a valid date"),
        ("search_archive", {}, 400, "query: Field required"),
        ("get_article", {"id": "nichts"}, 404, "nichts is not in the archive"),
        ("get_article", {"id": "weg"}, 410, "withdrawn"),
        ("get_article", {"id": "bruecke", "part": 2}, 404, "there is no part 2"),
    ],
)
def test_a_call_that_fails_says_why(http, tool, arguments, status, told):
    response = http.post(f"/tools/{tool}", json=arguments)
    assert response.status_code == status and told in response.json()["error"]["message"]


def test_search_and_articles_of_the_api_give_the_same(http, library):
    api = http.post("/v1/search", json={"query": "Brücke Landshut"}).json()["data"]
    tool = http.post("/tools/search_archive", json={"query": "Brücke Landshut"}).json()["articles"]
    assert [hit["article_id"] for hit in api] == [article["id"] for article in tool]
    assert [hit.passage.article_id for hit in search(library, "Brücke Landshut").hits] == [each["id"] for each in tool]
    assert search(library, "Brücke", period=Period()).period is not None
    assert json.dumps(http.get("/v1/articles/bruecke").json()).count("41 Millionen") == 1


def test_one_clock_holds_for_the_chat_search_tools_and_web_search(newspaper, scripted):
    asked = {"query": "Was wurde letzte Woche eröffnet?"}
    talk = {"model": "heise-archiv", "messages": [{"role": "user", "content": asked["query"]}]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    call |= {"params": {"name": "search_archive", "arguments": asked}}
    accept = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
    with (
        serving(Settings(home=newspaper), scripted, clock=lambda: date(2023, 5, 24)) as address,
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        answer = http.post("/v1/chat/completions", json=talk).json()["archive"]
        api = http.post("/v1/search", json=asked).json()
        tool = http.post("/tools/search_archive", json=asked).json()
        mcp = http.post("/mcp", json=call, headers=accept).json()["result"]["structuredContent"]
        links = [found["link"] for found in http.post("/web/search", json=asked).json()]
        later = http.post("/v1/search", json=asked | {"now": "2023-05-31"}).json()
    assert {(told["from"], told["to"]) for told in (answer, api, tool, mcp)} == {("2023-05-15", "2023-05-21")}
    assert links == [BRIDGE["url"]]
    assert later["from"] == "2023-05-22"
