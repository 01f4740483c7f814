"""Articles spread over several pages: where the others are, and one address for all of them."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from archive.errors import BadArticle
from ingest.sources.ids import clean_url

# `?seite=2`, `?seite=all` (heise), `?page=2`, `/seite-2`, `/komplettansicht` (Zeit)
_IN_QUERY = re.compile(r"(seite|page|p)=(\d{1,3}|all)")
_IN_PATH = re.compile(r"/(?:seite-(\d{1,3})|(komplettansicht))/?$")


@dataclass(frozen=True, slots=True)
class Parts:
    """The other pages of an article: `whole` has all of it, `numbered` are those after the first, in order."""

    whole: str = ""
    numbered: tuple[str, ...] = ()


def first_part(address: str) -> str:
    """The address without what names a part; the same for every page of an article."""
    parts = urlsplit(address)
    query = "&".join(pair for pair in parts.query.split("&") if not _IN_QUERY.fullmatch(pair))
    return urlunsplit((parts.scheme, parts.netloc, _IN_PATH.sub("", parts.path), query, ""))


def other_parts(page: Any, address: str) -> Parts:  # noqa: ANN401  # lxml has no types
    """What the page (an lxml tree) links to of the same article.

    `rel=next` alone tells nothing: many publishers link the next article with it. And `?page=2` in a link of the page
    may be of its comments, so that counts with `rel=next` only.
    """
    whole = ""
    numbered: dict[int, str] = {}
    here = first_part(clean_url(address) or "")
    following = page.xpath("//link[@rel='next']/@href | //a[contains(concat(' ', @rel, ' '), ' next ')]/@href")
    for href in (*following, *page.xpath("//a/@href[contains(., 'seite') or contains(., 'komplettansicht')]")):
        part = _absolute(href, address)
        if not part or first_part(part) != here:
            continue
        name = _part(part, comments=href not in following)
        if name in ("all", "komplettansicht"):
            whole = whole or part
        elif name.isdigit() and int(name) > 1:
            numbered.setdefault(int(name), part)
    return Parts(whole, tuple(numbered[number] for number in sorted(numbered)))


def _absolute(href: str, address: str) -> str | None:
    try:
        return clean_url(urljoin(address, href))
    except (ValueError, BadArticle):
        return None


def _part(address: str, *, comments: bool) -> str:
    """The number or name of a part, empty for the first; with `comments`, `page` and `p` may count those."""
    parts = urlsplit(address)
    for pair in parts.query.split("&"):
        if (match := _IN_QUERY.fullmatch(pair)) and not (comments and match[1] != "seite"):
            return match[2]
    match = _IN_PATH.search(parts.path)
    return (match[1] or match[2]) if match else ""
