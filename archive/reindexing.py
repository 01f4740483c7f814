"""Another embedder for an archive: its index is built beside the one that serves, brought up to date, and then serves.

What an index lacks, or holds in another version, is found by comparing it with the ledger by id and hash. So to build
one, to go on where that was interrupted, and to come back to one that has rested are the same; and while that goes on
articles may come, change and leave: it compares until nothing has.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter

from archive.articles import Passage
from archive.chroma import Chroma
from archive.embedding import Embedder
from archive.entries import entries
from archive.errors import ArchiveError, ArchiveLocked
from archive.ledger import Ledger, check_archive
from archive.locking import held
from archive.settings import Settings
from archive.shelves import Shelf
from archive.splitting import remake
from archive.vectors import Vectors

log = logging.getLogger(__name__)

_PAGE = 1000  # passages compared at a time
_BATCH = 256  # passages embedded and put in at a time; the write lock is held for the putting in alone
_PATIENCE = 5.0  # seconds until it is told who is waited for
_TRIES = 5  # comparisons beside others who write; one more goes on with the write lock in hand


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: passages of the ledger that this comparison has seen, and passages embedded since the start."""

    compared: int
    embedded: int
    total: int


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What was done: the embedder that served `before`, passages embedded, and strays taken out of the index."""

    before: str
    embedded: int
    strays: int
    seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """An index that is there: whether it serves, and its passages beside those of the ledger."""

    embedder: str
    serves: bool
    passages: int
    total: int


Report = Callable[[Progress], None]
Tell = Callable[[str], None]


def reindex(settings: Settings, embedder: Embedder, on_progress: Report, on_wait: Tell) -> Reindexed:
    """Bring the index of `embedder` up to the ledger and let it serve; what served before rests.

    `on_wait` gets a line where another process holds the write lock for long. Raises ArchiveError where there is
    nothing to reindex or a part can't be used, ArchiveLocked where another reindex is at work.
    """
    started = perf_counter()
    with _opened(settings) as ledger, held(settings.home, "reindex"):
        before = _serving(ledger, settings)
        if before == embedder.name:
            return Reindexed(before, 0, 0, 0.0)
        work = _Work(settings, ledger, embedder, on_progress, on_wait)
        with work.writing():
            work.vectors.begin(before)
            work.mend()
        work.catch_up_and_serve()
        return Reindexed(before, work.embedded, work.strays, perf_counter() - started)


def drop(settings: Settings, name: str, on_wait: Tell) -> None:
    """Delete the index of an embedder that doesn't serve. Raises ArchiveError where it does, or where there is none."""
    with _opened(settings) as ledger, held(settings.home, "reindex"):
        if name == _serving(ledger, settings):
            raise ArchiveError(f"the index of {name} serves; let another one serve first (--embedder)")
        if not ledger.db.execute("SELECT 1 FROM shelves WHERE embedder = ?", (name,)).fetchone():
            raise ArchiveError(f"there is no index of {name}; `archivar reindex` lists those that are there")
        with _writing(settings, on_wait):
            Vectors(ledger, Chroma(settings.home, settings.chroma_url), name).drop()


def states(settings: Settings) -> list[State]:
    """The indexes of the archive, the one that serves first; reads their graphs."""
    with _opened(settings) as ledger:
        serving, total = _serving(ledger, settings), ledger.counts().passages
        vectors = Vectors(ledger, Chroma(settings.home, settings.chroma_url), serving)
        others = [name for name in _embedders(ledger) if name != serving]
        return [State(name, name == serving, vectors.of(name).count(), total) for name in (serving, *others)]


class _Work:
    """One reindex, under its own lock. What it puts in is known to be whole each time it lets go of the write lock."""

    def __init__(
        self, settings: Settings, ledger: Ledger, embedder: Embedder, on_progress: Report, on_wait: Tell
    ) -> None:
        self._settings, self._ledger, self._embedder = settings, ledger, embedder
        self._on_progress, self._on_wait = on_progress, on_wait
        self.vectors = Vectors(ledger, Chroma(settings.home, settings.chroma_url), embedder.name)
        self.embedded = self.strays = 0
        self._writes = False

    def mend(self) -> None:
        """Make shelves anew that a writer has torn when it broke off; the comparison embeds what is lost with them."""
        (shelves, chroma), suspects = self.vectors.parts, self.vectors.suspects()
        for shelf in shelves.serving():
            if shelf.version and not self._is_sound(shelf, thoroughly=shelf.name in suspects):
                with chroma.errors():
                    _, saved = remake(shelf, shelves, chroma, trusted=not chroma.torn(shelf.name))
                log.warning("vectors: shelf %s is damaged; %d of its vectors could be kept", shelf.name, saved)
        self.vectors.reload()

    def _is_sound(self, shelf: Shelf, *, thoroughly: bool) -> bool:
        _, chroma = self.vectors.parts
        try:
            with chroma.errors():
                chroma.collection(shelf.name)
            if not thoroughly:
                return True
            return not chroma.torn(shelf.name) and all(True for _ in self.vectors.listed(shelf, entries))
        except ArchiveError:
            return False

    def catch_up_and_serve(self) -> None:
        """Compare until nothing has changed meanwhile; then serve."""
        for _ in range(_TRIES):
            seen = _changes(self._ledger)
            self._catch_up()
            with self.writing():
                if _changes(self._ledger) == seen and self._complete():
                    self._serve()
                    return
        with self.writing():
            self._catch_up()
            if not self._complete():
                raise ArchiveError(
                    f"the new index holds {self.vectors.count():,} of {self._ledger.counts().passages:,} passages "
                    "after all comparisons; the old one goes on; run it again"
                )
            self._serve()

    def _catch_up(self) -> None:
        """One comparison: embed what the index lacks or holds otherwise, take out what the ledger doesn't hold."""
        total, compared = self._ledger.counts().passages, 0
        for page in _pages(self._ledger):
            held_hashes = self.vectors.hashes_of([passage.id for passage in page])
            missing = [passage for passage in page if held_hashes.get(passage.id) != passage.content_hash]
            for start in range(0, len(missing), _BATCH):
                self._put_in(missing[start : start + _BATCH])
                share = min(start + _BATCH, len(missing)) / len(missing)
                self._on_progress(Progress(compared + int(share * len(page)), self.embedded, total))
            compared += len(page)
            self._on_progress(Progress(compared, self.embedded, max(total, compared)))
        if strays := self.vectors.strays():
            with self.writing():
                strays = self.vectors.strays()  # meanwhile one may have come back
                self.vectors.take_out(strays)
            self.strays += sum(map(len, strays.values()))

    def _put_in(self, passages: list[Passage]) -> None:
        vectors = self._embedder.embed_passages([passage.embedded_text for passage in passages])
        with self.writing():
            now = self._ledger.passages(passage.id for passage in passages)
            kept = [row for row, passage in enumerate(passages) if now.get(passage.id) == passage]
            if kept:
                self.vectors.apply([passages[row] for row in kept], vectors[kept], [])
        self.embedded += len(kept)

    def _complete(self) -> bool:
        return self.vectors.count() == self._ledger.counts().passages

    def _serve(self) -> None:
        """The switch itself; the generation tells readers."""
        with self._ledger.transaction():
            generation = int(self._ledger.fact("generation") or 0)
            self._ledger.set_fact("embedder", self._embedder.name)
            self._ledger.set_fact("generation", str(generation + 1))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock, however long another has it, and see what that one wrote."""
        if self._writes:
            yield
            return
        with _writing(self._settings, self._on_wait):
            self._writes = True
            try:
                self.vectors.reload()
                yield
                self.vectors.settle()
            finally:
                self._writes = False


@contextmanager
def _opened(settings: Settings) -> Iterator[Ledger]:
    check_archive(settings.home)
    ledger = Ledger.open(settings.home)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _writing(settings: Settings, on_wait: Tell) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(held(settings.home, "write", wait=_PATIENCE))
        except ArchiveLocked as error:  # an ingest may take hours
            on_wait(str(error))
            stack.enter_context(held(settings.home, "write", wait=-1))
        yield


def _serving(ledger: Ledger, settings: Settings) -> str:
    serving = ledger.fact("embedder")
    if serving is None:
        raise ArchiveError(f"{settings.home} is empty; its embedder is the one of the first `archivar ingest`")
    return serving


def _embedders(ledger: Ledger) -> list[str]:
    rows = ledger.db.execute("SELECT DISTINCT embedder FROM shelves WHERE state != 'leaving' ORDER BY embedder")
    return [row[0] for row in rows if row[0]]


def _changes(ledger: Ledger) -> int:
    """Counts up with each passage that comes or goes, in the transaction in which it does."""
    row = ledger.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'notes'").fetchone()
    return int(row[0]) if row else 0


def _pages(ledger: Ledger) -> Iterator[list[Passage]]:
    """All passages in the order of their ids, each page as the ledger is when it is asked for."""
    last = ""
    while ids := [row[0] for row in ledger.db.execute(_NEXT, (last, _PAGE))]:
        last = ids[-1]
        yield list(ledger.passages(ids).values())


_NEXT = "SELECT id FROM passages WHERE id > ? ORDER BY id LIMIT ?"
