"""A web site on this machine that answers what a test tells it to, faults included, and remembers what it was asked.

    with served({"/feed": Answer(FEED, media_type="application/rss+xml", etag='"1"')}) as site:
        read(site.at("/feed"))
        assert site.paths == ["/robots.txt", "/feed"]
        site.routes["/feed"] = [Answer(status=500), Answer(FEED)]  # from now on: first a fault, then the feed, for good

A path without a route is a 404. `site.network` plays any other host, https too, without leaving this machine.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext

import httpcore


@dataclass(frozen=True, slots=True)
class Request:
    """What came in: `path` with query, `headers` with lower-case names, `time` in seconds on the monotonic clock."""

    path: str
    headers: Mapping[str, str]
    time: float

    @property
    def host(self) -> str:
        return self.headers.get("host", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. A request that has the `etag` or the `last_modified` already is answered with 304.

    Faults: `delay` seconds before the status line; `pause` seconds before each of the body's `pieces`; `cut` closes the
    connection after so many bytes of the body; `length` is said as Content-Length whatever the body has; `endless`
    repeats the body until the client goes; `raw` goes out instead of a whole response.
    """

    body: bytes | str = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    last_modified: str = ""
    delay: float = 0
    pause: float = 0
    pieces: int = 1
    cut: int | None = None
    length: int | None = None
    endless: bool = False
    raw: bytes | None = None

    def has(self, request: Request) -> bool:
        """Whether the client holds this version."""
        if "if-none-match" in request.headers:
            return bool(self.etag) and self.etag in request.headers["if-none-match"]
        return bool(self.last_modified) and request.headers.get("if-modified-since") == self.last_modified


Route = Answer | str | bytes | Sequence[Answer] | Callable[[Request], Answer]
"""An answer, or a page; answers that follow one another, the last one staying; or a function of the request."""


def redirect(target: str, status: int = 302, **fields) -> Answer:
    """Elsewhere: `target` is an address or a path."""
    return Answer(status=status, headers={"Location": target}, **fields)


class Site:
    """A running server: `routes` by path without query may be changed at any time, `requests` grow as they come."""

    def __init__(self, routes: Mapping[str, Route], port: int) -> None:
        self.routes = dict(routes)
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.address = f"http://{self.host}"
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._queues: dict[str, tuple[Route, deque[Answer]]] = {}
        self._lock = threading.Lock()

    def at(self, path: str) -> str:
        """The address of a path."""
        return self.address + path

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]

    def asked(self, path: str) -> list[Request]:
        """The requests for one path, query included."""
        return [request for request in self.requests if request.path == path]

    @property
    def network(self) -> "Detour":
        """A network for httpcore on which every host, whatever its name and scheme, is this site."""
        return Detour(self.port)

    def answer(self, request: Request) -> Answer:
        """What the routes say now; a queue starts anew where its route was replaced."""
        path = request.path.partition("?")[0]
        with self._lock:
            self.requests.append(request)
            route = self.routes.get(path, Answer("Nicht da", 404))
            if isinstance(route, str | bytes):
                return Answer(route)
            if isinstance(route, Sequence):
                if path not in self._queues or self._queues[path][0] is not route:
                    self._queues[path] = route, deque(route)
                queue = self._queues[path][1]
                return queue.popleft() if len(queue) > 1 else queue[0]
        return route if isinstance(route, Answer) else route(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        site = self.server.site
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = site.answer(Request(self.path, headers, time.monotonic()))
        # A client that gave up has closed the connection: that is what its test is about.
        with suppress(ConnectionError):
            self._send(answer, Request(self.path, headers, 0))

    def _send(self, answer: Answer, request: Request) -> None:
        closing = self.server.site.closing
        closing.wait(answer.delay)
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            self.close_connection = True
            return
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        unchanged = answer.status == 200 and answer.has(request)
        self._start(answer, len(body), unchanged)
        if unchanged or answer.status == 304:
            return
        sent = body if answer.cut is None else body[: answer.cut]
        size = -(-len(sent) // answer.pieces) or 1
        while not closing.is_set():
            for start in range(0, len(sent), size):
                if closing.wait(answer.pause):
                    return
                self.wfile.write(sent[start : start + size])
                self.wfile.flush()
            if not answer.endless:
                break
        if answer.cut is not None or answer.endless or answer.length is not None:
            self.close_connection = True

    def _start(self, answer: Answer, size: int, unchanged: bool) -> None:
        self.send_response(304 if unchanged else answer.status)
        headers = {"ETag": answer.etag, "Last-Modified": answer.last_modified}
        if not unchanged:
            headers["Content-Type"] = answer.media_type
            if not answer.endless:
                headers["Content-Length"] = str(size if answer.length is None else answer.length)
        for name, value in (headers | dict(answer.headers)).items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is no news here."""


@contextmanager
def served(routes: Mapping[str, Route] | None = None, tls: SSLContext | None = None) -> Iterator[Site]:
    """Run a site on a free port until the block ends, with `tls` as https (its `address` says http all the same)."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.site = site = Site(routes or {}, server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.closing.set()
            server.shutdown()
            thread.join()


class Detour(httpcore.NetworkBackend):
    """Every connection ends at one port of this machine; TLS is spoken by nobody. `dialled` lists host and port."""

    def __init__(self, port: int) -> None:
        self.dialled: list[tuple[str, int]] = []
        self._port = port

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: object = None,
    ) -> httpcore.NetworkStream:
        self.dialled.append((host, port))
        return _PlainStream(socket.create_connection(("127.0.0.1", self._port), timeout))


class _PlainStream(httpcore.NetworkStream):
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(timeout)
        try:
            return self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._connection.settimeout(timeout)
        self._connection.sendall(buffer)

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: object, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return self

    def get_extra_info(self, info: str) -> object:
        return None
