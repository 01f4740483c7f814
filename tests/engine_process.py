"""An engine in a process of its own that speaks OpenAI's API and fails as it is told to: it hangs, talks rubbish, dies.

Run as a program with a port; `POST /mode` says how it behaves from then on, `GET /notes` what it has seen.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from server.ports import free_port

ANSWER = "Andres Freund entdeckte die Hintertür in den XZ Utils [1]."
MODE = {"answer": ANSWER, "first": 0.0, "pause": 0.0, "fault": "", "after": 0}
_CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
_USAGE = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}


class EngineProcess:
    """The engine as its test holds it: started, told how to behave, killed, and started again on the same port."""

    def __init__(self, **mode: object) -> None:
        self.port = free_port("127.0.0.1")
        self.address = f"http://127.0.0.1:{self.port}"
        self._mode = mode
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "EngineProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self.kill()
        here = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.port), json.dumps(self._mode)],
            env=here,
        )
        wait_for(lambda: self.answers() or self._process.poll() is not None, 30)
        assert self.answers()

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/v1/models", timeout=2).status_code == 200
        return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def behave(self, **mode: object) -> None:
        """From here on; what isn't named is as it was at first."""
        httpx.post(f"{self.address}/mode", json=mode, timeout=5).raise_for_status()

    def notes(self) -> dict[str, int]:
        """Answers that were asked for, are being written, were given up by the client, and were ended."""
        return httpx.get(f"{self.address}/notes", timeout=5).json()


def wait_for(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


class Engine:
    def __init__(self, mode: dict) -> None:
        self.default = MODE | mode
        self.mode = self.default
        self.notes = {"asked": 0, "at_work": 0, "gone": 0, "ended": 0}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
            path = head.split(" ", 2)[1]
            if path.endswith("/chat/completions"):
                await self._answer(json.loads(body), reader, writer)
            else:
                if path == "/mode":
                    self.mode = self.default | json.loads(body)
                _respond(writer, 200, self.notes if path == "/notes" else {"object": "list", "data": []})
            await writer.drain()
        writer.close()

    async def _answer(self, asked: dict, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.notes["asked"] += 1
        self.notes["at_work"] += 1
        work = asyncio.create_task(self._say(asked, writer, self.mode))
        gone = asyncio.create_task(reader.read())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            self.notes["ended" if work.done() else "gone"] += 1
        finally:
            work.cancel()
            gone.cancel()
            self.notes["at_work"] -= 1

    async def _say(self, asked: dict, writer: asyncio.StreamWriter, mode: dict) -> None:
        fault, words = mode["fault"], mode["answer"].split(" ")[: asked.get("max_tokens", 1000)]
        await asyncio.sleep(mode["first"])
        if fault == "silent":
            await asyncio.sleep(3600)
        if fault in ("400", "500", "503"):
            _respond(writer, int(fault), {"error": {"message": "out of memory", "type": "server_error"}})
            return
        if fault == "page":
            _respond(writer, 200, "<html>Willkommen bei einem ganz anderen Server</html>")
            return
        # No length and no chunks: what a killed process leaves of it looks like all.
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for number, word in enumerate(words):
            if fault and number == mode["after"]:
                await writer.drain()
                await _fail(fault, writer)
                return
            _event(writer, {"content": word if number == 0 else f" {word}"})
            await writer.drain()
            await asyncio.sleep(mode["pause"])
        _event(writer, {}, "stop")
        _event(writer, None, usage=_USAGE)
        writer.write(b"data: [DONE]\n\n")


async def _fail(fault: str, writer: asyncio.StreamWriter) -> None:
    if fault == "dying":
        os._exit(1)
    if fault == "hanging":
        await asyncio.sleep(3600)
    if fault == "rubbish":
        writer.write(b'data: {"choices": [{"delta": {"content": \xff\xfe\n\ndata: \x00\x01\n\n')
    if fault == "other shape":
        writer.write(b'data: {"choices": "none", "answer": 42}\n\ndata: [1, 2]\n\n')
    # "closing": nothing more


def _event(writer: asyncio.StreamWriter, delta: dict | None, reason: str | None = None, **more: object) -> None:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    writer.write(f"data: {json.dumps({**_CHUNK, 'choices': choices, **more})}\n\n".encode())


def _respond(writer: asyncio.StreamWriter, status: int, value: object) -> None:
    body = (value if isinstance(value, str) else json.dumps(value)).encode()
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n".encode())
    writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def main(port: int, mode: dict) -> None:
    server = await asyncio.start_server(Engine(mode).serve, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), json.loads(sys.argv[2])))
