"""Addresses of pages: which can be visited, which belong to one site, which lie on the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from archive.errors import SourceError

if TYPE_CHECKING:
    import httpx

_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_LONGEST = 2000  # characters; longer ones are no article's
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def is_address(source: str) -> bool:
    """True for http and https addresses."""
    return source.lower().startswith(("http://", "https://"))


def parsed(address: str) -> httpx.URL:
    """The address without its fragment. Raises SourceError for what no careful client asks for."""
    import httpx

    try:
        url = httpx.URL(address).copy_with(fragment=None)
        ascii_host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise SourceError(f"{address[:200]}: can't be fetched ({error}); check the address") from error
    if url.scheme not in _PORTS:
        raise SourceError(f"{address[:200]}: can't be fetched ({url.scheme or 'no scheme'}); http and https can")
    if not ascii_host or url.port == 0 or (url.port or 0) > _LAST_PORT:
        raise SourceError(f"{address[:200]}: can't be fetched (it names no host, or no port); check the address")
    if url.userinfo:
        raise SourceError(f"{url.host}: an address with a user name or password is not fetched; leave it out")
    if len(address) > _LONGEST:
        raise SourceError(f"{address[:200]}...: longer than {_LONGEST} characters; check the address")
    return url


def endpoint(url: httpx.URL) -> tuple[str, int]:
    """Host (lower-case, IDNA) and port that answer for an address."""
    return url.raw_host.decode("ascii").lower().rstrip("."), url.port or _PORTS[url.scheme]


def same_site(one: httpx.URL, other: httpx.URL) -> bool:
    """True where both are one host, or lie below one registrable domain: `www.heise.de` and `shop.heise.de`."""
    if endpoint(one)[0] == endpoint(other)[0]:
        return True
    domain = _registrable(one)
    return domain is not None and domain == _registrable(other)


def _registrable(url: httpx.URL) -> str | None:
    """By the public suffix list, its private part too: two users of one host for blogs are two sites."""
    from tld import get_fld

    domain = get_fld(f"http://{endpoint(url)[0]}", fail_silently=True, search_private=True)
    return domain if isinstance(domain, str) else None


def is_public(address: str) -> bool:
    """False for loopback, private, link-local, multicast and reserved IP addresses, however they are wrapped."""
    ip = ip_address(address.partition("%")[0])
    inner = _embedded(ip) if isinstance(ip, IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (inner is None or is_public(str(inner)))


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
