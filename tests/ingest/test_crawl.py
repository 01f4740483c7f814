"""A crawl of a local site that plays heise: index pages of months, articles, and what goes wrong with them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from visiting import worldwide
from webserver import Answer, redirect, served

from archive.errors import SourceError
from ingest.report import Found, Reject, Visited
from ingest.sources.crawl import Progress, crawl
from ingest.sources.publishers import publisher
from ingest.sources.publishers.publisher import Publisher
from ingest.sources.reading import read
from ingest.web.visits import Gone, Validators

PAGES = Path(__file__).parent / "pages"
HEISE = publisher("heise")
JANUARY = "/newsticker/archiv/2022/01/"
HOSTS = {"www.heise.de": ["193.99.144.85"], "www.tagesschau.de": ["193.99.144.85"]}
NUMBERS = [f"63000{number:02}" for number in range(12)]  # of newsticker-2022.html; the eighth is on another site


def article(path: str) -> bytes:
    """A page for an entry of the index: that of `article.html` under another address."""
    number = re.findall(r"\d+", path)[-1]
    body = (PAGES / "article.html").read_bytes().replace(b"/news/Funkmast-der-Woche-11190000.html", path.encode())
    return body.replace(b"2026-02-2", b"2022-01-2").replace(b"Funkmast aus Holz", f"Artikel {number}".encode())


@contextmanager
def heise() -> Iterator[SimpleNamespace]:
    """The site, with `crawl(...)` returning all records and `progress` of the last one."""
    index = (PAGES / "newsticker-2022.html").read_text(encoding="utf-8")
    routes = {JANUARY: index}
    for path in re.findall(r'href="(/\w+/[^"?]*\d+\.html)', index):
        routes[path] = Answer(article(path), etag=f'"{path}"')
    with served(routes) as site, worldwide(site, HOSTS) as visitor:
        play = SimpleNamespace(site=site, routes=site.routes, progress=None)

        def run(start=date(2022, 1, 1), end=date(2022, 1, 31), known=(), who=HEISE, **options):
            play.progress = Progress()
            found = crawl(
                who,
                start,
                end,
                visitor.visit,
                lambda id_, address: id_ in known,
                options.pop("now"),
                progress=play.progress,
                **options,
            )
            return list(found)

        play.crawl = run
        play.path = lambda number: next(path for path in routes if number in path)
        play.asked = lambda: [path for path in site.paths if "robots" not in path and "well-known" not in path]
        yield play


def ids(records) -> list[str]:
    return [record.article.id for record in records if isinstance(record, Found)]


def test_a_month_is_its_index_page_and_each_article_once(now):
    with heise() as play:
        records = play.crawl(now=now)
        assert sorted(ids(records)) == NUMBERS
        assert len(play.asked()) == len(set(play.asked())) == 1 + 11
    found = {record.article.id: record for record in records if isinstance(record, Found)}
    one = found["6300001"]
    assert one.article.title == "Artikel 6300001 geht in Betrieb"
    assert "Aussichtstürme" in one.article.text
    assert one.addresses == (one.article.url,)
    assert one.article.comments == 42  # the page's, more than the list's
    assert found["6300002"].article.paid  # which the list alone says
    assert found["6300007"].article.source == "techstage.de"  # not a host of heise: its headline
    assert not found["6300007"].article.text
    visited = [record for record in records if isinstance(record, Visited)]
    assert len(visited) == 11
    assert visited[0].validators.etag
    assert (play.progress.index_pages, play.progress.links, play.progress.done) == (1, 12, 12)
    assert play.progress.ends == {"fetched": 11, "elsewhere": 1}


def test_only_days_of_the_period_are_fetched(now):
    with heise() as play:
        records = play.crawl(date(2022, 1, 20), date(2022, 1, 22), now=now)
    assert sorted(ids(records)) == ["6300006", "6300007", "6300008"]


def test_what_is_known_is_not_asked_for(now):
    with heise() as play:
        records = play.crawl(known=NUMBERS[:10], now=now)
        assert sorted(ids(records)) == NUMBERS[10:]
        assert play.progress.ends["known"] == 10
        assert len(play.asked()) == 1 + 2


def test_again_asks_whether_it_has_changed(now):
    with heise() as play:
        tags = {f"https://www.heise.de{path}": Validators(f'"{path}"') for path in play.routes}
        path = play.path("6300001")
        play.routes[path] = Answer(article(path).replace(b"sechs Antennen", b"acht Antennen"), etag='"neu"')
        records = play.crawl(known=NUMBERS, again=True, validators=tags.get, now=now)
        assert play.progress.ends == {"unchanged": 10, "fetched": 1, "elsewhere": 1}
    [changed, _] = (record.article for record in records if isinstance(record, Found))
    assert "acht Antennen" in changed.text


def test_pages_that_are_gone_or_broken_leave_the_others(now):
    with heise() as play:
        play.routes[play.path("6300001")] = Answer("Weg", 410)
        play.routes[play.path("6300003")] = "<html><body><p>Wartung</p></body></html>"
        play.routes[play.path("6300004")] = Answer("Fehler", 403)
        records = play.crawl(now=now)
        assert play.progress.ends == {"fetched": 8, "gone": 1, "failed": 2, "elsewhere": 1}
    [gone] = [record for record in records if isinstance(record, Gone)]
    assert (gone.status, "6300001" in gone.address) == (410, True)
    rejects = [record for record in records if isinstance(record, Reject)]
    assert {re.findall(r"\d+", reject.file)[-1] for reject in rejects} == {"6300003", "6300004"}
    assert any("no article found" in reject.reason for reject in rejects)
    # What is known of the others from the list is kept as a headline, until their pages can be read.
    texts = {record.article.id: record.article.text for record in records if isinstance(record, Found)}
    assert sorted(texts) == sorted(set(NUMBERS) - {"6300001"})
    assert not texts["6300003"] and not texts["6300004"]


def test_a_failed_page_does_not_bring_the_headline_of_what_is_known(now):
    with heise() as play:
        play.routes[play.path("6300003")] = Answer("Fehler", 403)
        records = play.crawl(known=NUMBERS, again=True, now=now)
    assert "6300003" not in ids(records)


def test_an_index_page_that_repeats_itself_is_noticed(now):
    with heise() as play:
        play.routes["/newsticker/archiv/2022/02/"] = redirect(JANUARY)
        play.routes["/newsticker/archiv/2022/03/"] = redirect("/newsticker/archiv/2022/03/")
        records = play.crawl(end=date(2022, 4, 30), now=now)
        assert (play.progress.index_pages, play.progress.repeats) == (4, 1)
        assert sorted(ids(records)) == NUMBERS
        assert len([path for path in play.asked() if path.endswith(".html")]) == 11
    reasons = {reject.file[-3:-1]: reject.reason for reject in records if isinstance(reject, Reject)}
    assert reasons.keys() == {"03", "04"}  # a redirect to itself, and nothing there
    assert "redirects" in reasons["03"]
    assert "no index page" in reasons["04"]


def test_an_index_page_of_another_time_is_noticed(now):
    with heise() as play:
        play.routes["/newsticker/archiv/2023/05/"] = redirect(JANUARY)
        [reject] = play.crawl(date(2023, 5, 1), date(2023, 5, 2), now=now)
    assert "none of its 12 links" in reject.reason


def test_a_server_that_fails_again_and_again_is_left_in_peace(now):
    with heise() as play:
        for path in play.routes:
            if path != JANUARY:
                play.routes[path] = Answer("Verboten", 403)
        with pytest.raises(SourceError, match="heise: 10 pages in a row"):
            play.crawl(now=now)
        assert len(set(play.asked())) == 1 + 10


def test_an_article_that_has_moved_comes_with_its_addresses(now):
    with heise() as play:
        moved = "/news/Neuer-Name-6300001.html"
        play.routes[moved] = article(moved)
        play.routes[play.path("6300001")] = redirect(moved, 301)
        records = play.crawl(date(2022, 1, 27), date(2022, 1, 27), now=now)
    [found] = [record for record in records if isinstance(record, Found)]
    assert found.addresses == (
        "https://www.heise.de/news/Rechenzentrum-der-Woche-6300001.html",
        f"https://www.heise.de{moved}",
    )


def test_a_publisher_without_archive_says_so(now):
    feed_only = Publisher("blatt", ("blatt.de",), ("https://blatt.de/feed",))
    with pytest.raises(SourceError, match=r"no archive by date; its feed is https://blatt\.de/feed"):
        list(crawl(feed_only, date(2022, 1, 1), date(2022, 1, 2), lambda *_: None, lambda *_: False, now))


def test_an_archive_by_days_goes_on_over_pages(now):
    first = (PAGES / "tagesschau-archive.html").read_text(encoding="utf-8")
    second = first.replace("deichbau", "leuchtturm").replace("faehren", "hafen").replace("pageIndex=2", "pageIndex=1")
    page = (PAGES / "article.html").read_text(encoding="utf-8").replace("https://www.heise.de/news/", "")
    page = re.sub(r"<link rel=.canonical.*?>|<meta property=.og:url.*?>", "", page)
    routes = {"/archiv": lambda request: Answer(second if "pageIndex=2" in request.path else first)}
    for path in ("/inland/gesellschaft/deichbau-100.html", "/inland/gesellschaft/leuchtturm-100.html"):
        routes[path] = page
    with served(routes) as site, worldwide(site, HOSTS) as visitor:
        progress = Progress()
        day = date(2026, 2, 27)
        records = list(
            crawl(publisher("tagesschau"), day, day, visitor.visit, lambda *_: False, now, progress=progress)
        )
    assert (progress.index_pages, progress.repeats, progress.links) == (3, 1, 4)
    assert progress.ends == {"fetched": 2, "gone": 2}
    urls = {record.article.url for record in records if isinstance(record, Found)}
    assert urls == {f"https://www.tagesschau.de{path}" for path in routes if path != "/archiv"}


def test_the_address_of_one_of_its_pages_brings_in_a_whole_article(now):
    path = "/news/Zugleitung-der-Woche-11190007.html"
    pages = {number: (PAGES / f"article-part-{number}.html").read_bytes() for number in (1, 2, 3)}
    routes = {path: lambda request: Answer(pages[int(request.path.partition("seite=")[2] or 1)])}
    with served(routes) as site, worldwide(site, HOSTS) as visitor:
        [found] = read(f"https://www.heise.de{path}?seite=2", now, visitor=visitor)
    assert (found.article.id, found.article.url) == ("11190007", f"https://www.heise.de{path}")
    assert [found.article.text.count(name) for name in ("Hannes Kolb", "Miriam Tran", "Allgäu")] == [1, 1, 1]
