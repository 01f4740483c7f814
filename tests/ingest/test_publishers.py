"""Publishers are found by looking into their package; those that are there know their addresses."""

from datetime import date
from pathlib import Path

import pytest

from archive.errors import SourceError
from ingest.sources import publishers as package
from ingest.sources.publishers import publisher, publishers
from ingest.sources.publishers.publisher import days, months
from ingest.sources.tree import parsed

PAGES = Path(__file__).parent / "pages"

NEW = """
from ingest.sources.publishers.publisher import Publisher

PUBLISHER = Publisher(name="dorfblatt", hosts=("dorfblatt.de",), feeds=("https://dorfblatt.de/feed.xml",))
"""


@pytest.fixture
def fresh():
    publishers.cache_clear()
    yield
    publishers.cache_clear()


def test_a_new_publisher_is_a_new_file(tmp_path, monkeypatch, fresh):
    assert "dorfblatt" not in publishers()
    publishers.cache_clear()
    (tmp_path / "dorfblatt.py").write_text(NEW)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert publisher("Dorfblatt").feeds == ("https://dorfblatt.de/feed.xml",)
    assert {"heise", "tagesschau"} < set(publishers())


def test_an_unknown_publisher_names_those_there_are():
    with pytest.raises(SourceError, match="zeitung: no such publisher; there are heise, tagesschau"):
        publisher("zeitung")


@pytest.mark.parametrize("name", publishers())
def test_every_publisher_is_complete(name):
    one = publisher(name)
    assert one.name == name == name.lower()
    assert one.feeds
    for address in one.feeds:
        assert address.startswith("https://")
        assert one.owns(address)
    if one.archive:
        pages = list(one.archive.pages(date(2022, 1, 30), date(2022, 2, 2)))
        assert pages
        assert len(set(pages)) == len(pages)
        assert all(one.owns(address) for address in pages)


def test_hosts_are_told_by_their_ends():
    heise = publisher("heise")
    assert heise.owns("https://www.heise.de/news/a-1.html")
    assert heise.owns("https://heise.de/-1")
    assert not heise.owns("https://keineheise.de/a")
    assert not heise.owns("https://heise.de.example.org/a")


def test_heises_archive_goes_by_months():
    pages = publisher("heise").archive.pages(date(2022, 11, 15), date(2023, 1, 1))
    assert [page.removeprefix("https://www.heise.de/newsticker/archiv/") for page in pages] == [
        "2022/11/",
        "2022/12/",
        "2023/01/",
    ]


def test_tagesschaus_archive_page():
    address = "https://www.tagesschau.de/archiv?datum=2026-02-27"
    index = publisher("tagesschau").archive.read(parsed((PAGES / "tagesschau-archive.html").read_bytes())[1], address)
    [deich, faehren] = index.links  # broadcasts are no articles
    assert deich.address == "https://www.tagesschau.de/inland/gesellschaft/deichbau-100.html"
    assert (deich.title, deich.kicker, deich.published) == (
        "Neuer Deich für Langwarden",
        "Küstenschutz",
        "27.02.2026 18:05",
    )
    assert faehren.title == "Fähren fahren öfter"
    assert index.more == (f"{address}&pageIndex=2",)


def test_days_and_months_of_a_period():
    assert list(days(date(2024, 2, 28), date(2024, 3, 1))) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert list(months(date(2023, 12, 31), date(2024, 1, 1))) == [(2023, 12), (2024, 1)]


def test_feeds_of_the_publishers(shared, reading):
    """Real feeds: heise+ is marked by its kicker, which is kept out of the title; tagesschau's need nothing more."""
    articles = reading(shared / "heise" / "feed" / "heise-atom-2025-11.xml").articles
    assert sum(article.paid for article in articles) == 7
    assert not any(article.title.startswith(("heise+", "heise-Angebot")) for article in articles)
    for name in ("tagesschau", "tagesschau2", "tagesschau2a"):
        found = reading(shared / "german_news" / "feeds" / f"{name}.xml")
        assert all(publisher("tagesschau").owns(article.url) for article in found.articles)
        assert not found.rejects
