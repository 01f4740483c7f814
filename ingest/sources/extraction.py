"""extract(): title, teaser and text out of an article's page, by whichever reader reads it best.

Fundus knows the pages of some fifty German publishers, each in the layouts of several years; trafilatura reads any
page, with now and then a line too many. So fundus goes first where it knows the host, and trafilatura holds it to
account: what fundus makes of a page counts if it has title, date, and at least half of the words that trafilatura
found. A parser that a new layout has outdated keeps a few paragraphs or none, which this tells apart from one that
leaves boxes and link lists out. Where the parsers of several layouts pass, the one counts that trafilatura agrees with
most.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from archive.errors import BadArticle
from ingest.sources.gaps import filled
from ingest.sources.ids import host_of

log = logging.getLogger(__name__)

_SHARE = 0.5  # of trafilatura's words that fundus' text must have
_COUNTRIES = ("de", "at", "ch")
_DATE_LINE = re.compile(
    r"(?:(?:Stand|Erstellt):?\s*)?\d{1,2}\.\s?(?:\d{1,2}\.|[A-Z][a-zä]+)\s?\d{4}\W*(?:\d{1,2}[:.]\d\d(?:\sUhr)?)?"
)


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read off a page; `text` holds paragraphs separated by blank lines, `published` is as it was found."""

    title: str = ""
    teaser: str = ""
    text: str = ""
    published: str = ""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


def extract(html: str, page: Any, url: str, *, paid: bool = False) -> Extract:  # noqa: ANN401  # lxml has no types
    """The best reading of `html`, of which `page` is the tree and `url` the address. Raises BadArticle for none.

    Of a `paid` page the text may be missing; what it has is held to no measure, since most of it is an offer.
    """
    plainest = by_trafilatura(html, url) or Extract()
    readings = [found for found in by_fundus(html, url) if found.title and found.published]
    words = len(plainest.text.split())
    passing = [found for found in readings if found.text and len(found.text.split()) >= _SHARE * words]
    if best := max(passing, key=lambda found: _agreement(found.text, plainest.text), default=None):
        return _completed(best, plainest, page)
    if paid and readings:
        longest = max(readings, key=lambda found: len(found.text))
        return replace(longest, teaser=longest.teaser or plainest.teaser, text=longest.text or plainest.text)
    if not plainest.title:
        raise BadArticle("no article found on this page: it needs a title and a text")
    return plainest


def _agreement(one: str, other: str) -> float:
    """F1 over words, each counted as often as it stands there."""
    ours, theirs = Counter(one.split()), Counter(other.split())
    return 2 * (ours & theirs).total() / max(ours.total() + theirs.total(), 1)


def _completed(found: Extract, plainest: Extract, page: Any) -> Extract:  # noqa: ANN401
    teaser = found.teaser or plainest.teaser
    others = set(plainest.text.split("\n\n")) - {teaser}
    return replace(found, teaser=teaser, text="\n\n".join(filled(found.text.split("\n\n"), page, others)))


def by_fundus(html: str, url: str) -> Iterator[Extract]:
    """One reading for each layout that fundus knows of this host, the newest first; none for other hosts."""
    host = host_of(url)
    parsers = _fundus_parsers(host) if host else ()
    for parser in parsers:
        try:
            yield _reading(parser().parse(html, "suppress"))
        except Exception as error:
            # Any error: it is another project's parser over pages of thirty years, and trafilatura comes after it.
            log.warning("fundus can't read this page of %s (%s: %s)", host, type(error).__name__, error)


def _reading(found: Mapping[str, Any]) -> Extract:
    body = found.get("body")
    parts = [part for section in body.sections for part in (*section.headline, *section.paragraphs)] if body else ()
    return Extract(
        title=str(found.get("title") or "").strip(),
        teaser=" ".join(body.summary) if body else "",
        text="\n\n".join(" ".join(part.split()) for part in parts if part.strip()),
        published=str(found.get("publishing_date") or ""),
        authors=tuple(found.get("authors") or ()),
        topics=tuple(found.get("topics") or ()),
    )


@cache
def _fundus_parsers(host: str) -> tuple[Any, ...]:
    """Parser classes of the publisher whose site the host is or lies below, newest layout first."""
    for domain, versions in _fundus_publishers().items():
        if host == domain or host.endswith(f".{domain}"):
            return versions
    return ()


@cache
def _fundus_publishers() -> dict[str, tuple[Any, ...]]:
    """By host without `www.`; loading fundus takes two seconds, so not before the first page."""
    try:
        from fundus import PublisherCollection

        return {
            (urlsplit(publisher.domain).hostname or "").removeprefix("www."): tuple(publisher.parser)
            for country in _COUNTRIES
            for publisher in getattr(PublisherCollection, country, ())
        }
    except Exception as error:
        log.warning("fundus can't be loaded (%s: %s); trafilatura reads all pages", type(error).__name__, error)
        return {}


def by_trafilatura(html: str, url: str) -> Extract | None:
    """Trafilatura's reading; None where it finds no title or no text."""
    import trafilatura

    try:
        found = trafilatura.bare_extraction(
            html, url=url or None, with_metadata=True, include_comments=False, favor_precision=True
        )
    except Exception as error:  # as above; a page that breaks it is one reject
        log.warning("trafilatura can't read this page (%s: %s)", type(error).__name__, error)
        return None
    if found is None:
        return None
    values = found if isinstance(found, dict) else found.as_dict()
    title, teaser = values.get("title") or "", values.get("description") or ""
    title = re.sub(rf"\s+[|–-]\s+{re.escape(values.get('sitename') or title)}$", "", title).strip()
    authors = _people(values.get("author") or "", values.get("sitename") or "")
    paragraphs = [line.strip() for line in (values.get("text") or "").split("\n") if line.strip()]
    while paragraphs and _is_head(paragraphs[0], title, teaser, authors):
        del paragraphs[0]
    if not (title and paragraphs):
        return None
    tags = tuple(tag for tags in values.get("tags") or () for tag in re.split(r"\s*,\s*", tags) if tag)
    return Extract(title, teaser, "\n\n".join(paragraphs), values.get("date") or "", authors, tags)


def _people(authors: str, site: str) -> tuple[str, ...]:
    """Authors apart, none where what was taken for them is the site's own name."""
    if set(re.findall(r"\w+", authors.lower())) <= set(re.findall(r"\w+", site.lower())):
        return ()
    return tuple(name for name in re.split(r";\s*", authors) if name)


def _is_head(line: str, title: str, teaser: str, authors: tuple[str, ...]) -> bool:
    """What stands above the text is not the text: title, teaser, date and authors over again."""
    return line in title or line == teaser or line.removeprefix("- ") in authors or bool(_DATE_LINE.fullmatch(line))
