"""Saved or fetched HTML pages: the one article of a page, or the headlines of a newsticker page."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from archive.articles import Article
from archive.errors import BadArticle, SourceError
from ingest.report import Found, Reject
from ingest.sources.extraction import Extract, extract
from ingest.sources.ids import clean_url
from ingest.sources.newsticker import headlines, read_newsticker
from ingest.sources.parts import first_part, other_parts
from ingest.sources.paywall import free_part, is_paid
from ingest.sources.records import Origin, article_from
from ingest.sources.stated import stated
from ingest.sources.tree import parsed
from ingest.web.visits import Fetched, Gone, Unchanged

Visit = Callable[[str], Fetched | Unchanged | Gone]

_FEWEST_WORDS = 5
_MOST_PARTS = 50


def read_page(data: bytes, origin: Origin, address: str = "", visit: Visit | None = None) -> Iterator[Found | Reject]:
    """The page's one article, or all headlines of a newsticker page; `address` is where it was fetched, if it was.

    With `visit` the other pages of an article spread over several are fetched too.
    """
    try:
        html, page = parsed(data)
        if teasers := headlines(page):
            yield from read_newsticker(teasers, origin)
        elif visit and address:
            yield Found(_whole_article(html, page, address, origin, visit), origin.file)
        else:
            yield Found(_article(html, page, address, origin), origin.file)
    except BadArticle as error:
        yield Reject(origin.file, str(error))


def read_article(fetched: Fetched, origin: Origin, visit: Visit) -> Article:
    """The article that a fetched page is one of; its other pages are fetched and joined to it.

    Raises BadArticle where the page, or one of the others, holds none.
    """
    html, page = parsed(fetched.data)
    if headlines(page):
        raise BadArticle("a list of headlines, not an article")
    return _whole_article(html, page, fetched.address, origin, visit)


def _article(html: str, page: Any, address: str, origin: Origin) -> Article:  # noqa: ANN401
    url = first_part(clean_url(_canonical(page, address)) or "")
    says = stated(page)
    paid = says.paid or is_paid(page)
    found = extract(html, page, url, paid=paid)
    _check(found, paid=paid)
    return article_from(
        {
            "url": url,
            "title": found.title,
            "teaser": found.teaser,
            "text": free_part(found.text) if paid else found.text,
            "published": says.published or found.published,
            "modified": says.modified,
            "authors": found.authors or says.authors,
            "topics": found.topics,
            "comments": says.comments,
            "paid": paid,
        },
        origin,
    )


def _check(found: Extract, *, paid: bool) -> None:
    """Of a paid article the teaser suffices; title and some text make the others."""
    if not found.title or not (found.teaser if paid else len(found.text.split()) >= _FEWEST_WORDS):
        raise BadArticle("no article found on this page: it needs a title and a text")


def _canonical(page: Any, address: str) -> str:  # noqa: ANN401
    """Heise's canonical links leave the host out; og:url, or where the page was fetched, has it."""
    shared = str(page.xpath("string(//meta[@property='og:url']/@content)")).strip()
    canonical = str(page.xpath("string(//link[@rel='canonical']/@href)")).strip()
    try:
        return urljoin(shared or address, canonical or shared or address)
    except ValueError as error:
        raise BadArticle(f"canonical link {canonical[:80]!r} can't be read: {error}") from error


def _whole_article(html: str, page: Any, address: str, origin: Origin, visit: Visit) -> Article:  # noqa: ANN401
    """The article with the text of all its pages: of the one that has it whole, else of each in turn."""
    if (start := first_part(address)) != address:
        address = start
        html, page = _fetched(address, visit)
    article = _article(html, page, address, origin)
    parts = other_parts(page, address)
    if parts.whole:
        try:
            whole = _article(*_fetched(parts.whole, visit), address, origin)
        except (BadArticle, SourceError):
            pass  # the parts are the same text
        else:
            if len(whole.text) > len(article.text):
                return replace(article, text=whole.text)
    texts, seen, waiting = [article.text], {address}, list(parts.numbered)
    while waiting and len(seen) < _MOST_PARTS:
        if (part := waiting.pop(0)) in seen:
            continue
        seen.add(part)
        html, page = _fetched(part, visit)
        texts.append(_article(html, page, part, origin).text)
        waiting += other_parts(page, part).numbered
    return replace(article, text=_joined(texts))


def _fetched(address: str, visit: Visit) -> tuple[str, Any]:
    try:
        outcome = visit(address)
    except SourceError as error:
        raise BadArticle(f"one page of the article can't be read: {error}") from error
    if not isinstance(outcome, Fetched):
        raise BadArticle(f"one page of the article is not there: {address}")
    return parsed(outcome.data)


def _joined(texts: list[str]) -> str:
    """One text; what every page repeats above its part stands there once."""
    paragraphs = (paragraph for text in texts for paragraph in text.split("\n\n"))
    return "\n\n".join(dict.fromkeys(paragraphs)) if len(texts) > 1 else texts[0]
