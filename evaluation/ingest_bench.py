"""Ingest measured beside a plain pipeline: LangChain's splitter, sentence-transformers in fp32, LangChain's Chroma.

Both take the same passages, take turns, and write each round into an empty folder. Loading models is not timed.
"""

import importlib
import importlib.util
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from tokenizers import Tokenizer

from archive.archive import Archive
from archive.articles import Article
from archive.embedding import Embedder, prefixes_of
from archive.errors import BadArticle, ModelError, SourceError
from archive.settings import Settings
from ingest.clean import clean
from ingest.pipeline import ingest
from ingest.report import Found
from ingest.sources.reading import read
from ingest.split import LONGEST, sentences

PLAIN_PACKAGES = ("langchain_chroma", "sentence_transformers")
MEND = "pip install -c constraints.txt -e '.[bench]'"

Count = Callable[[str], int]
Pipeline = Callable[[Path, Sequence[str]], None]  # an empty folder, passages


@dataclass(frozen=True, slots=True)
class Rates:
    """Passages per second, one for each round."""

    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.rounds)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run found; `plain` is empty where its packages are missing."""

    passages: int
    tokens_mean: float  # of title, date and text as they are embedded, without the prefix
    ours: Rates
    plain: Rates

    def summary(self) -> dict[str, object]:
        """As JSON: rates in passages per second, ratio of the medians."""
        return {
            "passages": self.passages,
            "tokens_mean": round(self.tokens_mean, 1),
            "ours": _summary(self.ours),
            "plain": _summary(self.plain),
            "ratio": round(self.ours.median / self.plain.median, 2) if self.plain.rounds else None,
        }


def _summary(rates: Rates) -> dict[str, object] | None:
    rounds = [round(rate, 1) for rate in rates.rounds]
    return {"passages_per_second": round(rates.median, 1), "rounds": rounds} if rounds else None


def missing_packages() -> list[str]:
    """Those packages of the plain pipeline that are not installed."""
    return [name for name in PLAIN_PACKAGES if importlib.util.find_spec(name) is None]


def token_counter(tokenizer: Path) -> Count:
    """Counts a text's tokens with a tokenizer.json, its special tokens included."""
    counter = Tokenizer.from_file(str(tokenizer))
    counter.no_padding()
    counter.no_truncation()
    return lambda text: len(counter.encode(text).ids)


def read_articles(sources: Sequence[str], limit: int | None) -> list[Article]:
    """The first `limit` articles with a text. Raises SourceError where there is none."""
    articles: list[Article] = []
    for source in sources:
        for record in read(source, datetime.now(UTC), ""):
            if limit is not None and len(articles) >= limit:
                return articles
            if isinstance(record, Found) and (article := _cleaned(record.article)) and article.text:
                articles.append(article)
    if not articles:
        raise SourceError(f"{', '.join(sources)}: no articles with a text; name other files")
    return articles


def _cleaned(article: Article) -> Article | None:
    try:
        return clean(article)
    except BadArticle:
        return None


def recut(articles: Iterable[Article], count: Count, tokens: int) -> Iterator[Article]:
    """The same sentences as articles of one passage each, of about `tokens` tokens with title and date.

    Few articles fill their last passage: as they are, passages of the sample hold 160 tokens.
    """
    held: list[str] = []
    first: Article | None = None
    number = used = 0
    for article in articles:
        for sentence in sentences(article.text.replace("\n", " ")):
            if first is None:
                first, used = article, count(f"{article.title} (00. September 2000)")
            held.append(sentence)
            used += count(sentence) - 2  # the special tokens around each text
            if used >= tokens - 12 or sum(map(len, held)) > LONGEST // 2 + 200:
                yield _benched(number, first, held)
                held, first, number = [], None, number + 1


def _benched(number: int, first: Article, held: Sequence[str]) -> Article:
    return Article(f"bench-{number}", first.title, " ".join(held), published=first.published, source="bench")


def write_articles(articles: Iterable[Article], path: Path) -> None:
    """As JSONL, for `archivar ingest`."""
    with path.open("w", encoding="utf-8") as lines:
        for article in articles:
            published = article.published.isoformat() if article.published else None
            record = {"id": article.id, "title": article.title, "text": article.text, "published": published}
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")


def ingested(settings: Settings, embedder: Embedder, articles: Path, folder: Path) -> tuple[float, list[str]]:
    """Ingest into a fresh archive in `folder`: passages per second, and the passages as they were embedded."""
    archive = Archive.open(settings.model_copy(update={"home": folder, "chroma_url": ""}), embedder)
    try:
        started = perf_counter()
        report = ingest([str(articles)], archive, publisher="bench")
        seconds = perf_counter() - started
        ids = [article.id for article in archive.ledger.articles()]
        texts = [passage.embedded_text for one in ids for passage in archive.ledger.passages_of(one)]
        return report.passages / seconds, texts
    finally:
        archive.close()


def plain_pipeline(model: Path, name: str, threads: int) -> Pipeline:
    """Split, embed, store as LangChain's own pages show it. Raises ModelError where the model can't be loaded."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    if threads:
        importlib.import_module("torch").set_num_threads(threads)
    try:
        client: Any = importlib.import_module("sentence_transformers").SentenceTransformer(str(model), device="cpu")
    except Exception as error:  # transformers and torch raise their own
        raise ModelError(f"sentence-transformers can't load {model}: {error}; delete that folder") from error
    prompt = prefixes_of(name, model).passage

    class SentenceTransformerEmbeddings(Embeddings):
        """What langchain-huggingface's HuggingFaceEmbeddings does; that package asks for huggingface-hub below 2."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            vectors: list[list[float]] = client.encode(
                texts, prompt=prompt, normalize_embeddings=True, show_progress_bar=False
            ).tolist()
            return vectors

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    embeddings = SentenceTransformerEmbeddings()
    embeddings.embed_documents(["warm"])
    splitter = RecursiveCharacterTextSplitter(chunk_size=2 * LONGEST, chunk_overlap=0)  # cuts none of the passages

    def run(folder: Path, passages: Sequence[str]) -> None:
        store = Chroma("bench", embeddings, persist_directory=str(folder))
        store.add_documents(splitter.split_documents([Document(text) for text in passages]))

    return run


def measure(
    settings: Settings, embedder: Embedder, articles: Path, plain: Pipeline | None, count: Count, rounds: int
) -> Measured:
    """Ours and, where there is one, the plain pipeline in turn, `rounds` times. `articles`: JSONL."""
    ours, others = Rates(), Rates()
    texts: list[str] = []
    embedder.embed_passages(["warm"])
    for _ in range(rounds):
        with TemporaryDirectory(prefix="archivar-bench-") as folder:
            rate, texts = ingested(settings, embedder, articles, Path(folder))
            ours.rounds.append(rate)
        if plain is not None:
            with TemporaryDirectory(prefix="archivar-bench-", ignore_cleanup_errors=True) as folder:
                started = perf_counter()
                plain(Path(folder), texts)
                others.rounds.append(len(texts) / (perf_counter() - started))
    tokens = sum(map(count, texts)) / max(len(texts), 1)
    return Measured(len(texts), tokens, ours, others)
