"""The vector side of the index: one Chroma collection, embedded under the archive's folder or on a Chroma server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, InternalError
from numpy.typing import NDArray

from archive.articles import Passage, Period
from archive.errors import ArchiveError

_COLLECTION = "archivar-passages"
# Inner product of normalized vectors is their cosine. A wider search beam than the default 100 costs under a
# millisecond here and keeps recall up where a period filters most neighbours away.
_HNSW = {"hnsw": {"space": "ip", "ef_search": 200, "ef_construction": 200, "max_neighbors": 24}}
_BATCH = 500


class Vectors:
    """Passage vectors by passage id, with the publication time as metadata. Texts stay in the ledger."""

    def __init__(self, home: Path, url: str = "") -> None:
        self._home, self._url = home, url
        self._client, self._collection = self._connect()

    def _connect(self) -> tuple[ClientAPI, Collection]:
        quiet = ChromaSettings(anonymized_telemetry=False)
        try:
            if self._url:
                at = urlsplit(self._url)
                if at.scheme not in ("http", "https") or not at.hostname:
                    raise ArchiveError(f"ARCHIVAR_CHROMA_URL={self._url}: no http address; write http://host:port")
                tls = at.scheme == "https"
                client = chromadb.HttpClient(at.hostname, at.port or (443 if tls else 8000), ssl=tls, settings=quiet)
            else:
                client = chromadb.PersistentClient(self._home / "vectors", quiet)
            collection = client.get_or_create_collection(_COLLECTION, embedding_function=None, configuration=_HNSW)  # type: ignore[arg-type]
        except (ChromaError, ValueError, OSError) as error:
            raise ArchiveError(f"{self._place}: {error}; {self._mend}") from error
        return client, collection

    @property
    def _place(self) -> str:
        return f"Chroma at {self._url}" if self._url else f"vectors in {self._home / 'vectors'}"

    @property
    def _mend(self) -> str:
        return "start the Chroma server or check ARCHIVAR_CHROMA_URL" if self._url else "check the folder and its disk"

    def reload(self) -> None:
        """See what another process wrote: Chroma's embedded reader keeps its graph in memory until it is reopened."""
        if not self._url:
            self._client.clear_system_cache()
            self._client, self._collection = self._connect()

    def count(self) -> int:
        """Vectors held."""
        return self._collection.count()

    def apply(self, added: Sequence[Passage], vectors: NDArray[np.float32], removed: Sequence[str]) -> None:
        """Put `vectors` (len(added), d) in under the passages' ids, replacing; take `removed` ids out. Idempotent."""
        try:
            for start in range(0, len(removed), _BATCH):
                self._collection.delete(ids=list(removed[start : start + _BATCH]))
            for start in range(0, len(added), _BATCH):
                part = added[start : start + _BATCH]
                self._collection.upsert(
                    ids=[passage.id for passage in part],
                    embeddings=vectors[start : start + _BATCH],
                    metadatas=[_metadata(passage) for passage in part],
                )
        except (ChromaError, ValueError, OSError) as error:
            raise ArchiveError(f"{self._place}: {error}; {self._mend}") from error

    def search(self, vector: NDArray[np.float32], limit: int, period: Period | None) -> list[tuple[str, float]]:
        """Nearest passages of a period as (id, cosine), best first. Undated passages match no period."""
        try:
            return self._query(vector, limit, period)
        except InternalError:
            # The embedded reader meets a writer of another process half-way; opened anew it sees whole data.
            self.reload()
        try:
            return self._query(vector, limit, period)
        except (ChromaError, ValueError, OSError) as error:
            raise ArchiveError(f"{self._place}: {error}; {self._mend}") from error

    def _query(self, vector: NDArray[np.float32], limit: int, period: Period | None) -> list[tuple[str, float]]:
        found = self._collection.query(
            query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"], where=_where(period)
        )
        distances = found["distances"] or [[]]
        return [
            (passage_id, 1.0 - distance) for passage_id, distance in zip(found["ids"][0], distances[0], strict=True)
        ]


def _metadata(passage: Passage) -> dict[str, Any]:
    dated = {"published": int(passage.published.timestamp())} if passage.published else {}
    return {"article": passage.article_id, **dated}


def _where(period: Period | None) -> dict[str, Any] | None:
    first, last = period.timestamps() if period else (None, None)
    bounds: list[dict[str, Any]] = []
    if first is not None:
        bounds.append({"published": {"$gte": first}})
    if last is not None:
        bounds.append({"published": {"$lte": last}})
    return {"$and": bounds} if len(bounds) > 1 else (bounds[0] if bounds else None)
