"""The archive's figures for Prometheus, counted when it asks, and not each time."""

import time
from collections.abc import Iterator
from threading import Lock

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.figures import Figures, figures

_FRESH = 15.0  # seconds; to count the passages of a large archive takes a moment


class ArchiveFigures(Collector):
    """Tells how much the archive holds and how current it is; nothing while its ledger can't be read."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = Lock()
        self._known: Figures | None = None
        self._at = -_FRESH

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge for each figure that there is."""
        if (known := self._figures()) is None:
            return
        for name, told, value in (
            ("articles", "Articles in the archive", known.articles),
            ("passages", "Passages in the archive", known.passages),
            ("pending", "Passages that wait for the indexes", known.pending),
            ("newest_timestamp_seconds", "When the newest article was published", known.newest),
            ("last_run_timestamp_seconds", "When an ingest has ended last", known.last_run),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"archivar_archive_{name}", told, value)

    def _figures(self) -> Figures | None:
        with self._lock:
            if time.monotonic() - self._at > _FRESH:
                try:
                    self._known = figures(self._archive.ledger, self._archive.home)
                except ArchiveError:
                    self._known = None
                self._at = time.monotonic()
            return self._known
