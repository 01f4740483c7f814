"""Following an archive that others write to: what they ingest is seen, and so is the embedder that comes to serve."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock, Thread

from archive import collector
from archive.embedding import Embedder
from archive.errors import ArchivarError
from archive.index import Index
from archive.ledger import Ledger

log = logging.getLogger(__name__)

_GRACE = 5.0  # seconds that closing waits for a model that is being loaded

LoadEmbedder = Callable[[str], Embedder]  # by its name; raises ModelError


@dataclass(frozen=True, slots=True)
class Served:
    """An embedder and the index that holds its vectors: what takes the one takes the other from the same Served."""

    embedder: Embedder
    index: Index


class Follower:
    """What one process sees of an archive: up to which generation, and who serves in it.

    Another process may build an index for another embedder and let that one serve (see archive/reindexing.py). Then
    `served` is changed, at once for whoever takes it next; till then the index that served rests and answers as before.
    """

    def __init__(self, home: Path, ledger: Ledger, served: Served, load_embedder: LoadEmbedder | None) -> None:
        """Without `load_embedder` it stays with the embedder that serves."""
        self.served = served
        self.load_embedder = load_embedder
        self._home, self._ledger = home, ledger
        self._generation = ledger.fact("generation")
        self._seeing = RLock()  # around what changes with the generation
        self._seer = ThreadPoolExecutor(1, "news")
        self._news: Future[None] | None = None
        self._switching: Thread | None = None

    @property
    def is_switching(self) -> bool:
        """Whether the embedder that is to serve is being loaded."""
        return self._switching is not None

    def advance(self) -> None:
        """Tell other processes that there is something new to see."""
        self._generation = str(int(self._generation or 0) + 1)
        self._ledger.set_fact("generation", self._generation)

    def refresh(self, patience: float | None = None) -> None:
        """See what another process has ingested since; costs one small SELECT where there is nothing new.

        To read a graph anew may take seconds: after `patience` of them it goes on in the background, and what was seen
        before is seen till then. Where another embedder serves since, it is loaded in the background, too.
        """
        if self._ledger.fact("generation") == self._generation:
            return
        with self._seeing:
            if self._news is None or self._news.done():
                self._news = self._seer.submit(self._see)
            news = self._news
        with suppress(TimeoutError):
            news.result(patience)

    def _see(self) -> None:
        generation = self._ledger.fact("generation")
        if generation == self._generation:
            return
        self.served.index.reload()
        with self._seeing:
            self._generation = generation
            if self.load_embedder and not self._switching and self._next_embedder():
                self._switching = Thread(target=self._follow, name="embedder", daemon=True)
                self._switching.start()

    def _next_embedder(self) -> str | None:
        serving = self._ledger.fact("embedder")
        return None if serving == self.served.embedder.name else serving

    def _follow(self) -> None:
        """Switch to the embedder that the ledger names, till it is the one that serves here."""
        while True:
            with self._seeing:
                name = self._next_embedder()
                if name is None:
                    self._switching = None
                    return
            try:
                self.switch(name)
            except ArchivarError as error:
                log.warning("%s: %s serves now, but questions still go to %s: %s", self._home, name,
                            self.served.embedder.name, error)  # fmt: skip
                self._switching = None  # tried again when there is something new to see
                return

    def switch(self, name: str) -> None:
        """Load the embedder and all of its vectors; then they serve, unless another does by now."""
        if self.load_embedder is None:
            return
        embedder, generation = self.load_embedder(name), self._ledger.fact("generation")
        index = self.served.index.of(name)
        embedder.embed_queries(["?"])
        index.counts()  # reads the graphs
        with self._seeing:
            if self._ledger.fact("embedder") == name:
                self.served, self._generation = Served(embedder, index), generation
                log.info("%s: questions go to the index of %s from here on", self._home, name)
        collector.keep()  # what served holds its graphs in circles of objects, and was kept

    def close(self) -> None:
        """Stop looking, and wait a while for a model that is being loaded."""
        self._seer.shutdown()
        if self._switching is not None:
            self._switching.join(_GRACE)
