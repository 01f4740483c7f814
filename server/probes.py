"""What looks at a server from outside, in threads of its own: those that all share may wait for the part that hangs."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from server import metrics
from server.answering import ARCHIVE_MODEL
from server.engine import Engine
from server.figures import ArchiveFigures
from server.readiness import Readiness


class Probes:
    """Readiness and metrics of one engine."""

    def __init__(self, engine: Engine, version: str) -> None:
        """Made once, when the engine is there: it is told as serving from then on."""
        reranker, generator = engine.reranker.name if engine.reranker else "", engine.generator.name
        metrics.started(version, engine.archive.embedder.name, reranker, generator, (ARCHIVE_MODEL, generator))
        self._threads = ThreadPoolExecutor(4, "probe")  # the ledger, the index, the disk, and Prometheus
        self._figures = ArchiveFigures(engine.archive)
        self.readiness = Readiness(engine, self._threads)

    async def metrics(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, metrics.text, self._figures)

    def close(self) -> None:
        """Stop, without waiting for what hangs."""
        self._threads.shutdown(wait=False)
