"""What the ledger hands out beside articles and passages, and how its rows become them."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from archive.articles import Article, Passage

COLUMNS = (
    "id", "source", "url", "title", "teaser", "text", "published", "authors", "topics", "comments", "content_hash",
    "paid", "modified",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds for an id, enough to tell a repeat, a new version and a collision apart.

    `whole`: its text is held, or of a paid article the teaser.
    """

    content_hash: str
    source: str
    title: str
    whole: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Record:
    """An article with its history here: `added` and `updated` (stored anew with another text), aware.

    `version` counts from 1. `withdrawn` is when its publisher was found to have taken it down; it is cited no more.
    """

    article: Article
    version: int
    added: datetime
    updated: datetime | None
    withdrawn: datetime | None


@dataclass(frozen=True, slots=True)
class Pending:
    """Work noted for the indexes; `last` is the newest note.

    `removed` are passages to take out, as (id, Unix seconds that it was published or None), before `passages` are
    added: one of a new version of its article is in both, since its date may have changed.
    """

    passages: tuple[Passage, ...]
    removed: tuple[tuple[str, int | None], ...]
    last: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the archive holds; `pending` are passages whose index work is still to be done."""

    articles: int
    passages: int
    pending: int


def stamp() -> str:
    """Now, as the ledger writes it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def article_values(article: Article) -> tuple[Any, ...]:
    """What is stored of an article, in the order of COLUMNS."""
    return (
        article.id, article.source, article.url, article.title, article.teaser, article.text,
        article.published.isoformat() if article.published else None,
        json.dumps(article.authors, ensure_ascii=False), json.dumps(article.topics, ensure_ascii=False),
        article.comments, article.content_hash, int(article.paid),
        article.modified.isoformat() if article.modified else None,
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def article_of(row: sqlite3.Row) -> Article:
    """The article in a row of the table."""
    return Article(
        id=row["id"], title=row["title"], text=row["text"], teaser=row["teaser"],
        published=_moment(row["published"]), url=row["url"], source=row["source"],
        authors=tuple(json.loads(row["authors"])), topics=tuple(json.loads(row["topics"])), comments=row["comments"],
        paid=bool(row["paid"]), modified=_moment(row["modified"]),
    )  # fmt: skip


def known_of(row: sqlite3.Row) -> Known:
    """What is enough to know of the article in a row of the table, with `whole` selected beside it."""
    return Known(row["content_hash"], row["source"], row["title"], bool(row["whole"]), row["withdrawn"] is not None)


def record_of(row: sqlite3.Row) -> Record:
    """The article in a row of the table, with its history."""
    added, updated, withdrawn = (_moment(row[name]) for name in ("added", "updated", "withdrawn"))
    assert added is not None  # the column is NOT NULL
    return Record(article_of(row), row["version"], added, updated, withdrawn)


def passage_of(row: sqlite3.Row) -> Passage:
    """The passage in a row of both tables."""
    return Passage(
        id=row["id"], article_id=row["article_id"], position=row["position"], text=row["text"], title=row["title"],
        published=_moment(row["published"]), url=row["url"], source=row["source"],
    )  # fmt: skip
