"""A scripted engine that speaks OpenAI's API: words at a set pace, where only time matters. A process of its own.

What it shall do stands in the question: `first=0.2 rate=30 words=100` waits 0.2 s and then says 100 words, 30 a second.
`GET /notes` tells of every answer since it was last asked when it was asked for and how it ended, on the system's
monotonic clock, which all processes share.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass

MODEL = "scripted"
_ORDER = re.compile(r"\b(first|rate|words)=([\d.]+)")
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_USAGE = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}


@dataclass(slots=True)
class Note:
    """One answer: seconds on the monotonic clock, how many words were sent, and whether the client left before."""

    asked: float
    first: float = 0.0
    ended: float = 0.0
    sent: int = 0
    gone: bool = False


class Engine(asyncio.Protocol):
    """One connection. Raw, since a framework would need the processor time that is to be measured."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._data, self._closes = b"", False
        self._answer: asyncio.Task[None] | None = None
        self._note: Note | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if not found or len(body) < (int(length[1]) if length else 0):
            return
        self._data, self._closes = b"", b"connection: close" in head.lower()
        method, path = head.split(b" ", 2)[:2]
        if method == b"POST":
            self._answer = asyncio.create_task(self._say(json.loads(body)))
        else:
            self._tell(self._drained() if path == b"/notes" else {"object": "list", "data": [{"id": MODEL}]})

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone; what it waited for ends here."""
        if self._answer is not None and not self._answer.done():
            self._answer.cancel()
            if self._note is not None:
                self._note.ended, self._note.gone = time.monotonic(), True

    def _drained(self) -> list[dict[str, object]]:
        told = [asdict(note) for note in self._notes if note.ended]
        self._notes[:] = [note for note in self._notes if not note.ended]
        return told

    def _tell(self, value: object) -> None:
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)

    async def _say(self, request: dict[str, object]) -> None:
        note = self._note = Note(time.monotonic())
        self._notes.append(note)
        orders = {name: float(value) for name, value in _ORDER.findall(json.dumps(request["messages"]))}
        start, words = note.asked + orders.get("first", 0.0), int(orders.get("words", 10))
        pause = 1 / orders.get("rate", 30.0)
        if not request.get("stream"):
            await asyncio.sleep(start - time.monotonic())
            choice = {"index": 0, "message": {"role": "assistant", "content": "Wort " * words}, "finish_reason": "stop"}
            self._tell({"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": _USAGE})
        else:
            self._transport.write(_STREAM)
            for number in range(words):
                await asyncio.sleep(start + number * pause - time.monotonic())
                note.first = note.first or time.monotonic()
                self._write({"content": "Wort "})
                note.sent += 1
            self._write({}, "stop")
            self._event(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
                                    "choices": [], "usage": _USAGE}))  # fmt: skip
            self._event("[DONE]")
            self._transport.write(b"0\r\n\r\n")
        note.ended = time.monotonic()
        if self._closes:
            self._transport.close()

    def _write(self, delta: dict[str, str], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        self._event(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
                                "choices": [choice]}))  # fmt: skip

    def _event(self, data: str) -> None:
        line = f"data: {data}\n\n".encode()
        self._transport.write(b"%x\r\n%s\r\n" % (len(line), line))


async def serve(port: int) -> None:
    """Answer on loopback until the process is ended."""
    notes: list[Note] = []
    server = await asyncio.get_running_loop().create_server(lambda: Engine(notes), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
