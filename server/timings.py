"""Where the time of one request goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timings:
    """Milliseconds by stage, in the order of their first entry."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to stage `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._ms[name] = self._ms.get(name, 0.0) + (time.perf_counter() - start) * 1000

    def mark(self, name: str) -> None:
        """Note the time since the request began as stage `name`, once."""
        self._ms.setdefault(name, (time.perf_counter() - self._start) * 1000)

    def ms(self) -> dict[str, float]:
        """Milliseconds by stage, rounded to a tenth."""
        return {name: round(value, 1) for name, value in self._ms.items()}
