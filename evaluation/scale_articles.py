"""Articles for tests of scale: real sentences in new order, vectors around real ones, dates as an archive has them."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage
from archive.embedding import Embedder
from archive.errors import SourceError
from archive.settings import Settings
from ingest.split import sentences, split

SAMPLE = Path(__file__).resolve().parent.parent / "sample" / "articles.jsonl"
BATCH = 500  # articles in one transaction, as in an ingest

_PASSAGES = (2, 8)  # of an article, both inclusive
_SENTENCES = (4, 7)  # of a passage: about 700 characters
_MOST_ARTICLES, _MOST_VECTORS = 4000, 20_000
# Length of the noise beside a vector of length 1: a cosine of 0.94 to the real one. The nearest neighbours of real
# passages of a news archive were measured at 0.92.
_NOISE = 0.35


@dataclass(frozen=True, slots=True)
class Material:
    """What is recombined: sentences, titles, vectors of passages (n, d)."""

    sentences: tuple[str, ...]
    titles: tuple[str, ...]
    vectors: NDArray[np.float32]


def gather(settings: Settings, embedder: Embedder) -> Material:
    """From the archive in `settings.home` where it holds texts, else from the sample articles."""
    if (settings.home / "ledger.sqlite3").exists():
        archive = Archive.open(settings, embedder)
        held = list(archive.ledger.articles())
        articles = [article for article in held if article.text][-_MOST_ARTICLES:]
        ids = [passage.id for article in held for passage in archive.ledger.passages_of(article.id)]
        vectors = archive.index.vectors_of(ids[-_MOST_VECTORS:])
        archive.close()
        if articles and vectors:
            return _material(articles, np.stack(list(vectors.values())))
    records = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    articles = [Article(id=record["id"], title=record["title"], text=record["text"]) for record in records]
    texts = [passage.embedded_text for article in articles for passage in split(article)]
    return _material(articles, embedder.embed_passages(texts))


def _material(articles: Sequence[Article], vectors: NDArray[np.float32]) -> Material:
    found = {
        sentence
        for article in articles
        for paragraph in re.split(r"\n+", article.text)
        for sentence in sentences(paragraph)
        if 40 <= len(sentence) <= 300
    }
    return Material(tuple(sorted(found)), tuple(article.title for article in articles), vectors)


class DrawnEmbedder:
    """Stands in for the embedder while an archive is filled: to embed 1.5 million passages would take hours."""

    def __init__(self, name: str, around: NDArray[np.float32]) -> None:
        self.name = name
        self.dimensions = around.shape[1]
        self._around = around
        self._random = np.random.default_rng(0)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors around real ones, whatever the texts."""
        near = self._around[self._random.integers(0, len(self._around), len(texts))]
        noise = self._random.standard_normal(near.shape, np.float32) * np.float32(_NOISE / self.dimensions**0.5)
        drawn = near + noise
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)

    embed_queries = embed_passages


def read_days(path: Path | None) -> list[tuple[date, float]]:
    """(day, articles) in order, from a CSV with the columns `date` and `articles`; without one, 25 growing years.

    Raises SourceError where the file is none of these.
    """
    if path is None:
        first = date(2001, 1, 1)
        return [(first + timedelta(days=day), 5 + day / 200) for day in range(9131)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            days = sorted((date.fromisoformat(row["date"]), float(row["articles"])) for row in csv.DictReader(file))
    except (OSError, UnicodeError, KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path}: {error!r}; it takes a CSV with the columns date and articles") from error
    if not any(articles > 0 for _, articles in days):
        raise SourceError(f"{path} names no articles; it takes a CSV with the columns date and articles")
    return days


def moments(days: Sequence[tuple[date, float]], articles: int) -> list[datetime]:
    """When each of so many articles is published, in order, so that they spread like `days`."""
    share = np.cumsum([count for _, count in days])
    places = np.searchsorted(share, (np.arange(articles) + 0.5) / articles * share[-1])
    seconds = np.random.default_rng(1).integers(0, 86_400, articles)
    noon = (datetime.combine(days[place][0], time(0), TIME_ZONE) for place in places)
    return sorted(start + timedelta(seconds=int(second)) for start, second in zip(noon, seconds, strict=True))


def draw(
    material: Material, published: Sequence[datetime], first_batch: int = 0
) -> Iterator[list[tuple[Article, list[Passage]]]]:
    """Batches of articles with their passages; a batch is the same whichever one is drawn first."""
    for batch in range(first_batch, -(-len(published) // BATCH)):
        random = np.random.default_rng([2, batch])
        numbers = range(batch * BATCH, min((batch + 1) * BATCH, len(published)))
        yield [_article(material, number, published[number], random) for number in numbers]


def _article(
    material: Material, number: int, published: datetime, random: np.random.Generator
) -> tuple[Article, list[Passage]]:
    texts = []
    for _ in range(random.integers(_PASSAGES[0], _PASSAGES[1] + 1)):
        chosen = random.integers(0, len(material.sentences), random.integers(_SENTENCES[0], _SENTENCES[1] + 1))
        texts.append(" ".join(material.sentences[at] for at in chosen))
    title = material.titles[random.integers(0, len(material.titles))]
    article = Article(f"scale-{number}", title, "\n\n".join(texts), published=published, source="scale")
    passages = [
        Passage(f"{article.id}#{position}", article.id, position, text, title, published, None, article.source)
        for position, text in enumerate(texts)
    ]
    return article, passages


def articles_for(passages: int) -> int:
    """How many articles have about so many passages."""
    return max(1, round(passages * 2 / sum(_PASSAGES)))
