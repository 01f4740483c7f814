"""Archive: ledger, index and embedder as one thing, the only one that both rooms hold in hand."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np
from filelock import FileLock, Timeout

from archive.embedding import Embedder
from archive.errors import ArchiveLocked, ModelMismatch
from archive.index import Index
from archive.ledger import Ledger
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
        return cls(settings, ledger, Index(ledger, settings.home, settings.chroma_url), embedder)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the archive's write lock. Raises ArchiveLocked at once where another process holds it."""
        lock = FileLock(self._home / "write.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise ArchiveLocked(f"{self._home}: another ingest is writing; wait for its end") from error
        try:
            self.ledger.set_fact("embedder", self.embedder.name)
            self.refresh()  # on a graph as it was before another process wrote, that process's vectors would be lost
            self.index.tidy()
            self._note_lost()
            yield
        finally:
            self.index.close_writer()
            lock.release()

    def _note_lost(self) -> None:
        counts = self.ledger.counts()
        if counts.passages > counts.pending and 0 in self.index.counts():
            log.warning("an index of %s is empty while its ledger is not; building it again", self._home)
            self.ledger.note_all()

    def index_pending(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embed and index all that the ledger has noted; returns passages added. `on_progress` gets (done, total)."""
        total, added = self.ledger.counts().pending, 0
        while (pending := self.ledger.pending(_BATCH)).last:
            texts = [passage.embedded_text for passage in pending.passages]
            vectors = self.embedder.embed_passages(texts) if texts else np.zeros((0, 0), np.float32)
            self.index.apply(pending, vectors)
            self.ledger.done(pending)
            added += len(pending.passages)
            if on_progress:
                on_progress(added, total)
        if added:
            self._generation = str(int(self._generation or 0) + 1)
            self.ledger.set_fact("generation", self._generation)
        return added

    def refresh(self) -> None:
        """See what another process has ingested since; costs one small SELECT where there is nothing new."""
        generation = self.ledger.fact("generation")
        if generation != self._generation:
            self.index.reload()
            self._generation = generation

    def close(self) -> None:
        """Close the ledger; the indexes need no closing."""
        self.ledger.close()
