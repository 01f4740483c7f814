"""A client for load: raw HTTP/1.1, since it shares the processors that it measures."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

_WITHIN = 120.0  # seconds until a reply is given up


@dataclass(slots=True)
class Reply(asyncio.Protocol):
    """A streamed answer as it comes: (seconds on the monotonic clock, bytes) of each part."""

    request: bytes
    began: float = 0.0
    parts: list[tuple[float, bytes]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.began = time.monotonic()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """See Protocol."""
        self.parts.append((time.monotonic(), data))
        self._came.set()

    def connection_lost(self, error: Exception | None) -> None:
        """See Protocol."""
        self.ended.set()
        self._came.set()

    def close(self) -> float:
        """Leave, as a browser does whose tab is closed; returns when."""
        assert self._transport is not None
        self._transport.abort()
        return time.monotonic()

    @property
    def text(self) -> str:
        """All of it, head and chunk sizes too."""
        return b"".join(data for _, data in self.parts).decode()

    @property
    def whole(self) -> bool:
        """Whether it is a stream that ended as it should, and told of no error."""
        text = self.text
        return text.startswith("HTTP/1.1 200") and "data: [DONE]" in text and '"error"' not in text

    def words(self) -> list[float]:
        """When each word came."""
        return [at for at, data in self.parts for _ in range(data.count(b"Wort "))]

    def events(self) -> list[dict[str, Any]]:
        """The chunks of a stream that has ended."""
        lines = (line for line in self.text.splitlines() if line.startswith("data: {"))
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    async def has(self, mark: bytes) -> float:
        """When a part came that matches the regular expression `mark`, waited for.

        Raises TimeoutError, or EOFError where it never came.
        """
        async with asyncio.timeout(_WITHIN):
            seen = 0
            while True:
                for at, data in self.parts[seen:]:
                    if re.search(mark, data):
                        return at
                seen = len(self.parts)
                if self.ended.is_set():
                    raise EOFError(f"the stream ended without {mark!r}: {self.text[-300:]}")
                self._came.clear()
                await self._came.wait()


async def stream(port: int, body: Mapping[str, Any]) -> Reply:
    """Ask for a streamed chat completion; returns at once."""
    request = _request("/v1/chat/completions", {"stream": True, **body}, port, "close")
    _, reply = await asyncio.get_running_loop().create_connection(lambda: Reply(request), "127.0.0.1", port)
    return reply


async def streamed(port: int, body: Mapping[str, Any]) -> Reply:
    """Ask for a streamed chat completion and wait for its end."""
    reply = await stream(port, body)
    async with asyncio.timeout(_WITHIN):
        await reply.ended.wait()
    return reply


class Connection:
    """A connection that is kept alive, for one request after the other."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._port, self._reader, self._writer = port, reader, writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect on loopback. Raises OSError where nobody listens."""
        return cls(port, *await asyncio.open_connection("127.0.0.1", port, limit=2**20))

    async def ask(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer to a POST, or without a body a GET."""
        self._writer.write(_request(path, body, self._port, "keep-alive"))
        async with asyncio.timeout(_WITHIN):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Leave."""
        self._writer.close()


def _request(path: str, body: Mapping[str, Any] | None, port: int, connection: str) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Connection: {connection}",
        "X-Archivar-Events: true", "Content-Type: application/json", f"Content-Length: {len(data)}", "\r\n",
    )  # fmt: skip
    return "\r\n".join(head).encode() + data
