"""Sources on the wire: as every answer carries them, as Open WebUI shows them, and as OpenAI cites addresses."""

import re
from collections.abc import Sequence
from typing import Any

from server.escaping import markdown
from server.events import Finished, Source

_NEWEST = " (neueste Meldung dazu)"  # behind a title in the list of sources
_CITED = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")


def source_json(source: Source) -> dict[str, Any]:
    """A source as every answer carries it."""
    return {
        "number": source.number, "article_id": source.article_id, "title": source.title, "url": source.url,
        "published": source.published.isoformat() if source.published else None,
        "passage": source.passage, "score": round(source.score, 4),
        "twins": list(source.twins), "newest": source.newest,
    }  # fmt: skip


def extras_json(finished: Finished) -> dict[str, Any]:
    """Our top-level keys of an answer."""
    held = finished.grounding
    extras: dict[str, Any] = {
        "sources": [
            source_json(source) | {"cited": held.cited[source.number] if held else 0} for source in finished.sources
        ],
        "timings": dict(finished.timings),
        "archive": {**finished.understood, "abstained": finished.abstained} if finished.understood else {},
    }
    if held is not None:
        extras["grounding"] = {
            "supported": held.supported, "corrected": held.corrected, "unsupported": held.unsupported,
            "withheld": held.withheld, "unquoted": held.unquoted,
        }  # fmt: skip
    return extras


def webui_source(source: Source) -> dict[str, Any]:
    """A source as Open WebUI's citation event. The key is no address, or the browser would fetch a favicon for it.

    Open WebUI renders the document as Markdown, so the passage is escaped.
    """
    key = f"archiv-{source.article_id}"
    name = f"[{source.number}] {source.title}{_NEWEST if source.newest else ''}"
    return {
        "source": {"id": key, "name": name, "url": source.url},
        "document": [markdown(source.passage)],
        "metadata": [{"source": key, "name": name}],
    }


def citations(text: str, sources: Sequence[Source]) -> list[dict[str, Any]]:
    """OpenAI's `url_citation` for each `[n]` in the text that is a source's; the indexes count characters."""
    by_number = {source.number: source for source in sources}
    return [
        {"type": "url_citation", "start_index": found.start(), "end_index": found.end(),
         "url": by_number[number].url, "title": by_number[number].title}
        for found in _CITED.finditer(text)
        for number in map(int, found[1].split(","))
        if number in by_number
    ]  # fmt: skip
