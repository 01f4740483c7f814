"""What a collection of Chroma holds, read page by page: content hashes, and vectors that are some."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from chromadb.api.models.Collection import Collection
from chromadb.errors import ChromaError
from numpy.typing import NDArray

HASH = "hash"  # the one thing that Chroma holds beside a vector: the content hash of its passage
_PAGE = 2000
_LENGTH = 0.01  # that a normalized vector's may differ from 1


def hashes(collection: Collection, ids: Sequence[str] | None = None) -> Iterator[tuple[str, str | None]]:
    """(id, content hash) of those of `ids` that a collection holds, by default of all, read page by page."""
    for start in range(0, collection.count() if ids is None else len(ids), _PAGE):
        asked = {"limit": _PAGE, "offset": start} if ids is None else {"ids": ids[start : start + _PAGE]}
        page = collection.get(**asked, include=["metadatas"])
        yield from zip(page["ids"], map(_hash, page["metadatas"] or []), strict=True)


def _hash(metadata: Mapping[str, object] | None) -> str | None:
    held = (metadata or {}).get(HASH)
    return held if isinstance(held, str) else None


def entries(collection: Collection) -> Iterator[tuple[str, str | None]]:
    """What hashes() tells, of vectors that are read.

    Raises ChromaError at the first that can't be, ValueError at one that is none.
    """
    for start in range(0, collection.count(), _PAGE):
        page = collection.get(limit=_PAGE, offset=start, include=["metadatas", "embeddings"])
        if not _are_vectors(page["embeddings"]).all():
            raise ValueError("holds bytes that are no vector")
        yield from zip(page["ids"], map(_hash, page["metadatas"] or []), strict=True)


def readable(collection: Collection, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Those of these passages whose vectors can be read and are some, as arguments of Collection.upsert."""
    try:
        page = collection.get(ids=list(ids), include=["metadatas", "embeddings"])
    except ChromaError:
        half = len(ids) // 2
        if half:
            yield from readable(collection, ids[:half])
            yield from readable(collection, ids[half:])
        return
    sound = np.flatnonzero(_are_vectors(page["embeddings"]))
    if len(sound):
        yield {
            "ids": [page["ids"][row] for row in sound],
            "embeddings": np.asarray(page["embeddings"], np.float32)[sound],
            "metadatas": [(page["metadatas"] or [])[row] for row in sound],
        }


def _are_vectors(embeddings: object) -> NDArray[np.bool_]:
    vectors = np.asarray(embeddings, np.float32)
    return abs(np.einsum("...j,...j->...", vectors, vectors) - 1) < 2 * _LENGTH if len(vectors) else np.ones(0, bool)
