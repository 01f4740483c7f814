"""A fixed clock, an embedder that needs no model, a real archive, and the shared data where it is at hand."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from archive.archive import Archive
from archive.articles import Article
from archive.settings import Settings
from ingest.report import Found, Reject
from ingest.sources.reading import read
from ingest.web.addresses import is_address
from ingest.web.visitor import Visitor

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


class HashEmbedder:
    """Vectors from the SHA-256 of a text: the same text is always the same, and nothing else is near."""

    name = "hash"
    dimensions = 32

    def __init__(self):
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str]):
        self.embedded += texts
        return self._vectors(texts)

    def embed_queries(self, texts: Sequence[str]):
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]):
        raw = [np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8) for text in texts]
        vectors = np.array(raw, np.float32).reshape(-1, self.dimensions) - 127.5
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def archive(tmp_path, embedder):
    archive = Archive.open(Settings(home=tmp_path / "home", _env_file=None), embedder)
    yield archive
    archive.close()


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here: real articles are not part of the project")
    return SHARED


@pytest.fixture
def reading(now) -> Callable[..., SimpleNamespace]:
    """Reads a source to its end: `.articles`, `.places`, `.rejects`. Local addresses are visited without waiting."""

    def read_all(source: Path | str, publisher: str = "") -> SimpleNamespace:
        with Visitor(named=[source] if is_address(str(source)) else [], crawl_delay=0) as visitor:
            records = list(read(str(source), now, publisher, visitor))
        found = [record for record in records if isinstance(record, Found)]
        return SimpleNamespace(
            articles=[record.article for record in found],
            places=[record.place for record in found],
            rejects=[record for record in records if isinstance(record, Reject)],
        )

    return read_all


@pytest.fixture
def article() -> Callable[..., Article]:
    def make(**fields) -> Article:
        return Article(**({"id": "1", "title": "Eine Überschrift von üblicher Länge", "source": "zeitung.de"} | fields))

    return make
