"""export(): the archive's articles as JSON Lines that an ingest turns into the same articles again.

Cleaning takes markup out of what it reads, so an article about HTML can't always be written as it stands: `&lt;p&gt;`
was read, `<p>` is held, and would be taken for a tag. Each line is therefore read back before it is written, and where
another article came of it, its texts are written as the markup that they are the text of.
"""

import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from archive.articles import Article, Period, day_of
from archive.errors import BadArticle
from ingest.clean import clean
from ingest.sources.records import Origin, article_from


@dataclass(frozen=True, slots=True)
class Line:
    """One article as a line of JSON without its end; `alike` is whether an ingest makes the same article of it."""

    text: str
    article: Article
    alike: bool


def export(articles: Iterable[Article], period: Period | None = None, source: str = "") -> Iterator[Line]:
    """Lines of those articles that were published in `period` (undated ones in none) by `source` (any where empty)."""
    origin = Origin("export", "export", datetime.now(UTC))
    for article in articles:
        if (not source or article.source == source) and (period is None or _within(article, period)):
            yield _line(article, origin)


def _within(article: Article, period: Period) -> bool:
    if article.published is None:
        return False
    day = day_of(article.published)
    return (period.start is None or day >= period.start) and (period.end is None or day <= period.end)


def _line(article: Article, origin: Origin) -> Line:
    record = _record(article)
    for written in (record, _marked_up(record)):
        if _read_back(written, origin) == article:
            return Line(_json(written), article, alike=True)
    return Line(_json(record), article, alike=False)


def _json(record: dict[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False)


def _read_back(record: dict[str, object], origin: Origin) -> Article | None:
    try:
        return clean(article_from(record, origin))
    except BadArticle:
        return None


def _record(article: Article) -> dict[str, object]:
    """The fields that an ingest reads, those that are empty left out."""
    fields: dict[str, object] = {
        "id": article.id, "url": article.url, "title": article.title, "teaser": article.teaser, "text": article.text,
        "published": article.published and article.published.isoformat(),
        "modified": article.modified and article.modified.isoformat(),
        "source": article.source, "authors": list(article.authors), "topics": list(article.topics),
        "comments": article.comments, "paid": article.paid or None,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _marked_up(record: dict[str, object]) -> dict[str, object]:
    return record | {name: _escaped(name, record[name]) for name in _TEXTS if name in record}


_TEXTS = ("title", "teaser", "text", "authors", "topics")


def _escaped(name: str, value: object) -> object:
    if isinstance(value, list):
        return [html.escape(str(one), quote=False) for one in value]
    if name == "text":
        return "".join(f"<p>{html.escape(paragraph, quote=False)}</p>" for paragraph in str(value).split("\n\n"))
    return html.escape(str(value), quote=False)
