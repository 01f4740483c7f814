"""A clock that tests turn, and visitors of local sites that wait by it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from webserver import Site

from ingest.web.pacing import Clock
from ingest.web.visitor import Visitor

START = datetime(2026, 12, 1, 12, tzinfo=UTC)


class TurnedClock:
    """`slept` lists the waits; each of them turns the clock on at once, or raises KeyboardInterrupt once `stopped`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self.stopped = False

    def sleep(self, seconds: float) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, lambda: START + timedelta(seconds=self.seconds), self.sleep)


def visitor(site: Site, turned: TurnedClock | None = None, **options) -> Visitor:
    """To whom the site's address was named by the user."""
    return Visitor(**{"named": [site.address], "clock": (turned or TurnedClock()).clock} | options)


def worldwide(site: Site, hosts: Mapping[str, Iterable[str]], **options) -> Visitor:
    """To whom the site is all hosts of the world, each at the IP addresses given; any other is unknown."""

    def resolve(host: str, port: int) -> list[str]:
        if host not in hosts:
            raise OSError("unknown host")
        return list(hosts[host])

    return Visitor(**{"network": site.network, "resolve": resolve, "clock": TurnedClock().clock} | options)
