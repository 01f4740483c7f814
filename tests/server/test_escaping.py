"""What an article holds reaches a client as text: checked with a Markdown parser, and through the server's own ways."""

import html
import re
from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from archive.articles import Article, Hit, Passage
from archive.records import Record
from server.escaping import markdown, one_line, tame, web_address
from server.pages import HEADERS, article_html
from server.sources import article_page, listed, merge
from server.wire.sources import source_json, webui_source

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = [
    "[Klick](javascript:alert(1)) **fett** _kursiv_ snake_case_name C# | a | b |",
    "<img src=x onerror=alert(1)> <script>alert(1)</script> &lt;b&gt;",
    "![Bild](https://evil.example/x?q=1) <https://evil.example>",
    "# Überschrift", "1. Punkt", "- Liste", "> Zitat", "***", "`code` ~~weg~~",
    "[ziel]: https://evil.example", r"\[x](http://evil.example)", r"\\<img src=x>", r"\\[x](http://evil.example)",
    "Preis: 3 < 4 > 2, 5 $ und 6 $, 50 % & mehr", "{{USER_NAME}} ^hoch^",
]  # fmt: skip


def text_of(rendered: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", rendered)).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_shows_as_it_is_spelled(text):
    rendered = MARKDOWN.render(markdown(text)).strip()
    assert text_of(rendered) == text
    assert re.fullmatch(r"<p>[^<]*</p>", rendered)


@pytest.mark.parametrize("text", HOSTILE)
def test_an_answer_keeps_its_emphasis_and_loads_nothing(text):
    tamed = tame(text)
    assert not re.search(r"<(?:a|img|script)\b", MARKDOWN.render(tamed))
    assert tame(tamed) == tamed


@pytest.mark.parametrize("address", ["https://evil.example/x", "http://evil.example", "www.evil.example"])
def test_bare_addresses_do_not_become_links(address):
    # The Markdown of GitHub and of Open WebUI links these without any mark.
    assert address not in tame(f"Siehe {address}.")
    assert address not in markdown(f"Siehe {address}.")


def test_citations_and_lists_of_an_answer_stay():
    answer = "- **3. Mai 2023:** Der Speicher fasst 4.200 m³ [1][2].\n- Danach (siehe [3]) nichts mehr."
    assert tame(answer) == answer


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)//http", "data:text/html,x", "//evil.example", "http:", 'https://a.example/"onclick=', None],
)
def test_only_addresses_on_the_web_are_linked(url):
    assert web_address(url) is None
    source = merge([hostile_hit(url=url)], lambda article_id: article_page("http://localhost:8000", article_id))[0]
    assert source.url == "http://localhost:8000/articles/a%2F1"


def test_a_real_address_is_kept():
    assert web_address("https://www.heise.de/-123") == "https://www.heise.de/-123"


def test_a_headline_is_one_line_of_what_can_be_seen():
    assert one_line("Eins\u2028zwei\u200b\r\ndrei\x00 \u202evier") == "Eins zwei drei vier"


def hostile_hit(title: str = "Titel", text: str = "Text", url: str | None = None) -> Hit:
    return Hit(Passage("a/1#0", "a/1", 0, text, title, url=url), 1.0)


@pytest.mark.parametrize("text", HOSTILE)
def test_titles_in_the_list_of_nearest_articles_are_text(text):
    sources = merge([hostile_hit(title=text)], lambda article_id: f"http://localhost:8000/articles/{article_id}")
    rendered = MARKDOWN.render(listed(sources, "de"))
    assert text_of(rendered) == f"{one_line(text)}, ohne Datum [1]"
    assert set(re.findall(r"<(\w+)", rendered)) == {"ul", "li"}


@pytest.mark.parametrize("text", HOSTILE)
def test_open_webui_gets_snippets_that_are_text(text):
    source = merge(
        [hostile_hit(text=text, url="javascript:alert('http')")],
        lambda article_id: f"http://localhost:8000/articles/{article_id}",
    )[0]
    event = webui_source(source)
    assert text_of(MARKDOWN.render(event["document"][0])) == text
    assert event["source"]["url"].startswith("http://localhost:8000/articles/")
    # Programs get what is stored.
    assert source_json(source)["passage"] == text


def test_an_article_page_holds_no_markup_of_the_article():
    evil = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
    article = Article(
        id='"><b>', title=evil, text=f"{evil}\n\n{evil}", teaser=evil, url="javascript:alert(1)", source=evil,
        authors=(evil,), topics=(evil,),
    )  # fmt: skip
    page = article_html(Record(article, 1, datetime(2024, 1, 1, tzinfo=UTC), None, None))
    assert "<script" not in page and "<img" not in page and "<b>" not in page and "javascript:" not in page
    assert page.count("&lt;script&gt;") == 8
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]
