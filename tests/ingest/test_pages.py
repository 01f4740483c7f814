import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from archive.errors import SourceError
from ingest.sources import page as page_module
from ingest.sources import web

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
    monkeypatch.setattr(page_module, "_by_fundus", lambda html: {})
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


@pytest.mark.parametrize("content", ["", "<html></html>", "<!doctype html><html><body><p>Kurz.</p>", "\x00<html>\x00"])
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


ANSWERS = {
    "/seite": (200, "text/html; charset=utf-8", HEISE.replace("www.heise.de", "localhost").encode()),
    "/feed": (
        200,
        "text/html",
        b"<rss version='2.0'><channel><item><title>Aus dem Feed</title></item></channel></rss>",
    ),
    "/bild": (200, "image/png", b"\x89PNG"),
    "/gross": (200, "text/html", b"<html>" + b"x" * 5000),
    "/fehlt": (404, "text/html", b""),
}


class Site(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in ("/weiter", "/kreis"):
            self.send_response(302)
            self.send_header("Location", "/feed" if self.path == "/weiter" else "/kreis")
            self.end_headers()
            return
        status, media_type, data = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.end_headers()
        self.wfile.write(data if "Archivar" in self.headers["User-Agent"] else b"")

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_addresses_are_read_by_what_they_serve(site, reading):
    assert reading(f"{site}/seite").articles[0].title == "Störung im Telefonnetz behoben"
    assert reading(f"{site}/feed").articles[0].title == "Aus dem Feed"
    assert reading(f"{site}/weiter").articles[0].title == "Aus dem Feed"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/bild", "image/png"), ("/fehlt", "404"), ("/kreis", "redirects"), ("/gross", "larger than")],
)
def test_addresses_that_cannot_be_read_say_why(path, reason, site, reading, monkeypatch):
    monkeypatch.setattr(web, "LARGEST_DOCUMENT", 4000)
    with pytest.raises(SourceError, match=reason):
        reading(f"{site}{path}")


def test_a_server_that_is_not_there(reading):
    with pytest.raises(SourceError, match="can't be fetched"):
        reading("http://127.0.0.1:9/feed")
    with pytest.raises(SourceError, match="can't be fetched"):
        reading("http://")
