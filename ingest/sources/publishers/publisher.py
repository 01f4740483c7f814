"""What has to be known of a publisher to bring its articles in: hosts, feeds, index pages and how to read them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ingest.sources.ids import host_of
from ingest.sources.links import IndexPage


@dataclass(frozen=True, slots=True)
class Archive:
    """A publisher's index of what it published.

    `pages` gives the addresses of the index pages that cover a period, first and last day included, in order of time.
    `read` takes an index page (an lxml tree) and its address; it raises BadArticle where the page can't be read.
    """

    pages: Callable[[date, date], Iterator[str]]
    read: Callable[[Any, str], IndexPage]


@dataclass(frozen=True, slots=True)
class Publisher:
    """`name` is what a user types, lower-case; `hosts` are those of its articles, without `www.`.

    `archive` is None where the publisher has no index by date: then its feeds alone tell what is new.
    """

    name: str
    hosts: tuple[str, ...]
    feeds: tuple[str, ...]
    archive: Archive | None = None

    def owns(self, address: str) -> bool:
        """True where the address lies on one of the hosts, or below one."""
        host = host_of(address)
        return any(host == own or host.endswith(f".{own}") for own in self.hosts)


def days(start: date, end: date) -> Iterator[date]:
    """Each day of a period, both ends included."""
    for number in range((end - start).days + 1):
        yield start + timedelta(days=number)


def months(start: date, end: date) -> Iterator[tuple[int, int]]:
    """Each (year, month) that a period touches."""
    for month in range(start.year * 12 + start.month - 1, end.year * 12 + end.month):
        yield month // 12, month % 12 + 1
