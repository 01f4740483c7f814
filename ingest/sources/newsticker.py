"""heise newsticker pages: a list of headlines, a week or a month of them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from archive.errors import BadArticle
from ingest.report import Found, Reject
from ingest.sources.records import Origin, article_from

_SITE = "https://www.heise.de/"
_TEASERS = "//article[@data-cid and .//time[@datetime] and .//a[@href and @title]]"
_FEWEST = 10  # an article's own page shows a few teasers too, but those without a time


def headlines(page: Any) -> list[Any]:  # noqa: ANN401  # lxml's elements
    """The teasers of a newsticker page in their order, none where `page` (an lxml tree) is something else."""
    teasers = page.xpath(_TEASERS)
    return teasers if len(teasers) >= _FEWEST else []


def read_newsticker(teasers: list[Any], origin: Origin) -> Iterator[Found | Reject]:
    """A headline-only article for each teaser."""
    for number, teaser in enumerate(teasers, 1):
        place = f"headline {number}"
        try:
            yield Found(article_from(_record(teaser), origin), origin.file, place)
        except BadArticle as error:
            yield Reject(origin.file, str(error), place)


def _record(teaser: Any) -> dict[str, object]:  # noqa: ANN401
    link = teaser.xpath(".//a[@href and @title]")[0]
    comments = teaser.xpath("string(.//span[contains(@class, 'a-article-meta__comments')]/text())")
    return {
        "id": teaser.get("data-cid"),
        "url": urljoin(_SITE, link.get("href")),
        "title": link.get("title"),
        "published": teaser.xpath("string(.//time/@datetime)"),
        "comments": comments.strip(),
    }
