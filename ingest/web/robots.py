"""What a robots.txt says to Archivar: RFC 9309, crawl delay, and signals on what content may be used for."""

import re

from protego import Protego

AGENT = "archivar"  # the product token that publishers can name
LARGEST = 500 * 1024  # bytes that are parsed, as RFC 9309 (2.5) asks for


class Robots:
    """One parsed robots.txt; an empty text allows everything. `delay` is in seconds from request to request."""

    def __init__(self, text: str = "") -> None:
        self._rules = Protego.parse(text)
        rate = self._rules.request_rate(AGENT)
        self.delay = max(self._rules.crawl_delay(AGENT) or 0.0, rate.seconds / rate.requests if rate else 0.0)
        self.signals = _signals(text)

    def allows(self, address: str) -> bool:
        """Whether the group for Archivar, else that for all, lets an address be fetched."""
        return self._rules.can_fetch(address, AGENT)


def matches(pattern: str, address: str) -> bool:
    """Whether a path pattern (`*` any characters, `$` the end) as in robots.txt fits an address."""
    line = " ".join(pattern.split())
    return not Protego.parse(f"User-agent: *\nDisallow: {line}").can_fetch(address, AGENT)


def _signals(text: str) -> dict[str, str]:
    """`Content-Signal: search=yes, ai-input=no` of the group that holds for Archivar (contentsignals.org)."""
    groups: dict[str, dict[str, str]] = {}
    agents: list[str] = ["*"]
    naming = False
    for line in text.splitlines():
        field, _, value = line.partition("#")[0].partition(":")
        match field.strip().lower():
            case "user-agent":
                agents = [*agents, value.strip().lower()] if naming else [value.strip().lower()]
                naming = True
                groups.setdefault(agents[-1], {})
            case "content-signal":
                naming = False
                said = dict(re.findall(r"([\w-]+)\s*=\s*(\w+)", value.lower()))
                for agent in agents:
                    groups.setdefault(agent, {}).update(said)
            case "allow" | "disallow" | "crawl-delay":
                naming = False
    return groups[AGENT] if AGENT in groups else groups.get("*", {})
