"""Archive: ledger, index and embedder as one thing, the only one that both rooms hold in hand."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from archive.checking import compared
from archive.differences import Differences
from archive.embedding import Embedder
from archive.errors import ArchiveError, ArchiveLocked, ModelMismatch
from archive.following import Follower, LoadEmbedder, Served
from archive.index import Index
from archive.ledger import Ledger
from archive.ledger_faults import RESTORE, explained
from archive.locking import held, waits_its_turn
from archive.mending import mend
from archive.serving import check_embedder
from archive.settings import Settings

log = logging.getLogger(__name__)

_BATCH = 256  # passages embedded and committed at a time: small enough to lose little, large enough to be quick


class Archive:
    """One archive, opened with the embedder that made its vectors; it sees what other processes write, see Follower."""

    def __init__(
        self, settings: Settings, ledger: Ledger, served: Served, load_embedder: LoadEmbedder | None = None
    ) -> None:
        self.ledger = ledger
        self._home = settings.home
        self._follower = Follower(settings.home, ledger, served, load_embedder)
        self._writes = False

    @classmethod
    def open(cls, settings: Settings, embedder: Embedder, load_embedder: LoadEmbedder | None = None) -> Self:
        """Open or create the archive in `settings.home`; `load_embedder` gets the one that may come to serve.

        Raises ModelMismatch where another embedder made its vectors, ArchiveError where a part can't be opened.
        """
        ledger = Ledger.open(settings.home)
        try:
            check_embedder(settings.home, ledger.fact("embedder"), embedder.name)
        except ModelMismatch:
            ledger.close()
            raise
        index = Index(ledger, settings.home, settings.chroma_url, embedder.name)
        if ledger.fact("embedder") is None and not index.lacks_words:
            raise ArchiveError(f"{settings.home}: its ledger is lost, and only the indexes are there; {RESTORE}")
        archive = cls(settings, ledger, Served(embedder, index), load_embedder)
        archive._mend_at_start()
        return archive

    @property
    def home(self) -> Path:
        """The folder that it lives in."""
        return self._home

    @property
    def is_switching(self) -> bool:
        """Whether the embedder that is to serve is being loaded."""
        return self._follower.is_switching

    @property
    def served(self) -> Served:
        """The embedder and the index that serve now."""
        return self._follower.served

    def showing(self, index: Index) -> Self:
        """Another one over the same ledger that searches `index`; only the first is closed."""
        other = copy(self)
        other._follower = copy(self._follower)
        other._follower.served = replace(self.served, index=index)
        return other

    @property
    def embedder(self) -> Embedder:
        """The embedder that serves now."""
        return self.served.embedder

    @property
    def index(self) -> Index:
        """The index that serves now."""
        return self.served.index

    def _mend_at_start(self) -> None:
        """What is lost or damaged comes back before the first question, as far as it can, not with the next ingest."""
        damaged = self.index.vectors.damaged()
        if damaged or (self.index.lacks_words and self._has_indexed()):
            try:
                with self.writing():
                    pass
            except ArchiveLocked:
                log.warning(
                    "%s: the ingest that is running mends its %s; till then it isn't searched", self._home,
                    "vectors" if damaged else "words",
                )  # fmt: skip

    @contextmanager
    def writing(self, wait: float = 0) -> Iterator[None]:
        """Hold the archive's write lock; within such a block another changes nothing.

        Raises ArchiveLocked where another process has it for `wait` seconds more, or a little longer than a reindex,
        which takes turns, and ModelMismatch where another embedder has come to serve and can't be loaded here.
        """
        if self._writes:
            yield
            return
        with held(self._home, "write", wait=max(wait, waits_its_turn(self._home, "reindex"))):
            self._writes = True
            try:
                self._claim()
                # On a graph as it was before another process wrote, that process's vectors would be lost.
                self.refresh()
                self.index.tidy()
                self._mend()
                yield
                self.index.vectors.settle()
            except sqlite3.Error as error:
                raise ArchiveError(explained(self._home, error)) from error
            finally:
                self._writes = False
                self.index.close_writer()

    def _claim(self) -> None:
        """The first writer of a new archive decides on its embedder; later ones follow."""
        serving = self.ledger.fact("embedder")
        if serving is None:
            self.ledger.set_fact("embedder", self.embedder.name)
        elif serving != self.embedder.name:
            if self._follower.load_embedder is None:
                check_embedder(self._home, serving, self.embedder.name)
            self._follower.switch(serving)
        self.index.claim()

    def _mend(self) -> None:
        """Words are made from the ledger alone, within minutes for a million passages; lost vectors take embedding."""
        if suspects := self.index.vectors.suspects():
            log.warning("%s: its last writer was broken off; what that was at is compared with the ledger", self._home)
            for line in self.mend(suspects):
                log.warning("%s: %s", self._home, line)
        if not self._has_indexed():
            return
        no_vectors, no_words = self.index.lost()
        if no_vectors:
            log.warning("the vectors of %s are lost; everything in its ledger is embedded again", self._home)
            self.ledger.notes.all_again()
        elif no_words:
            log.warning("the words of %s are lost or of another version; they are made anew", self._home)
            log.warning("the words of %s are there again, %d passages", self._home, self.rebuild_words())

    def mend(self, suspects: frozenset[str] | None = None) -> list[str]:
        """Compare both indexes with the ledger and mend them, for the one who holds the write lock; tells what it did.

        Of the vectors, those of `suspects` are read and not only listed, by default all. What is to be embedded again
        is noted. Raises ArchiveError where the ledger itself is damaged.
        """
        self.index.vectors.reopen(suspects)
        with Differences() as differences:
            found = compared(differences, self.ledger, self.index.vectors, self.index.words, suspects)
            if beyond := [
                str(finding)
                for finding in found.findings
                if finding.part == "ledger" or (finding.part, finding.kind) == ("vectors", "unreadable")
            ]:
                raise ArchiveError(f"{self._home}: {beyond[0]}")
            done = list(mend(differences, found, self.ledger, self.index, self.rebuild_words))
        if done:
            self._follower.advance()
        self.index.vectors.settle()
        return done

    def rebuild_words(self) -> int:
        """Make the words anew from the ledger, for the one who holds the write lock; returns passages."""
        count = self.index.rebuild_words(self.ledger.every_passage())
        self._follower.advance()
        return count

    def _has_indexed(self) -> bool:
        counts = self.ledger.counts()
        return counts.passages > counts.pending

    def index_pending(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embed and index all that the ledger has noted; returns passages added. `on_progress` gets (done, total)."""
        served, total, added, applied = self.served, self.ledger.counts().pending, 0, False
        while (pending := self.ledger.notes.pending(_BATCH)).last:
            texts = [passage.embedded_text for passage in pending.passages]
            vectors = served.embedder.embed_passages(texts) if texts else np.zeros((0, 0), np.float32)
            served.index.apply(pending, vectors)
            self.ledger.notes.done(pending)
            added, applied = added + len(pending.passages), True
            if on_progress:
                on_progress(added, total)
        if applied:
            self._follower.advance()
        return added

    def refresh(self, patience: float | None = None) -> None:
        """See what another process has ingested since, in the background after `patience` seconds; see Follower."""
        self._follower.refresh(patience)

    def close(self) -> None:
        """Close the ledger; the indexes need no closing."""
        self._follower.close()
        self.ledger.close()
