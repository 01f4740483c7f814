"""tagesschau.de: feed, and the archive by day, whose longer days go on over several pages."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urljoin

from ingest.sources.ids import clean_url
from ingest.sources.links import IndexPage, Link
from ingest.sources.publishers.publisher import Archive, Publisher, days

# Neither address nor layout could be checked against a saved page; they are as others describe them who read it.
_DAY = "https://www.tagesschau.de/archiv?datum={day:%Y-%m-%d}"
_LINK = "//a[contains(@class, 'teaser-right__link')]"
_TEASER = "(ancestor-or-self::*[contains(concat(' ', @class, ' '), ' teaser-right ')] | self::*)[1]"
_DATE = "string(.//*[contains(@class, 'teaser-right__date')])"
_TITLE = "string(.//*[contains(@class, 'teaser-right__headline')])"
_KICKER = "string(.//*[contains(@class, 'teaser-right__labeltopline')])"
_MORE = re.compile(r"[?&]pageIndex=\d+")
_MOMENT = re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4})\s*\W*\s*(\d{1,2}:\d{2})?")


def _pages(start: date, end: date) -> Iterator[str]:
    for day in days(start, end):
        yield _DAY.format(day=day)


def _read(page: Any, address: str) -> IndexPage:  # noqa: ANN401  # lxml's element
    found = (_link(link, address) for link in page.xpath(_LINK))
    more = (urljoin(address, href) for href in page.xpath("//a/@href") if _MORE.search(href))
    return IndexPage(tuple(link for link in found if link), tuple(dict.fromkeys(more)))


def _link(link: Any, address: str) -> Link | None:  # noqa: ANN401
    target = clean_url(urljoin(address, link.get("href") or ""))
    if not target or not target.endswith(".html"):
        return None  # films and broadcasts
    teaser = link.xpath(_TEASER)[0]
    moment = _MOMENT.search(teaser.xpath(_DATE))
    return Link(
        address=target,
        title=" ".join(teaser.xpath(_TITLE).split()),
        kicker=" ".join(teaser.xpath(_KICKER).split()),
        published=" ".join(filter(None, moment.groups())) if moment else "",
    )


PUBLISHER = Publisher(
    name="tagesschau",
    hosts=("tagesschau.de",),
    feeds=("https://www.tagesschau.de/infoservices/alle-meldungen-100~rss2.xml",),
    archive=Archive(_pages, _read),
)
