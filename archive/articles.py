"""The nouns of the whole program: Article, Passage, Hit, Period."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# German news is dated in German time: a day in a question means a day in this zone.
TIME_ZONE = ZoneInfo("Europe/Berlin")

MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip


def day_of(moment: datetime) -> date:
    """The day of a moment in the time zone of the archive; of one without a zone, its own."""
    return moment.astimezone(TIME_ZONE).date() if moment.tzinfo else moment.date()


def day_now() -> date:
    """The day it is in the time zone of the archive."""
    return day_of(datetime.now(TIME_ZONE))


def german_date(moment: date) -> str:
    """`3. Mai 2023`, in the time zone of the archive for aware datetimes."""
    if isinstance(moment, datetime):
        moment = day_of(moment)
    return f"{moment.day}. {MONTHS[moment.month - 1]} {moment.year}"


@dataclass(frozen=True, slots=True)
class Article:
    """One news article as it was read: plain text only, no markup.

    `text` holds paragraphs separated by blank lines and is empty where only a headline is known. `published` is aware
    (time zone set) or None where undated, `modified` when its publisher last changed it, as far as it says so.
    `source` is the host name of the publisher, or what the file calls it. `paid`: only the beginning is free to read.
    """

    id: str
    title: str
    text: str = ""
    teaser: str = ""
    published: datetime | None = None
    url: str | None = None
    source: str = ""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    comments: int | None = None
    paid: bool = False
    modified: datetime | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 over what an answer could show; two articles with the same hash are the same version."""
        shown = (self.title, self.teaser, self.text, self.url, self.published and self.published.isoformat())
        return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an article, short enough to embed; it carries what a source line needs.

    `position` counts from 0 within the article; `id` is `<article id>#<position>`.
    """

    id: str
    article_id: str
    position: int
    text: str
    title: str
    published: datetime | None = None
    url: str | None = None
    source: str = ""

    @property
    def embedded_text(self) -> str:
        """What is embedded and reranked: title and date in front, since the text rarely repeats them."""
        head = f"{self.title} ({german_date(self.published)})" if self.published else self.title
        return f"{head}\n{self.text}" if self.text != self.title else head

    @property
    def content_hash(self) -> str:
        """Over what the indexes hold of it, so that their entry can be told from that of another version."""
        moment = self.published.isoformat() if self.published else ""
        return hashlib.sha256(f"{moment}\n{self.embedded_text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query.

    `score` is the score of the last stage that saw it, higher is better; `scores` holds those of every stage by name
    (`dense`: cosine, `words`: BM25, `fused`: z-score sum, `reranked`: probability 0 to 1, `logit`: the reranker's own).
    `twins` are the articles that report the same event in nearly the same words; `newest` marks the newest among them.
    """

    passage: Passage
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)
    twins: tuple[str, ...] = ()
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both inclusive; None leaves that side open."""

    start: date | None = None
    end: date | None = None

    def timestamps(self) -> tuple[int | None, int | None]:
        """The period as Unix seconds, [first, last], for the filters of the indexes."""
        first = datetime.combine(self.start, time.min, TIME_ZONE) if self.start else None
        after = datetime.combine(self.end + timedelta(days=1), time.min, TIME_ZONE) if self.end else None
        return (
            int(first.timestamp()) if first else None,
            int(after.timestamp()) - 1 if after else None,
        )
