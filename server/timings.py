"""Where the time of one request goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.current import current


@dataclass(slots=True)
class Stage:
    """A stretch of time by perf_counter(), in seconds; `end` is None while it lasts."""

    name: str
    start: float
    end: float | None = None


class Timings:
    """Milliseconds by stage, in the order of their first entry. Those of a request are told with it, see Current."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._ms: dict[str, float] = {}
        self.stages: list[Stage] = []  # in the order of their beginning; one name may come several times
        if request := current():
            request.timings.append(self)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to stage `name`."""
        stage = Stage(name, time.perf_counter())
        self.stages.append(stage)
        try:
            yield
        finally:
            stage.end = time.perf_counter()
            self._ms[name] = self._ms.get(name, 0.0) + (stage.end - stage.start) * 1000

    def mark(self, name: str) -> None:
        """Note the time since the request began as stage `name`, once."""
        self._ms.setdefault(name, (time.perf_counter() - self._start) * 1000)

    def ms(self) -> dict[str, float]:
        """Milliseconds by stage, rounded to a tenth."""
        return {name: round(value, 1) for name, value in self._ms.items()}
