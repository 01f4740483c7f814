"""Archive: ledger, index and embedder as one thing, the only one that both rooms hold in hand."""

import gc
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock, Thread
from typing import Self

import numpy as np

from archive.checking import compared
from archive.differences import Differences
from archive.embedding import Embedder
from archive.errors import ArchivarError, ArchiveError, ArchiveLocked, ModelMismatch
from archive.index import Index
from archive.ledger import Ledger
from archive.ledger_faults import RESTORE, explained
from archive.locking import held, waits_its_turn
from archive.mending import mend
from archive.settings import Settings

log = logging.getLogger(__name__)

_BATCH = 256  # passages embedded and committed at a time: small enough to lose little, large enough to be quick
_GRACE = 5.0  # seconds that closing waits for a model that is being loaded

LoadEmbedder = Callable[[str], Embedder]  # by its name; raises ModelError


@dataclass(frozen=True, slots=True)
class Served:
    """An embedder and the index that holds its vectors: what takes the one takes the other from the same Served."""

    embedder: Embedder
    index: Index


def check_embedder(home: Path, serving: str | None, wanted: str) -> None:
    """Raise ModelMismatch where the archive in `home` has another embedder than the one that is wanted."""
    if serving not in (None, wanted):
        raise ModelMismatch(
            f"{home}: its vectors were made by {serving}, not by {wanted}; unset ARCHIVAR_EMBEDDER, "
            f"or run `archivar reindex --embedder {wanted}`"
        )


class Archive:
    """One archive, opened with the embedder that made its vectors.

    Another process may build an index for another embedder and let that one serve (see archive/reindexing.py). Then
    `served` is changed, at once for whoever takes it next; till then the index that served rests and answers as before.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, served: Served, load_embedder: LoadEmbedder | None = None
    ) -> None:
        self.ledger = ledger
        self.served = served
        self._load_embedder = load_embedder
        self._home = settings.home
        self._writes = False
        self._generation = ledger.fact("generation")
        self._seeing = RLock()  # around what changes with the generation
        self._seer = ThreadPoolExecutor(1, "news")
        self._news: Future[None] | None = None
        self._follower: Thread | None = None

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
        return self._follower is not None

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
            if self._load_embedder is None:
                check_embedder(self._home, serving, self.embedder.name)
            self._switch(serving)
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
            self.ledger.note_all()
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
            self._next_generation()
        self.index.vectors.settle()
        return done

    def rebuild_words(self) -> int:
        """Make the words anew from the ledger, for the one who holds the write lock; returns passages."""
        count = self.index.rebuild_words(self.ledger.every_passage())
        self._next_generation()
        return count

    def _has_indexed(self) -> bool:
        counts = self.ledger.counts()
        return counts.passages > counts.pending

    def index_pending(self, on_progress: Callable[[int, int], None] | None = None) -> int:
        """Embed and index all that the ledger has noted; returns passages added. `on_progress` gets (done, total)."""
        served, total, added, applied = self.served, self.ledger.counts().pending, 0, False
        while (pending := self.ledger.pending(_BATCH)).last:
            texts = [passage.embedded_text for passage in pending.passages]
            vectors = served.embedder.embed_passages(texts) if texts else np.zeros((0, 0), np.float32)
            served.index.apply(pending, vectors)
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

    def refresh(self, patience: float | None = None) -> None:
        """See what another process has ingested since; costs one small SELECT where there is nothing new.

        To read a graph anew may take seconds: after `patience` of them it goes on in the background, and what was seen
        before is seen till then. Where another embedder serves since, it is loaded in the background, too.
        """
        if self.ledger.fact("generation") == self._generation:
            return
        with self._seeing:
            if self._news is None or self._news.done():
                self._news = self._seer.submit(self._see)
            news = self._news
        with suppress(TimeoutError):
            news.result(patience)

    def _see(self) -> None:
        generation = self.ledger.fact("generation")
        if generation == self._generation:
            return
        self.index.reload()
        with self._seeing:
            self._generation = generation
            if self._load_embedder and not self._follower and self._next_embedder():
                self._follower = Thread(target=self._follow, name="embedder", daemon=True)
                self._follower.start()

    def _next_embedder(self) -> str | None:
        serving = self.ledger.fact("embedder")
        return None if serving == self.embedder.name else serving

    def _follow(self) -> None:
        """Switch to the embedder that the ledger names, till it is the one that serves here."""
        while True:
            with self._seeing:
                name = self._next_embedder()
                if name is None:
                    self._follower = None
                    return
            try:
                self._switch(name)
            except ArchivarError as error:
                log.warning("%s: %s serves now, but questions still go to %s: %s", self._home, name,
                            self.embedder.name, error)  # fmt: skip
                self._follower = None  # tried again when there is something new to see
                return

    def _switch(self, name: str) -> None:
        """Load the embedder and all of its vectors; then they serve, unless another does by now."""
        if self._load_embedder is None:
            return
        embedder, generation = self._load_embedder(name), self.ledger.fact("generation")
        index = self.index.of(name)
        embedder.embed_queries(["?"])
        index.counts()  # reads the graphs
        with self._seeing:
            if self.ledger.fact("embedder") == name:
                self.served, self._generation = Served(embedder, index), generation
                log.info("%s: questions go to the index of %s from here on", self._home, name)
        # What served holds its graphs in circles of objects, frozen by a server that has loaded them.
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Close the ledger; the indexes need no closing."""
        self._seer.shutdown()
        if self._follower is not None:
            self._follower.join(_GRACE)
        self.ledger.close()
