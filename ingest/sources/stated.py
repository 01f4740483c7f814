"""What a page says of itself to machines: schema.org's article in JSON-LD, Open Graph, plain meta tags."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KINDS = ("Article", "BlogPosting", "Report", "Review")  # what types of articles end in at schema.org
_NESTS = ("@graph", "mainEntity", "mainEntityOfPage")  # where the article of a page may lie deeper; lists hold others
_DATES = (
    "//meta[@property='article:published_time']/@content",
    "//meta[@name='date' or @itemprop='datePublished']/@content",
)
_MODIFIED = "//meta[@property='article:modified_time']/@content"


@dataclass(frozen=True, slots=True)
class Stated:
    """As the page writes it, unchecked; empty where it says nothing.

    `paid` is true where the page itself says that it is not free to read (schema.org's isAccessibleForFree).
    """

    published: str = ""
    modified: str = ""
    authors: tuple[str, ...] = ()
    comments: str = ""
    paid: bool = False


def stated(page: Any) -> Stated:  # noqa: ANN401  # lxml has no types
    """What the page (an lxml tree) says of its one article."""
    article, date_anywhere = _scripted(page)
    published = _string(article.get("datePublished")) or date_anywhere
    return Stated(
        published=published or next((found for path in _DATES if (found := _first(page, path))), ""),
        modified=_string(article.get("dateModified")) or _first(page, _MODIFIED),
        authors=tuple(_names(article.get("author"))),
        comments=_string(article.get("commentCount")),
        paid=str(article.get("isAccessibleForFree", "")).lower() in ("false", "http://schema.org/false"),
    )


def _scripted(page: Any) -> tuple[Mapping[str, object], str]:  # noqa: ANN401
    """The article of the page's JSON-LD, and the first date in it at any depth."""
    article: Mapping[str, object] = {}
    published = ""
    for script in page.xpath("//script[@type='application/ld+json']/text()"):
        try:
            data = json.loads(script)
            article = article or _article(data)
            published = published or _date_in(data)
        except (ValueError, RecursionError):
            continue
    return article, published


def _article(data: object) -> Mapping[str, object]:
    """The first article that is no item of a list: lists are of teasers, whose dates and prices are their own."""
    if isinstance(data, list):
        return next((found for value in data if (found := _article(value))), {})
    if not isinstance(data, Mapping):
        return {}
    kinds = data.get("@type")
    if any(str(kind).endswith(_KINDS) for kind in (kinds if isinstance(kinds, list) else [kinds])):
        return data
    return next((found for nest in _NESTS if (found := _article(data.get(nest)))), {})


def _date_in(data: object) -> str:
    nested: list[object] = []
    if isinstance(data, Mapping):
        if isinstance(data.get("datePublished"), str):
            return str(data["datePublished"])
        nested = [value for value in data.values() if isinstance(value, dict | list)]
    elif isinstance(data, list):
        nested = data
    return next((found for value in nested if (found := _date_in(value))), "")


def _names(author: object) -> Iterator[str]:
    for one in author if isinstance(author, list) else [author]:
        name = _string(one.get("name") if isinstance(one, Mapping) else one)
        if name and not name.startswith("http"):
            yield name


def _string(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _first(page: Any, path: str) -> str:  # noqa: ANN401
    return str(page.xpath(f"string({path})")).strip()
