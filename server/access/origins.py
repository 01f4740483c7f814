"""Where a server stands, and who may reach one that asks for no key: programs of its machine, no web page of others."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from archive.errors import Forbidden
from archive.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether `host` means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_neighbour(headers: Mapping[str, str], settings: Settings) -> None:
    """Raise Forbidden for a request that a web page made a browser on this machine send.

    A page reaches loopback under its own name by DNS rebinding: its name is in Host then. It can send, not read, across
    origins: Origin names it then. Programs send no Origin.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    name = _hostname(host)
    if name and not is_loopback(name) and name != _hostname(urlsplit(settings.base_url).netloc):
        raise Forbidden("without a key this server answers to localhost only: set ARCHIVAR_PUBLIC_URL, or add a key")
    if origin is not None and urlsplit(origin).netloc != host and origin not in settings.origins:
        raise Forbidden("web pages of other origins are not answered; name theirs in ARCHIVAR_CORS_ORIGINS")


def _hostname(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return "?"
