"""heise newsticker pages: a list of headlines, a week or a month of them.

Five layouts between 2022 and 2026 differ in headings, logos and how heise+ is marked; what they share is one `article`
with the number of its article for each entry, in it a link with the title and a `time`.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from archive.errors import BadArticle
from ingest.report import Found, Reject
from ingest.sources.ids import clean_url
from ingest.sources.links import Link
from ingest.sources.records import Origin, article_from

_SITE = "https://www.heise.de/"
_TEASERS = "//article[@data-cid and .//time[@datetime] and .//a[@href and @title]][not(ancestor::template)]"
_KICKER = "string(.//*[contains(@class, '__kicker')])"
_COMMENTS = "string(.//span[contains(@class, 'a-article-meta__comments')]/text())"
_PAID = "boolean(.//*[contains(@class, 'heise-plus') or contains(@class, 'heiseplus')])"
_ADVERTISEMENT = "boolean(self::*[contains(@class, '--sponsored')] | .//*[contains(@class, '__ad-note')])"
_FEWEST = 10  # an article's own page shows a few teasers too, but those without a time


def headlines(page: Any) -> list[Any]:  # noqa: ANN401  # lxml's elements
    """The teasers of a newsticker page in their order, none where `page` (an lxml tree) is something else."""
    teasers = page.xpath(_TEASERS)
    return teasers if len(teasers) >= _FEWEST else []


def links(page: Any, address: str = _SITE) -> list[Link]:  # noqa: ANN401
    """The entries of a newsticker page (an lxml tree) in their order, however few; `address` is where it was fetched.

    An article listed on two days, as heise+ does, is two entries. Raises BadArticle for an address that can't be read.
    """
    return [_link(teaser, address) for teaser in page.xpath(_TEASERS)]


def read_newsticker(teasers: list[Any], origin: Origin) -> Iterator[Found | Reject]:
    """A headline-only article for each teaser; advertisements are rejects.

    An article that is listed again keeps its first date, so that all its entries make the same article.
    """
    entries: list[Link | BadArticle] = []
    first: dict[str, str] = {}
    for teaser in teasers:
        try:
            entries.append(link := _link(teaser, _SITE))
            first[link.number] = min(first.get(link.number, link.published), link.published)
        except BadArticle as error:
            entries.append(error)
    for number, entry in enumerate(entries, 1):
        place = f"headline {number}"
        try:
            if isinstance(entry, BadArticle):
                raise entry
            if entry.advertisement:
                raise BadArticle("an advertisement, not an article")
            record = entry.record() | {"published": first[entry.number]}
            yield Found(article_from(record, origin), origin.file, place)
        except BadArticle as error:
            yield Reject(origin.file, str(error), place)


def _link(teaser: Any, address: str) -> Link:  # noqa: ANN401
    link = teaser.xpath(".//a[@href and @title]")[0]
    try:
        target = urljoin(address, link.get("href"))
    except ValueError as error:
        raise BadArticle(f"url {link.get('href')[:80]!r} can't be read: {error}") from error
    return Link(
        address=clean_url(target) or target,
        number=teaser.get("data-cid"),
        title=" ".join(link.get("title").split()),
        kicker=" ".join(teaser.xpath(_KICKER).split()),
        published=teaser.xpath("string(.//time/@datetime)").strip(),
        comments=teaser.xpath(_COMMENTS).strip(),
        paid=teaser.xpath(_PAID),
        advertisement=teaser.xpath(_ADVERTISEMENT),
    )
