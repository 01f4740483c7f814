import pytest

from ingest.sources import extraction

PARAGRAPH = "Die Bundesnetzagentur hat am Dienstag mitgeteilt, dass die Störung im Telefonnetz behoben ist. "
HEAD = (
    '<meta property="og:title" content="Störung im Telefonnetz behoben"><title>Störung im Telefonnetz behoben</title>'
)


def html(head="", body="", paragraphs=5):
    text = "".join(f"<p>{PARAGRAPH * 3} Absatz {number}.</p>" for number in range(paragraphs))
    article = f"<article>{body}<div>{text}</div></article>"
    return f"<!DOCTYPE html><html lang='de'><head>{HEAD}{head}</head><body>{article}</body></html>"


HEISE = html(
    """<link rel="canonical" href="/news/Stoerung-behoben-9664198.html">
    <meta property="og:url" content="https://www.heise.de/news/Stoerung-behoben-9664198.html?wt_mc=x">
    <meta name="keywords" content="Netz, Telefon">
    <script type="application/ld+json">{"@type": "NewsArticle", "headline": "Störung im Telefonnetz behoben",
    "datePublished": "2024-03-23T18:32:00+01:00", "author": [{"@type": "Person", "name": "Nico Ernst"}]}</script>""",
    "<p class='a-article-header__lead'>Der Anriss.</p>",
)
TICKER = "<html><body>" + "".join(
    f"""<article data-cid="{number}">
    <a href="/news/Meldung-{number}.html?wt_mc=x" title="Meldung &amp; Nummer {number}">
    <time datetime="2023-05-31T22:{number % 60:02}:00+02:00">x</time>
    <span class="a-article-meta__comments"> 7 <span>Kommentare</span></span></a></article>"""
    for number in range(9118411, 9118431)
)


def test_a_heise_page_is_read_by_fundus(tmp_path, reading):
    (tmp_path / "a.html").write_text(HEISE, encoding="utf-8")
    [article] = reading(tmp_path / "a.html").articles
    assert (article.id, article.source) == ("9664198", "heise.de")
    assert article.url == "https://www.heise.de/news/Stoerung-behoben-9664198.html"
    assert (article.title, article.teaser) == ("Störung im Telefonnetz behoben", "Der Anriss.")
    assert (article.authors, article.topics) == (("Nico Ernst",), ("Netz", "Telefon"))
    assert article.published.isoformat() == "2024-03-23T18:32:00+01:00"
    assert article.text.count("Absatz") == 5
    assert "\n\n" in article.text


def test_trafilatura_takes_over_where_fundus_fails(tmp_path, reading, monkeypatch):
    monkeypatch.setattr(extraction, "by_fundus", lambda html, url: iter(()))
    (tmp_path / "a.html").write_text(HEISE, encoding="utf-8")
    [article] = reading(tmp_path / "a.html").articles
    assert (article.id, article.title) == ("9664198", "Störung im Telefonnetz behoben")
    assert article.text.count("Absatz") == 5


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_other_pages_are_read_by_trafilatura(encoding, tmp_path, reading):
    head = """<link rel="canonical" href="https://www.zeitung.de/stoerung?utm_source=x">
    <meta property="article:published_time" content="2024-04-22T15:26:46+00:00">
    <meta property="og:site_name" content="Zeitung">"""
    (tmp_path / "a.htm").write_bytes(
        html(head).replace("behoben</title>", "behoben | Zeitung</title>").encode(encoding)
    )
    [article] = reading(tmp_path / "a.htm").articles
    assert (article.url, article.source) == ("https://www.zeitung.de/stoerung", "zeitung.de")
    assert (article.title, article.published.hour) == ("Störung im Telefonnetz behoben", 15)
    assert article.id.startswith("zeitung.de-")
    assert not article.text.startswith(article.title)


@pytest.mark.parametrize("content", ["", "<html></html>", "<!doctype html><html><body><p>Kurz.</p>"])
def test_a_page_without_an_article_is_one_reject(content, tmp_path, reading):
    (tmp_path / "a.html").write_text(content)
    result = reading(tmp_path / "a.html")
    assert not result.articles
    [reject] = result.rejects
    assert (reject.file, reject.place) == (str(tmp_path / "a.html"), "")


def test_a_newsticker_page_gives_its_headlines(tmp_path, reading):
    (tmp_path / "ticker.html").write_text(TICKER, encoding="utf-8")
    articles = reading(tmp_path / "ticker.html").articles
    assert len(articles) == 20
    assert (articles[0].id, articles[0].title, articles[0].comments) == ("9118411", "Meldung & Nummer 9118411", 7)
    assert articles[0].url == "https://www.heise.de/news/Meldung-9118411.html"
