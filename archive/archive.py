"""Archive: ledger, index and embedder as one thing, the only one that both rooms hold in hand."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np

from archive.embedding import Embedder
from archive.errors import ArchiveLocked, ModelMismatch
from archive.index import Index
from archive.ledger import Ledger
from archive.locking import held
from archive.settings import Settings

log = logging.getLogger(__name__)

_BATCH = 256  # passages embedded and committed at a time: small enough to lose little, large enough to be quick


class Archive:
    """One archive, opened with the embedder that made its vectors."""

    def __init__(self, settings: Settings, ledger: Ledger, index: Index, embedder: Embedder) -> None:
        self.ledger = ledger
        self.index = index
        self.embedder = embedder
        self._home = settings.home
        self._writes = False
        self._generation = ledger.fact("generation")

    @classmethod
    def open(cls, settings: Settings, embedder: Embedder) -> Self:
        """Open or create the archive in `settings.home`.

        Raises ModelMismatch where another embedder made its vectors, ArchiveError where a part can't be opened.
        """
        ledger = Ledger.open(settings.home)
        made_by = ledger.fact("embedder")
        if made_by not in (None, embedder.name):
            ledger.close()
            raise ModelMismatch(
                f"{settings.home}: its vectors were made by {made_by}, not by {embedder.name}; "
                f"set ARCHIVAR_EMBEDDER={made_by}, or ARCHIVAR_HOME to a new folder"
            )
        archive = cls(settings, ledger, Index(ledger, settings.home, settings.chroma_url), embedder)
        archive._mend_words()
        return archive

    def _mend_words(self) -> None:
        """Words that are gone, or of another version, come back before the first question, not with the next ingest."""
        if self.index.lacks_words and self._has_indexed():
            try:
                with self.writing():
                    pass
            except ArchiveLocked:
                log.warning(
                    "%s: the ingest that is running makes its words anew; till then vectors alone are searched",
                    self._home,
                )

    @contextmanager
    def writing(self, wait: float = 0) -> Iterator[None]:
        """Hold the archive's write lock; within such a block another changes nothing.

        Raises ArchiveLocked where another process has it for `wait` seconds more.
        """
        if self._writes:
            yield
            return
        with held(self._home, "write", wait=wait):
            self._writes = True
            try:
                self.ledger.set_fact("embedder", self.embedder.name)
                # On a graph as it was before another process wrote, that process's vectors would be lost.
                self.refresh()
                self.index.tidy()
                self._mend()
                yield
            finally:
                self._writes = False
                self.index.close_writer()

    def _mend(self) -> None:
        """Words are made from the ledger alone, within minutes for a million passages; lost vectors take embedding."""
        if not self._has_indexed():
            return
        no_vectors, no_words = self.index.lost()
        if no_vectors:
            log.warning("the vectors of %s are lost; everything in its ledger is embedded again", self._home)
            self.ledger.note_all()
        elif no_words:
            log.warning("the words of %s are lost or of another version; they are made anew", self._home)
            log.warning("the words of %s are there again, %d passages", self._home, self.rebuild_words())

    def rebuild_words(self) -> int:
        """Make the words anew from the ledger, for the one who holds the write lock; returns passages."""
        articles = self.ledger.articles()
        count = self.index.rebuild_words(p for article in articles for p in self.ledger.passages_of(article.id))
        self._next_generation()
        return count

    def _has_indexed(self) -> bool:
        counts = self.ledger.counts()
        return counts.passages > counts.pending

    def index_pending(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embed and index all that the ledger has noted; returns passages added. `on_progress` gets (done, total)."""
        total, added, applied = self.ledger.counts().pending, 0, False
        while (pending := self.ledger.pending(_BATCH)).last:
            texts = [passage.embedded_text for passage in pending.passages]
            vectors = self.embedder.embed_passages(texts) if texts else np.zeros((0, 0), np.float32)
            self.index.apply(pending, vectors)
            self.ledger.done(pending)
            added, applied = added + len(pending.passages), True
            if on_progress:
                on_progress(added, total)
        if applied:
            self._next_generation()
        return added

    def _next_generation(self) -> None:
        """Tell other processes that there is something new to see."""
        self._generation = str(int(self._generation or 0) + 1)
        self.ledger.set_fact("generation", self._generation)

    def refresh(self) -> None:
        """See what another process has ingested since; costs one small SELECT where there is nothing new."""
        generation = self.ledger.fact("generation")
        if generation != self._generation:
            self.index.reload()
            self._generation = generation

    def close(self) -> None:
        """Close the ledger; the indexes need no closing."""
        self.ledger.close()
