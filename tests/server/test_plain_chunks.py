"""Chunks of an engine that speaks OpenAI's API, as they come over the wire."""

import asyncio
import json
import socket
import threading
import time

import pytest
from openai import APIError, AsyncOpenAI

from server.plain_chunks import PlainCompletions, joined


def chunk(content=None, finish=None, **more):
    delta = {} if content is None else {"content": content}
    return {"id": "1", "choices": [{"index": 0, "delta": {**delta, **more}, "finish_reason": finish}]}


def heard(*parts: bytes) -> list[dict]:
    """What a client makes of a server that sends these bytes, each by itself."""

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)

    async def listen(port: int) -> list[dict]:
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="x", max_retries=0)
        async with client, await PlainCompletions(client).create(model="m", messages=[]) as chunks:
            return [one async for one in chunks]

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        try:
            return asyncio.run(listen(server.getsockname()[1]))
        finally:
            thread.join()


def line(value, end=b"\n\n") -> bytes:
    return b"data: " + json.dumps(value).encode() + end


def test_lines_are_read_wherever_the_network_cuts_them():
    first, last = line(chunk("Grüße")), line(chunk("", "stop"))
    parts = [first[:20], first[20:] + last[:9], last[9:], b"data: [DONE]\n\n"]
    assert heard(*parts) == [chunk("Grüße"), chunk("", "stop")]


def test_a_last_line_without_its_end_counts():
    assert heard(line(chunk("Ja")), line(chunk("", "stop"), b"")) == [chunk("Ja"), chunk("", "stop")]


def test_comments_names_and_other_line_ends_are_no_chunks():
    said = heard(b": keep-alive\r\n\r\nevent: message\r\n", line(chunk("Ja"), b"\r\n\r\n"), b"data:[DONE]\r\n\r\n")
    assert said == [chunk("Ja")]


def test_words_that_came_together_are_one_chunk_and_the_end_is_its_own():
    together = b"".join(map(line, [chunk("Das", role="assistant"), chunk(" ist"), chunk(" alles"), chunk("", "stop")]))
    assert heard(together + b"data: [DONE]\n\n") == [chunk("Das ist alles", role="assistant"), chunk("", "stop")]


@pytest.mark.parametrize(
    "other",
    [
        chunk("", "stop"), chunk("x", reasoning_content="Hm"), chunk("", tool_calls=[{"index": 0}]), {"choices": []},
        chunk("x") | {"usage": {"total_tokens": 3}}, {"error": {"message": "voll"}}, "Unsinn", chunk(),
    ],
)  # fmt: skip
def test_whatever_is_more_than_text_stays_as_it_came(other):
    assert list(joined([chunk("a"), other, chunk("b"), chunk("c")])) == [chunk("a"), other, chunk("bc")]


def test_an_error_in_the_stream_is_raised():
    with pytest.raises(APIError, match="voll"):
        heard(line(chunk("Ja")), line({"error": {"message": "voll"}}))
