"""Saved or fetched HTML pages: fundus knows heise's, trafilatura reads all others."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from archive.errors import BadArticle
from ingest.report import Found, Reject
from ingest.sources.ids import is_heise
from ingest.sources.newsticker import headlines, read_newsticker
from ingest.sources.raw import decode
from ingest.sources.records import Origin, article_from

log = logging.getLogger(__name__)

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")  # lxml refuses decoded text that still names an encoding


def read_page(data: bytes, origin: Origin, address: str = "") -> Iterator[Found | Reject]:
    """The page's one article, or all headlines of a newsticker page; `address` is where it was fetched, if it was."""
    html = _DECLARATION.sub("", decode(data))
    try:
        page = _parsed(html)
        if teasers := headlines(page):
            yield from read_newsticker(teasers, origin)
        else:
            yield Found(article_from(_record(html, page, address), origin), origin.file)
    except BadArticle as error:
        yield Reject(origin.file, str(error))


def _parsed(html: str) -> Any:  # noqa: ANN401  # lxml has no types
    from lxml import etree  # type: ignore[import-untyped]
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]

    try:
        return document_fromstring(html.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError) as error:
        raise BadArticle(f"no HTML: {error}") from error


def _record(html: str, page: Any, address: str) -> dict[str, object]:  # noqa: ANN401
    url = _canonical(page, address)
    record = _by_fundus(html) if is_heise(url) else {}
    if not (record.get("title") and record.get("text")):
        record = _by_trafilatura(html, url)
    if not (record["title"] and record["text"]):
        raise BadArticle("no article found on this page: it needs a title and a text")
    return record | {"url": url, "published": _published(page) or record["published"]}


def _canonical(page: Any, address: str) -> str:  # noqa: ANN401
    """Heise's canonical links leave the host out; og:url, or where the page was fetched, has it."""
    shared = str(page.xpath("string(//meta[@property='og:url']/@content)")).strip()
    canonical = str(page.xpath("string(//link[@rel='canonical']/@href)")).strip()
    try:
        return urljoin(shared or address, canonical or shared or address)
    except ValueError as error:
        raise BadArticle(f"canonical link {canonical[:80]!r} can't be read: {error}") from error


def _published(page: Any) -> str:  # noqa: ANN401
    """With the time of day, which trafilatura leaves out: schema.org's data, else Open Graph's."""
    for script in page.xpath("//script[@type='application/ld+json']/text()"):
        try:
            found = _date_in(json.loads(script))
        except (ValueError, RecursionError):
            continue
        if found:
            return found
    return str(page.xpath("string(//meta[@property='article:published_time']/@content)")).strip()


def _date_in(data: object) -> str:
    nested: list[object] = []
    if isinstance(data, Mapping):
        if isinstance(data.get("datePublished"), str):
            return str(data["datePublished"])
        nested = [value for value in data.values() if isinstance(value, dict | list)]
    elif isinstance(data, list):
        nested = data
    return next((found for value in nested if (found := _date_in(value))), "")


def _by_fundus(html: str) -> dict[str, object]:
    """What fundus' heise parser finds; empty where it can't be loaded or fails on this page."""
    try:
        from fundus.publishers.de.heise import HeiseParser

        parser: Any = HeiseParser  # fundus annotates its parsers' results, not their factories
        found = parser()().parse(html, "suppress")
    except Exception as error:
        # Any error: it is another project's parser over pages of thirty years, and trafilatura comes after it.
        log.warning("fundus can't read this heise page (%s: %s); trafilatura reads it", type(error).__name__, error)
        return {}
    body = found.get("body")
    paragraphs = (
        [part for section in body.sections for part in (*section.headline, *section.paragraphs)] if body else []
    )
    return {
        "title": found.get("title"),
        "teaser": " ".join(body.summary) if body else "",
        "text": "\n\n".join(paragraphs),
        "published": str(found.get("publishing_date") or ""),
        "authors": list(found.get("authors") or ()),
        "topics": list(found.get("topics") or ()),
    }


def _by_trafilatura(html: str, url: str) -> dict[str, object]:
    import trafilatura

    try:
        found = trafilatura.bare_extraction(html, url=url or None, with_metadata=True, include_comments=False)
    except Exception as error:  # as above; a page that breaks it is one reject
        raise BadArticle(f"no article found: {type(error).__name__}: {error}") from error
    if found is None:
        raise BadArticle("no article found on this page: it needs a title and a text")
    values = found if isinstance(found, dict) else found.as_dict()
    title, teaser = values.get("title") or "", values.get("description") or ""
    title = re.sub(rf"\s+[|–-]\s+{re.escape(values.get('sitename') or title)}$", "", title)
    paragraphs = [line.strip() for line in (values.get("text") or "").split("\n") if line.strip()]
    while paragraphs and (paragraphs[0] in title or paragraphs[0] == teaser):
        del paragraphs[0]  # what stands above the text is not the text
    return {
        "title": title,
        "teaser": teaser,
        "text": "\n\n".join(paragraphs),
        "published": values.get("date") or "",
        "authors": values.get("author") or "",
        "topics": ", ".join(values.get("tags") or ()),
    }
