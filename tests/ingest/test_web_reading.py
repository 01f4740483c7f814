import pytest
from webserver import Answer, redirect, served

from archive.errors import SourceError
from ingest.web.visits import Refused

PAGE = """<!DOCTYPE html><html lang="de"><head><title>Störung im Telefonnetz behoben</title>
<meta property="article:published_time" content="2024-04-22T15:26:46+00:00"></head><body><article><h1>Störung im
Telefonnetz behoben</h1>""" + "".join(
    f"<p>Die Bundesnetzagentur hat mitgeteilt, dass die Störung behoben ist und alle telefonieren. Absatz {n}.</p>"
    for n in range(6)
)
FEED = "<rss version='2.0'><channel><item><title>Aus dem Feed</title></item></channel></rss>"
ROUTES = {
    "/seite": PAGE,
    "/feed": Answer(FEED, media_type="application/rss+xml"),
    "/weiter": redirect("/feed"),
    "/bild": Answer(b"\x89PNG", media_type="image/png"),
    "/text": Answer("nur Text", media_type="text/plain"),
    "/weg": Answer(status=410),
    "/kreis": redirect("/kreis"),
}


@pytest.fixture
def site():
    with served(ROUTES) as site:
        yield site


def test_addresses_are_read_by_what_they_serve(site, reading):
    [article] = reading(site.at("/seite")).articles
    assert (article.title, article.url) == ("Störung im Telefonnetz behoben", site.at("/seite"))
    assert article.text.count("Absatz") == 6
    for path in ("/feed", "/weiter"):
        assert reading(site.at(path)).articles[0].title == "Aus dem Feed"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/bild", "neither a page nor a feed but image/png"),
        ("/text", "neither a page nor a feed but text/plain"),
        ("/fehlt", "the server answers 404; check the address"),
        ("/weg", "the server answers 410; check the address"),
        ("/kreis", "more than 5 redirects"),
    ],
)
def test_addresses_that_cannot_be_read_say_why(path, reason, site, reading):
    with pytest.raises(SourceError, match=f"^{site.at(path)}: {reason}"):
        reading(site.at(path))


def test_what_the_publisher_reserves_is_no_article(site, reading):
    site.routes["/robots.txt"] = "User-agent: *\nDisallow: /seite"
    with pytest.raises(Refused, match=r"robots\.txt of 127\.0\.0\.1 disallows it"):
        reading(site.at("/seite"))
    assert reading(site.at("/feed")).articles


def test_a_server_that_is_not_there(reading):
    with pytest.raises(SourceError, match=r"^http://127.0.0.1:9/feed: can't be fetched \(.*refused\); check"):
        reading("http://127.0.0.1:9/feed")
    with pytest.raises(SourceError, match="can't be fetched"):
        reading("http://")
