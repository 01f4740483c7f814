"""The archive in place of the web, asked as Open WebUI asks; tests/browser asks it with Open WebUI itself."""

import re

import httpx
import pytest
from markdown_it import MarkdownIt
from newspaper import BRIDGE, GONE, SECRET


def test_a_search_gives_links_titles_and_snippets(http):
    found = http.post("/web/search", json={"query": "Was kostete die neue Brücke im Mai 2023?", "count": 3}).json()
    assert [set(each) for each in found] == [{"link", "title", "snippet"}]
    assert (found[0]["link"], found[0]["title"]) == (BRIDGE["url"], BRIDGE["title"])
    assert "41 Millionen" in found[0]["snippet"]


def test_count_bounds_the_results_and_is_bounded(http):
    assert len(http.post("/web/search", json={"query": "Landshut", "count": 1}).json()) == 1
    assert len(http.post("/web/search", json={"query": "Landshut", "count": 1000}).json()) <= 20


def test_links_lead_to_the_web_only_and_text_is_escaped(http):
    found = http.post("/web/search", json={"query": "Parkplätze am Bahnhof Landshut", "count": 5}).json()
    hostile = next(each for each in found if "Parkplätze" in each["title"])
    assert all(each["link"].startswith(("http://", "https://")) for each in found)
    loaded = http.post("/web/load", json={"urls": [hostile["link"]]}).json()[0]["page_content"]
    for text in (hostile["snippet"], loaded):
        shown = MarkdownIt().render(text)
        assert "*viele* klagen über [Lärm](https://boese.example)" in shown
        assert not re.search("<(a|img|em|script)\\b", shown) and "Banane" not in text


def test_articles_are_loaded_by_their_address_and_by_our_page(http):
    found = http.post("/web/search", json={"query": "Parkplätze am Bahnhof Landshut", "count": 1}).json()
    urls = [BRIDGE["url"], found[0]["link"]]
    loaded = http.post("/web/load", json={"urls": urls}).json()
    assert [each["metadata"]["source"] for each in loaded] == urls
    first = loaded[0]
    assert first["metadata"]["title"] == first["metadata"]["name"] == BRIDGE["title"]
    assert first["metadata"]["published"] == "2023-05-17"
    for part in (BRIDGE["title"], "17\\. Mai 2023", "Nach vier Jahren Bauzeit", "41 Millionen", "Alexander Putz"):
        assert part in first["page_content"]
    assert httpx.get(found[0]["link"]).status_code == 200


def test_nothing_else_is_loaded_and_nothing_is_fetched(http):
    """Tests fail where something outside is reached for; on this machine a fetch would answer."""
    urls = [
        GONE["url"], "https://example.org/", f"{http.base_url}/health/live", "file:///etc/passwd", "weg", "",
        "http://169.254.169.254/latest/meta-data", "javascript:alert(1)", "bruecke", BRIDGE["url"],
    ]  # fmt: skip
    loaded = http.post("/web/load", json={"urls": urls})
    assert [each["metadata"]["source"] for each in loaded.json()] == [BRIDGE["url"]]
    assert SECRET not in loaded.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("search", {"query": ""}), ("search", {"count": 3}), ("search", {"query": "x", "count": 0}),
        ("load", {"urls": []}), ("load", {"urls": ["x" * 5000]}), ("load", {"urls": ["x"] * 101}), ("load", {}),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(http, path, body):
    response = http.post(f"/web/{path}", json=body)
    assert response.status_code == 400 and response.json()["error"]["message"]
