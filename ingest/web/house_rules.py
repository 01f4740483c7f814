"""What a host asks of its visitors, by two files that it keeps for them."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from archive.errors import SourceError
from ingest.web.addresses import endpoint
from ingest.web.exchange import Answer, Unreachable
from ingest.web.reservations import TDM_FILE, TdmRule, reserved_by_file, reserved_by_robots, tdm_rules
from ingest.web.robots import Robots
from ingest.web.visits import Refused

_HOLD = 24 * 3600.0  # seconds; RFC 9309 (2.4) allows no longer
_CLOSED_HOLD = 600.0  # seconds until a robots.txt that can't be read is asked for again


@dataclass(frozen=True, slots=True)
class HouseRules:
    """robots.txt and tdmrep.json of one scheme, host and port. `closed` says why nothing may be fetched for now."""

    robots: Robots
    tdm: tuple[TdmRule, ...] = ()
    closed: str = ""

    @property
    def hold(self) -> float:
        """Seconds for which they need not be asked for again."""
        return _CLOSED_HOLD if self.closed else _HOLD

    def permit(self, url: httpx.URL, longest_delay: float) -> None:
        """Raises Refused where robots.txt keeps an address from being fetched, or lets it be only too slowly.

        SourceError where there is no knowing: that may be over later.
        """
        host = endpoint(url)[0]
        if self.closed:
            raise SourceError(f"robots.txt of {host} {self.closed}, so nothing may be fetched for now; try again later")
        if not self.robots.allows(str(url)):
            raise Refused(f"robots.txt of {host} disallows it; see whether the publisher offers a feed instead")
        if self.robots.delay > longest_delay:
            asked = f"{self.robots.delay:g} seconds between two requests"
            raise Refused(f"robots.txt of {host} asks for {asked}, too long to wait; ask the publisher for another way")

    def reservation(self, url: httpx.URL) -> str | None:
        """What reserves an address against text and data mining."""
        return reserved_by_file(self.tdm, str(url)) or reserved_by_robots(self.robots)


def learn(url: httpx.URL, fetch: Callable[[httpx.URL], Answer]) -> HouseRules:
    """The rules of a host. `fetch` follows redirects, tries again, and gives the first LARGEST bytes.

    A robots.txt that is not there (4xx) allows all, one that can't be read nothing (RFC 9309, 2.3.1). Raises
    Unreachable, and Refused where the host may not be visited at all.
    """
    try:
        answer = fetch(url.join("/robots.txt"))
    except (Unreachable, Refused):
        raise
    except SourceError as error:
        return HouseRules(Robots(), closed=f"can't be read ({error})")
    if answer.status != 200 and not 400 <= answer.status < 500:
        return HouseRules(Robots(), closed=f"can't be read (the server answers {answer.line})")
    robots = Robots(answer.body.decode("utf-8-sig", "replace"))
    if not robots.allows(str(url.join(TDM_FILE))):
        return HouseRules(robots)
    try:
        return HouseRules(robots, tdm_rules(fetch(url.join(TDM_FILE)).body))
    except Refused:
        raise
    except SourceError:
        # TDMRep: who gives no access to that file does not take part in the protocol.
        return HouseRules(robots)
