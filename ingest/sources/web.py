"""Pages and feeds by address."""

from dataclasses import dataclass

import httpx

from archive.errors import SourceError
from ingest.sources.raw import LARGEST_DOCUMENT

_HEADERS = {"User-Agent": "Archivar/0.1 (news archive; fetches what its user names, once)"}
_TIMEOUT = httpx.Timeout(30, connect=10)
_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document from the web; `address` is where the last redirect led, `media_type` without parameters."""

    data: bytes
    address: str
    media_type: str


def is_address(source: str) -> bool:
    """True for http and https addresses."""
    return source.lower().startswith(("http://", "https://"))


def fetch(address: str) -> Fetched:
    """One GET. Raises SourceError for errors, statuses from 400 and more than LARGEST_DOCUMENT bytes."""
    try:
        with (
            httpx.Client(headers=_HEADERS, timeout=_TIMEOUT, follow_redirects=True, max_redirects=_REDIRECTS) as client,
            client.stream("GET", address) as response,
        ):
            response.raise_for_status()
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > LARGEST_DOCUMENT:
                    raise SourceError(f"{address}: larger than {LARGEST_DOCUMENT // 2**20} MB; name a page or a feed")
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Fetched(bytes(data), str(response.url), media_type)
    except httpx.HTTPStatusError as error:
        status = f"{error.response.status_code} {error.response.reason_phrase}".strip()
        raise SourceError(f"{address}: the server answers {status}; check the address") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise SourceError(f"{address}: can't be fetched ({reason}); check the address and the network") from error
