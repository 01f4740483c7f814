"""A real HTTP server that speaks OpenAI's format as Archivar's does: bags of words for vectors, scripted answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from embedders import WordEmbedder

GENERATOR, EMBEDDER = "scripted", WordEmbedder.name


@dataclass
class Completions:
    """What was asked of the server, and what it says next; an answer that is a number is an HTTP error."""

    url: str = ""
    answers: list[str | int] = field(default_factory=list)
    asked: list[dict] = field(default_factory=list)
    embedded: list[dict] = field(default_factory=list)


def _lines(answer: str) -> Iterator[str]:
    yield ": ping\n\n"
    for word in answer.split(" "):
        yield _line({"choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]})
    yield _line({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield "data: [DONE]\n\n"


def _line(payload: dict) -> str:
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": GENERATOR}
    return f"data: {json.dumps(head | payload)}\n\n"


@contextmanager
def completions() -> Iterator[Completions]:
    said = Completions()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.endswith("/embeddings"):
                said.embedded.append(body)
                vectors = WordEmbedder().embed_passages(body["input"]).tolist()
                data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(vectors)]
                usage = {"prompt_tokens": 1, "total_tokens": 1}
                self._send(
                    200,
                    "application/json",
                    [json.dumps({"object": "list", "data": data, "model": EMBEDDER, "usage": usage})],
                )
                return
            said.asked.append(body)
            answer = said.answers.pop(0) if said.answers else "Ja [1]."
            if isinstance(answer, int):
                self._send(answer, "application/json", [json.dumps({"error": {"message": "zu lang"}})])
            else:
                self._send(200, "text/event-stream", _lines(answer))

        def _send(self, status, kind, lines):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            for line in lines:
                self.wfile.write(line.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
