"""Connections that go where they may, and end in time: httpcore's network with its addresses checked."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore

from archive.errors import SourceError
from ingest.web.addresses import is_public
from ingest.web.visits import Refused

Endpoint = tuple[str, int]
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """IP addresses of a name, in the order of the system. Raises OSError where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to the very IP addresses that were checked, so that a name can't lead elsewhere a moment later.

    `named` are the endpoints that the user wrote themselves: only these may lie in a private network. Raises Refused
    for others there, and SourceError for whatever lasts beyond the time given by `start`.
    """

    def __init__(self, named: Iterable[Endpoint], inner: httpcore.NetworkBackend, resolve: Resolve) -> None:
        self._named = frozenset(named)
        self._inner = inner
        self._resolve = resolve
        self._end = float("inf")
        self._seconds = 0.0

    def start(self, seconds: float) -> None:
        """From now on all connections, also those kept open, have this long."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @contextmanager
    def timed(self, timeout: float | None) -> Iterator[float]:
        """The timeout, or what is left of the time where that is less. Raises SourceError once nothing is."""
        left = self._left()
        try:
            yield left if timeout is None else min(left, timeout)
        except httpcore.TimeoutException:
            self._left()
            raise

    def _left(self) -> float:
        if (left := self._end - time.monotonic()) > 0:
            return left
        raise SourceError(f"takes longer than {self._seconds:g} seconds; try again later")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses that answers."""
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for ip in self._permitted(host, port):
            try:
                with self.timed(timeout) as left:
                    stream = self._inner.connect_tcp(ip, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _permitted(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address is known for {host}") from error
        if (host.lower().rstrip("."), port) in self._named:
            return addresses
        public = [ip for ip in addresses if is_public(ip)]
        if addresses and not public:
            mend = "name that address yourself if you want what is there"
            raise Refused(f"{host}, port {port}, lies in a private network ({addresses[0]}); {mend}")
        return public

    def connect_unix_socket(self, *args: object, **kwargs: object) -> httpcore.NetworkStream:
        """Never: the web is reached by TCP."""
        raise httpcore.UnsupportedProtocol("no Unix sockets")


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every operation ends with the visit's time: headers that drip in are no way around it."""

    def __init__(self, stream: httpcore.NetworkStream, network: CheckedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._network.timed(timeout) as left:
            return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with self._network.timed(timeout) as left:
            self._stream.write(buffer, left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with self._network.timed(timeout) as left:
            return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._network)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401, as httpcore declares it
        return self._stream.get_extra_info(info)
