"""One request and its answer, within limits of time and size."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from http import HTTPStatus
from ssl import SSLContext

import httpcore
import httpx

from archive.errors import SourceError
from ingest.sources.raw import LARGEST_DOCUMENT
from ingest.web.network import CheckedNetwork
from ingest.web.unpacking import ACCEPTED, unpacked

_SHORT = 2**16  # bytes that are cheaper to read than to connect anew
_SLACK = 2**20  # bytes that a packed body may have beyond the limit of the unpacked one


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a visit goes: seconds, bytes, counts.

    `silence` is the time without a byte, `total` that of one request with its answer. `longest_wait` is what a server
    may ask for before it is tried again, `longest_delay` what a robots.txt may ask for between two requests.
    """

    connect: float = 10
    silence: float = 30
    total: float = 120
    document: int = LARGEST_DOCUMENT
    redirects: int = 5
    tries: int = 4
    longest_wait: float = 120
    longest_delay: float = 60


@cache
def _trust() -> SSLContext:
    """The certificates of certifi, or of SSL_CERT_FILE and SSL_CERT_DIR; read once, as that takes a while."""
    return httpx.create_ssl_context()


class Passing(SourceError):
    """A failure that may be over a moment later; `wait` is how long the server asks for, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Unreachable(SourceError):
    """No connection: a wrong name, a server that is down, no network."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; the body, unpacked, is read for status 200 only, and `whole` if it went on no further."""

    status: int
    headers: httpx.Headers
    body: bytes = b""
    whole: bool = True

    @property
    def line(self) -> str:
        """Status and phrase, such as `404 Not Found`."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    @property
    def media_type(self) -> str:
        """Lower-case, without parameters, empty where none is named."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()


class Wire:
    """Connections, kept open from request to request. Not for several threads at once."""

    def __init__(self, network: CheckedNetwork, limits: Limits, agent: str) -> None:
        self._network = network
        self._limits = limits
        self._headers = {
            "User-Agent": agent, "Accept": "text/html, application/xhtml+xml, application/xml, text/*;q=0.9, */*;q=0.1",
            "Accept-Encoding": ACCEPTED, "Accept-Language": "de, en;q=0.7, *;q=0.5",
        }  # fmt: skip

    @cached_property
    def _pool(self) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(_trust(), keepalive_expiry=30, max_connections=10, network_backend=self._network)

    def get(self, url: httpx.URL, headers: Mapping[str, str], limit: int, accept: Callable[[Answer], None]) -> Answer:
        """Ask once. `accept` sees the answer before its body is read and may raise.

        Raises Unreachable, Passing (it fell silent or broke off) and SourceError.
        """
        self._network.start(self._limits.total)
        try:
            with self._pool.stream(
                "GET",
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=[(name.encode(), value.encode()) for name, value in (self._headers | dict(headers)).items()],
                extensions={"timeout": self._timeouts()},
            ) as response:
                answer = Answer(response.status, httpx.Headers(response.headers))
                accept(answer)
                if answer.status != HTTPStatus.OK:
                    _finish(answer, response.iter_stream())
                    return answer
                encoding = answer.headers.get("content-encoding", "")
                body, more = unpacked(_bounded(response.iter_stream(), limit + _SLACK), encoding, limit)
                return Answer(answer.status, answer.headers, body, not more)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise Unreachable(f"can't be fetched ({_reason(error)}); check the address and the network") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.RemoteProtocolError) as error:
            raise Passing(f"can't be fetched ({_reason(error)}); try again later") from error
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise SourceError(f"can't be fetched ({_reason(error)}); check the address") from error

    def close(self) -> None:
        """Close all connections."""
        if "_pool" in self.__dict__:
            self._pool.close()

    def _timeouts(self) -> dict[str, float]:
        silence = self._limits.silence
        return {"connect": self._limits.connect, "read": silence, "write": silence, "pool": self._limits.connect}


def _finish(answer: Answer, chunks: Iterable[bytes]) -> None:
    """Read what nobody needs where it is short, as the connection can then be used again."""
    length = answer.headers.get("content-length", "0" if answer.status == HTTPStatus.NOT_MODIFIED else "")
    if length.isdecimal() and int(length[:20]) <= _SHORT:
        with suppress(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
            for _ in chunks:
                pass


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Packed bytes; a stream of empty members unpacks to nothing and would never end."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise SourceError(f"larger than {limit // 2**20} MB; name a page or a feed")
        yield chunk


def _reason(error: Exception) -> str:
    match error:
        case httpcore.ConnectTimeout():
            return "no answer"
        case httpcore.TimeoutException():
            return "the server fell silent"
    return str(error) or type(error).__name__
