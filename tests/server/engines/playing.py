"""A server that sends bytes as an engine has sent them, for one request, and what the generator makes of it."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path

from archive.settings import Settings
from server.generation import Message, Sampling, ToolCall, Usage
from server.openai_generator import OpenAIGenerator

RECORDED = Path(__file__).parent / "recorded"
TURNS = (Message("system", "Kurz."), Message("user", "Wann nimmt das Werk in Dresden die Produktion auf?"))


@dataclass
class Heard:
    """A whole answer, and what was asked for it."""

    text: str
    reason: str | None
    usage: Usage | None
    calls: tuple[ToolCall, ...]
    pieces: int
    asked: list[dict] = field(default_factory=list)


class Player:
    """Answers one request after another with the next of `answers`; each a status, a type and its parts."""

    def __init__(self, *answers: tuple[int, str, list[bytes]], reset: bool = False, pause: float = 0.0) -> None:
        self.asked: list[dict] = []
        self._answers, self._reset, self._pause = answers, reset, pause
        self._done = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Player":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(20)
        self._listening.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        self._listening.settimeout(10)
        for status, kind, parts in self._answers:
            connection, _ = self._listening.accept()
            with connection, contextlib.suppress(ConnectionError):  # who has heard enough leaves
                self.asked.append(_request(connection))
                head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
                connection.sendall(head.encode())
                for part in filter(None, parts):
                    connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
                    self._done.wait(self._pause)
                if self._reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    connection.sendall(b"0\r\n\r\n")


def _request(connection: socket.socket) -> dict:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536)
    return json.loads(body) if body else {}


def recorded(name: str) -> tuple[int, str, list[bytes]]:
    """An answer as it was recorded: the status and headers in the first line, then the body."""
    head, _, body = (RECORDED / f"{name}.txt").read_bytes().partition(b"\n")
    status, _, headers = head.decode().partition(" ")
    return int(status), json.loads(headers)["content-type"], [body] if body else []


def events(*lines: str | bytes | dict, end: bytes = b"\n\n") -> tuple[int, str, list[bytes]]:
    """A stream of these events, each a part of its own; what is no dictionary is sent as it is."""
    parts = [
        line if isinstance(line, bytes) else line.encode() + end if isinstance(line, str) else data(line, end)
        for line in lines
    ]
    return 200, "text/event-stream", parts


def data(value: dict, end: bytes = b"\n\n") -> bytes:
    return b"data: " + json.dumps(value).encode() + end


def chunk(content: object = None, finish: object = None, **more: object) -> dict:
    delta = {} if content is None else {"content": content}
    return {"id": "1", "choices": [{"index": 0, "delta": {**delta, **more}, "finish_reason": finish}]}


def heard(*answers: tuple, sampling: Sampling | None = None, silence: float = 20, reset=False, pause=0.0) -> Heard:
    """What the generator makes of an engine that answers so. Raises what it raises."""
    with Player(*answers, reset=reset, pause=pause) as player:
        generator = OpenAIGenerator("qwen", Settings(engine_timeout=silence), player.url)

        async def listen() -> Heard:
            pieces = [piece async for piece in generator.stream(TURNS, sampling or Sampling(60))]
            last = pieces[-1]
            text = "".join(piece.text for piece in pieces)
            return Heard(text, last.finish_reason, last.usage, last.tool_calls, len(pieces), player.asked)

        return asyncio.run(listen())
