"""Addresses and ids: which url an article has, and by which id it is known."""

import hashlib
import re
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

from archive.errors import BadArticle

_TRACKING = re.compile(r"(?:utm|wt|mtm|pk|at)_\w+|wtmc|fbclid|gclid|dclid|msclkid|cmpid|xtor|wt-\w+", re.IGNORECASE)
_UNSAFE = re.compile(r"[\s<>\"\x00-\x1f\x7f-\x9f]")  # ends an address, or a link around it, too early
_HEISE_PATH = re.compile(r"-(\d{5,9})\.html$")
_MADE = re.compile(r"[\w.-]+\.\w+-[0-9a-f]{12}|[0-9a-f]{16}")
_HEISE_ID = re.compile(r"https?://(?:www\.)?heise\.de/-(\d{4,9})")


def clean_url(text: str) -> str | None:
    """The address without tracking parameters and fragment; None where it is not http or https.

    Raises BadArticle for what only looks like an address.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
    except ValueError as error:
        raise BadArticle(f"url {text[:80]!r} can't be read: {error}") from error
    query = "&".join(pair for pair in parts.query.split("&") if not _TRACKING.fullmatch(pair.partition("=")[0]))
    address = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    return _UNSAFE.sub(lambda character: quote(character[0]), address)


def host_of(url: str | None) -> str:
    """The host without `www.`, empty without an address."""
    return (urlsplit(url).hostname or "").removeprefix("www.") if url else ""


def is_heise(url: str | None) -> bool:
    """True for addresses of heise online itself, where one number names one article in list, feed and page."""
    host = host_of(url)
    return host == "heise.de" or host.endswith(".heise.de")


def article_id(
    *, given: str, url: str | None, feed_id: str, source: str, title: str, published: datetime | None
) -> str:
    """The id an article is known by, the same whether it came by list, feed or page.

    In this order: the given id; the number in a heise address; the number in a heise feed id; host and hash of the
    address; hash of source, title and date.
    """
    if given:
        return given
    if url and is_heise(url) and (number := _HEISE_PATH.search(urlsplit(url).path)):
        return number[1]
    if number := _HEISE_ID.fullmatch(feed_id):
        return number[1]
    if url:
        return f"{host_of(url)}-{_hash(url)[:12]}"
    return _hash(f"{source}\n{title}\n{published.isoformat() if published else ''}")[:16]


def is_made(article_id: str) -> bool:
    """True for an id that was made of an address, or of source, title and date: one that the publisher didn't give."""
    return _MADE.fullmatch(article_id) is not None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
