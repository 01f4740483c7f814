"""heise online: Atom feed, and the newsticker's archive by month."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from ingest.sources.links import IndexPage
from ingest.sources.newsticker import links
from ingest.sources.publishers.publisher import Archive, Publisher, months

# As heise links it under "News-Archiv" (/newsticker/archiv/); years go back to 1996. A saved page of a month was not
# at hand: that it lists its articles in the layout of the seven-day newsticker is known from others who read it.
_MONTH = "https://www.heise.de/newsticker/archiv/{year}/{month:02}/"


def _pages(start: date, end: date) -> Iterator[str]:
    for year, month in months(start, end):
        yield _MONTH.format(year=year, month=month)


def _read(page: Any, address: str) -> IndexPage:  # noqa: ANN401  # lxml's element
    return IndexPage(tuple(links(page, address)))


PUBLISHER = Publisher(
    name="heise",
    hosts=("heise.de",),
    feeds=("https://www.heise.de/rss/heise-atom.xml",),
    archive=Archive(_pages, _read),
)
