"""Atom, RSS and RDF feeds."""

import io
import re
from collections.abc import Iterator
from typing import Any

from archive.errors import BadArticle, SourceError
from ingest.markup import one_line, plain
from ingest.report import Found, Reject
from ingest.sources.raw import too_much
from ingest.sources.records import Origin, article_from

# Feeds need no entities of their own; expat would unfold nested ones to millions of characters before it gives up.
_ENTITY = re.compile(rb"<!ENTITY[^>]*>?", re.IGNORECASE)
# What heise writes in front of titles in its feed alone.
_HEISE_ENTRY = re.compile(r"https?://(?:www\.)?heise\.de/-\d")
_KICKER = re.compile(r"\s*(?:(?P<paid>heise\+\s*\|)|heise-Angebot:)\s*")
# Most feeds repeat the teaser as "content", with a picture and a link around it; a text is clearly longer.
_LONGER_THAN_TEASER = 200


def read_feed(data: bytes, origin: Origin) -> Iterator[Found | Reject]:
    """Each entry's article, or a reject with its number. Raises SourceError where this is no feed."""
    if reason := too_much(data):
        raise SourceError(f"{origin.file}: {reason}")
    import feedparser  # half a second that other commands don't need

    try:
        # A file object: given bytes, feedparser would take those of a short feed for an address or a file name.
        feed = feedparser.parse(io.BytesIO(_ENTITY.sub(b"", data)))
    except Exception as error:  # it notes most damage, but lets through what its loose parser meets
        reason = one_line(f"{type(error).__name__}: {error}")[:120]
        raise SourceError(f"{origin.file}: no feed ({reason}); fetch it again") from error
    if not feed.get("version") and not feed.entries:
        reason = feed.get("bozo_exception") or "no entries"
        raise SourceError(f"{origin.file}: no feed ({one_line(str(reason))[:120]}); expected Atom, RSS or RDF")
    for number, entry in enumerate(feed.entries, 1):
        place = f"entry {number}"
        try:
            yield Found(article_from(_record(entry), origin), origin.file, place)
        except BadArticle as error:
            yield Reject(origin.file, str(error), place)


def _record(entry: Any) -> dict[str, object]:  # noqa: ANN401  # feedparser's dictionary
    content = "\n\n".join(part.get("value") or "" for part in entry.get("content", ()))
    teaser, text = one_line(plain(entry.get("summary") or "")), plain(content)
    if len(text) < len(teaser) + _LONGER_THAN_TEASER:
        teaser, text = teaser or one_line(text), ""
    title = entry.get("title") or ""
    updated = dict.get(entry, "updated")  # the entry's own get() would give the other date where this is missing
    kicker = _KICKER.match(title) if _HEISE_ENTRY.match(entry.get("id") or "") else None
    return {
        "feed_id": entry.get("id"),
        "url": entry.get("link"),
        "title": title[kicker.end() :] if kicker else title,
        "teaser": teaser,
        "text": text,
        "published": entry.get("published") or updated,
        "modified": updated,
        "comments": entry.get("slash_comments") or entry.get("thr_total"),
        "paid": bool(kicker and kicker["paid"]),
        "authors": [name for author in entry.get("authors", ()) if (name := author.get("name"))],
        "topics": [term for tag in entry.get("tags", ()) if (term := tag.get("term"))],
    }
