"""An embedder that is loaded when it is needed first: a second for each ingest that finds nothing new."""

from collections.abc import Callable, Sequence
from functools import cached_property

from archive.embedding import Embedder, Vectors


class DeferredEmbedder:
    """Stands for the embedder `name` until something is to be embedded. Raises what `load` raises, but then."""

    def __init__(self, name: str, load: Callable[[str], Embedder]) -> None:
        self.name = name
        self._load = load

    @cached_property
    def _loaded(self) -> Embedder:
        return self._load(self.name)

    @property
    def dimensions(self) -> int:
        """See Embedder."""
        return self._loaded.dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        return self._loaded.embed_queries(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        return self._loaded.embed_passages(texts)
