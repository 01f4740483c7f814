"""Chroma: collections by name, embedded under the archive's folder or on a Chroma server."""

import gc
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import urlsplit

import chromadb
from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration, CreateHNSWConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError

from archive.disk import FULL, REPAIR, is_full
from archive.errors import ArchiveError
from archive.index_files import torn_graph
from archive.locking import whole

# Inner product of normalized vectors is their cosine. The graph is wider than Chroma's default of 16 neighbours and 100
# candidates: measured on 32,000 passages, the 30 found hold 95 of 100 of the truly nearest instead of 87, for twice the
# time to insert (0.8 ms) and half as much again to search. After `sync_threshold` changes the whole graph is written
# (100 MB on a full shelf); a reader that opens it repeats what came since, 0.8 ms for each change.
_HNSW = CreateHNSWConfiguration(
    space="ip", max_neighbors=24, ef_construction=200, ef_search=200, batch_size=1000, sync_threshold=2000
)


_GRAPH = """SELECT segments.id, seq_id FROM collections JOIN segments ON segments.collection = collections.id
    LEFT JOIN max_seq_id ON segment_id = segments.id WHERE collections.name = ? AND scope = 'VECTOR'"""


class Chroma:
    """One Chroma. Embedded, a collection stays as this process opened it, see `reopen`."""

    def __init__(self, home: Path, url: str = "", *, later: bool = False) -> None:
        """With `later`, a server is asked when it is needed first: a start shall not fail where it is away."""
        self._home, self._url = home, url
        self._opened: dict[str, Collection] = {}
        self._lock = threading.Lock()
        self._connected: ClientAPI | None = None
        if url:
            self._address()
        if not (url and later):
            with self.errors():
                self._connected = self._connect()

    @property
    def _client(self) -> ClientAPI:
        if self._connected is None:
            self._connected = self._connect()
        return self._connected

    def _address(self) -> tuple[str, int, bool]:
        at = urlsplit(self._url)
        if at.scheme not in ("http", "https") or not at.hostname:
            raise ArchiveError(f"ARCHIVAR_CHROMA_URL={self._url}: no http address; write http://host:port")
        tls = at.scheme == "https"
        return at.hostname, at.port or (443 if tls else 8000), tls

    def _connect(self) -> ClientAPI:
        if not self._url:
            try:
                return chromadb.PersistentClient(self._home / "vectors", Settings(anonymized_telemetry=False))
            except BaseException:
                SharedSystemClient.clear_system_cache()  # or the next attempt gets the half that is there
                raise
        from archive.chroma_server import server_at  # with it come clients that an embedded one has no need of

        return server_at(*self._address())

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns Chroma's errors into ArchiveError."""
        place, mend = f"vectors in {self._home / 'vectors'}", REPAIR
        if self._url:
            place, mend = f"Chroma at {self._url}", "start the Chroma server or check ARCHIVAR_CHROMA_URL"
        try:
            yield
        except NotFoundError as error:
            raise ArchiveError(f"{place}: {error}; {REPAIR}") from error
        except (ChromaError, ValueError, OSError) as error:
            raise ArchiveError(f"{place}: {error}; {FULL if is_full(error) else mend}") from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Chroma's own code, in Rust, may panic on damaged files
                raise
            raise ArchiveError(f"{place}: {error}; {mend}") from error

    def apart(self) -> "Chroma":
        """Another one of the same place: graphs that it reads into memory leave with it, and not with this one."""
        if self._url:  # they are in the server's memory
            return self
        with self._lock:
            self._client.clear_system_cache()
        return Chroma(self._home, self._url)

    def collection(self, name: str) -> Collection:
        """Raises NotFoundError where there is none of that name."""
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._open(name)
            return self._opened[name]

    def _open(self, name: str) -> Collection:
        with self._whole(writes=False):
            # Chroma opens a graph that a killed writer has torn, and what it then writes may fill the disk.
            if wrong := self.torn(name, short=True):
                raise ValueError(f"the graph of {name} is damaged: {wrong}")
            collection = self._client.get_collection(name, embedding_function=None)
            # Reads the graph, up to seconds, without Python's lock, which count() holds: a server would stand still.
            collection.get(limit=1, include=["embeddings"])
            return collection

    def writing(self) -> AbstractContextManager[None]:
        """Change a collection while no other process reads its graph from the disk, having opened it before.

        Chroma writes a graph over several files in place: a process that reads them meanwhile gets parts of two graphs
        and, when it searches, may fall over a neighbour that isn't there and die (seen: a segmentation fault).
        """
        return self._whole(writes=True)

    def _whole(self, *, writes: bool) -> AbstractContextManager[None]:
        return nullcontext() if self._url else whole(self._home, "graphs", writes=writes)

    def create(self, name: str) -> Collection:
        """The collection of that name, made where it is missing."""
        with suppress(NotFoundError):
            return self.collection(name)
        with self._lock:
            self._opened[name] = self._client.create_collection(
                name, embedding_function=None, configuration=CreateCollectionConfiguration(hnsw=_HNSW)
            )
            return self._opened[name]

    def drop(self, name: str) -> None:
        """Delete a collection; one that isn't there is as good as deleted."""
        graph = None if self._url else self._graph(name)
        with self._lock, self._whole(writes=True), suppress(NotFoundError):
            self._opened.pop(name, None)
            self._client.delete_collection(name)
        if graph:
            shutil.rmtree(graph[0], ignore_errors=True)  # Chroma leaves the files; who reads them has them in memory

    def torn(self, name: str, *, short: bool = False) -> str | None:
        """What is wrong with the files of a collection's graph, in a few words; None where a server has them."""
        graph = None if self._url else self._graph(name)
        return torn_graph(graph[0], begun=graph[1] is not None, short=short) if graph else None

    def flush(self, name: str) -> None:
        """See to it that a collection's graph is on the disk: Chroma leaves that to the system."""
        graph = None if self._url else self._graph(name)
        for file in graph[0].glob("*") if graph else ():
            with file.open("rb") as data:
                os.fsync(data.fileno())

    def damage(self) -> str | None:
        """What is wrong with Chroma's own database, in a few words; None where a server has it."""
        if self._url:
            return None
        try:
            with closing(self._database()) as db:
                said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.Error as error:
            said = str(error)
        return None if said == "ok" else said

    def _database(self) -> sqlite3.Connection:
        file = (self._home / "vectors" / "chroma.sqlite3").absolute()
        return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30)

    def _graph(self, name: str) -> tuple[Path, int | None] | None:
        """The folder of a collection's graph, and which entry of Chroma's log its files reach up to, if any."""
        try:
            with closing(self._database()) as db:
                found = db.execute(_GRAPH, (name,)).fetchone()
        except sqlite3.Error as error:
            raise ArchiveError(f"vectors in {self._home / 'vectors'}: {error}; {REPAIR}") from error
        return (self._home / "vectors" / found[0], found[1]) if found else None

    def reopen(self, changed: Iterable[str], gone: Iterable[str] = ()) -> None:
        """See what another process has written to the collections `changed`; let go of those that are `gone`.

        What is open already answers as before till its successor is read.

        An embedded client keeps each graph that it has opened in memory and never looks at the disk again. A second
        client beside it reads the changed ones anew and the others stay with theirs: at 1.5 million passages a change
        of the newest shelf must not cost the reading of all.
        """
        with self._lock:
            known, stale = len(self._opened), [name for name in changed if self._opened]
            for name in (*gone, *(stale if self._url else ())):
                self._opened.pop(name, None)
            if self._url or not (stale or len(self._opened) < known):
                return
            self._client.clear_system_cache()
            self._connected = self._connect()
        for name in stale:
            self._replace(name)
        gc.collect()  # a client is a circle of objects: one that no collection needs keeps its graphs till then

    def _replace(self, name: str) -> None:
        try:
            successor = self._open(name)
        except (ChromaError, ValueError, OSError):
            with self._lock:
                self._opened.pop(name, None)  # whoever needs it gets the error
        else:
            with self._lock:
                self._opened[name] = successor


def let_go() -> None:
    """Forget what this process has opened: Chroma gives who opens a folder again the client that it had before."""
    SharedSystemClient.clear_system_cache()
    gc.collect()
