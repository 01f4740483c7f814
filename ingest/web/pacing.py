"""When a host may be asked again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from archive.errors import SourceError


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, and waiting for it. A `sleep` that raises ends the visit: so a watcher can be stopped while it waits."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """Leaves time between two requests to a host, counted from the end of the first.

    `longest_rest` is the time that a host may want to be left alone for a visit to wait that long, in seconds.
    """

    def __init__(self, clock: Clock, longest_rest: float) -> None:
        self._clock = clock
        self._longest_rest = longest_rest
        self._last: dict[str, float] = {}
        self._resting: dict[str, float] = {}

    def wait(self, host: str, delay: float) -> None:
        """Until `delay` seconds after the last request, and until the host's rest is over.

        Raises SourceError where it rests for longer than a visit waits.
        """
        now = self._clock.monotonic()
        rest = self._resting.get(host, now) - now
        if rest > self._longest_rest:
            raise SourceError(f"{host} asked not to be visited for another {rest:.0f} seconds; try again later")
        left = max(rest, self._last.get(host, now - delay) + delay - now)
        if left > 0:
            self._clock.sleep(left)

    def done(self, host: str) -> None:
        """A request to the host has ended, well or not."""
        self._last[host] = self._clock.monotonic()

    def rest(self, host: str, seconds: float) -> None:
        """The host wants no visit for so long."""
        self._resting[host] = self._clock.monotonic() + seconds


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that the header Retry-After asks for, as a number or as a date (RFC 9110, 10.2.3); None if malformed."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
