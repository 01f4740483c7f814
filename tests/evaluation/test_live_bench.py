"""The client that asks all the while: what counts as slow, and what as failed."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evaluation.live_bench import Answered, Client, Phase, Span, copied, summary

USUAL, INGEST = Phase("usual", seconds=10), Phase("ingest", ("ingest", "x"))


def test_slow_is_what_takes_longer_than_twice_the_usual_p95():
    spans = [Span(USUAL, 0, 10), Span(INGEST, 10, 20, 0, "stored")]
    answered = [Answered(at / 10, 0.1) for at in range(100)]
    answered += [Answered(10 + at, 0.19) for at in range(9)] + [Answered(19, 0.21), Answered(20, 9.0)]
    found = summary(spans, answered)
    assert found["usual"]["slower"] == 0 and found["usual"]["ms_p95"] == 100
    assert (found["ingest"]["requests"], found["ingest"]["slower"], found["ingest"]["ms_max"]) == (10, 0.1, 210)
    assert (found["ingest"]["exit_code"], found["ingest"]["said"]) == (0, "stored")


def test_a_failure_is_counted_and_its_time_is_none():
    spans = [Span(USUAL, 0, 10), Span(INGEST, 10, 20, 0, "")]
    answered = [Answered(at, 0.1) for at in range(10)] + [Answered(11, 0.1), Answered(12, 5.0, "500: broken")]
    found = summary(spans, answered)["ingest"]
    assert (found["requests"], found["failed"], found["ms_p50"]) == (2, 1, 100)


@contextmanager
def answering(answer):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            status, body = answer()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def asked(answer, questions):
    with answering(answer) as address:
        client = Client(address, ["Was ist neu?"], rate=50)
        with client.asking():
            while len(client.answered) < questions:
                time.sleep(0.01)
        return client.answered


def test_questions_go_on_coming_while_a_server_stalls_and_each_of_them_is_slow():
    stall, first = threading.Event(), threading.Lock()

    def answer():
        if first.acquire(blocking=False):
            time.sleep(0.5)
            stall.set()
        stall.wait(5)
        return 200, b'{"data": [1]}'

    times = [one.seconds for one in sorted(asked(answer, 40), key=lambda one: one.due)]
    assert sum(seconds > 0.1 for seconds in times) > 10


@pytest.mark.parametrize("answer", [(500, b"broken"), (200, b'{"data": []}'), (200, b"no JSON")])
def test_no_answer_is_a_failure(answer):
    assert all(one.failure for one in asked(lambda: answer, 5))


def test_a_server_that_is_gone_is_a_failure():
    client = Client("http://127.0.0.1:9", ["Was ist neu?"], rate=50)
    with client.asking():
        while not client.answered:
            time.sleep(0.01)
    assert client.answered[0].failure


def test_a_copy_leaves_locks_and_results_behind(tmp_path):
    home = tmp_path / "home"
    for name in ("ledger.sqlite3", "write.lock", "bench/live/x", "vectors/chroma.sqlite3"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    copy = copied(home, tmp_path / "copy")
    (copy / "old").write_text("x")
    copy = copied(home, tmp_path / "copy")
    assert sorted(path.name for path in copy.rglob("*") if path.is_file()) == ["chroma.sqlite3", "ledger.sqlite3"]
