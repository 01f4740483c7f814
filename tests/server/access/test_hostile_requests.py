"""What an enemy sends, over real sockets: nothing is let in, nothing is fetched, and no log line is forged."""

import io
import logging
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from openai import APIStatusError, OpenAI
from pydantic import SecretStr
from serving import serving

from archive.errors import SettingsError
from archive.settings import Settings
from server.access import bodies, connections
from server.app import create_app
from server.generation import load_generators
from server.logs import JsonLines, TextLines

QUESTION = {"model": "heise-archiv", "messages": [{"role": "user", "content": "Wer fand die Hintertür in XZ?"}]}
ESCAPE, BIDI = "\x1b[31mrot", "\u202eklatsbo"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")  # all but a line's end


@pytest.fixture(scope="module")
def http(guarded):
    with httpx.Client(base_url=guarded, timeout=30) as http:
        yield http


@pytest.fixture(params=[TextLines, JsonLines])
def logged(request):
    """All that is logged, at the lowest level, as it stands in a file."""
    file = io.StringIO()
    handler = logging.StreamHandler(file)
    handler.setFormatter(request.param())
    # The tests' own client runs in this process, too, and tells the addresses that it asks.
    handler.addFilter(lambda record: not record.name.startswith(("httpx", "httpcore", "openai", "asyncio")))
    ours = [logging.getLogger(name) for name in ("", "archivar", "server", "uvicorn")]
    levels = [logger.level for logger in ours]
    for logger in ours:
        logger.setLevel(logging.DEBUG)
    ours[0].addHandler(handler)
    yield file.getvalue
    ours[0].removeHandler(handler)
    for logger, level in zip(ours, levels, strict=True):
        logger.setLevel(level)


def raw(address: str, sent: bytes, *, wait: float = 5) -> bytes:
    """What a server answers to these very bytes, until it closes or is silent."""
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port), timeout=wait) as line:
        line.sendall(sent)
        answer = b""
        try:
            while more := line.recv(65536):
                answer += more
        except (TimeoutError, ConnectionResetError):  # closed before it had read all
            pass
    return answer


def request(target: str, *headers: str, body: str = "", method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode("utf-8", "surrogateescape")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def bearer(keys, name: str = "ute") -> str:
    return f"Authorization: Bearer {keys.texts[name]}"


def test_a_large_request_is_refused_before_it_is_read(guarded, keys):
    head = request(
        "/v1/search", bearer(keys), "Content-Type: application/json", "Content-Length: 999999999", method="POST"
    )
    answer = raw(guarded, head)
    assert status(answer) == 413 and b"ARCHIVAR_BODY_MEGABYTES" in answer and b'"error"' in answer


@pytest.mark.parametrize("path", ["/v1/search", "/v1/chat/completions", "/mcp", "/web/load"])
def test_a_large_request_in_chunks_is_refused_when_it_grows_too_large(http, keys, path):
    def chunks():
        yield b'{"query": "'
        for _ in range(30):
            yield b"x" * 10_000

    headers = {**keys.headers("ute"), "Content-Type": "application/json", "Accept": "application/json"}
    if "chat" in path:
        headers |= keys.headers("only-ask")
    answer = http.post(path, content=chunks(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


def test_the_official_client_is_told_of_a_large_request(guarded, keys):
    message = {"role": "user", "content": "x" * 5_000_000}
    with (
        OpenAI(base_url=f"{guarded}/v1", api_key=keys.texts["ute"], max_retries=0) as client,
        pytest.raises(APIStatusError) as refused,
    ):
        client.chat.completions.create(model="heise-archiv", messages=[message])
    assert refused.value.status_code == 413


def test_without_a_key_no_body_is_waited_for(guarded):
    head = request("/v1/search", "Content-Type: application/json", "Content-Length: 50", method="POST")
    assert status(raw(guarded, head)) == 401


def test_a_body_that_does_not_end_is_given_up(guarded, keys, monkeypatch):
    monkeypatch.setattr(bodies, "_SECONDS", 0.3)
    head = request("/v1/search", bearer(keys), "Content-Type: application/json", "Content-Length: 50", method="POST")
    answer = raw(guarded, head + b'{"query"')
    assert status(answer) == 408 and b'"error"' in answer


def test_a_head_that_does_not_end_is_given_up(guarded, monkeypatch):
    monkeypatch.setattr(connections, "_SECONDS", 0.3)
    assert raw(guarded, b"GET /health/live HTTP/1.1\r\nHost: loc") == b""
    assert raw(guarded, b"") == b""
    assert status(raw(guarded, request("/health/live"))) == 200


@pytest.mark.parametrize("filler", [b"X-A: " + b"a" * 300_000, b"X-A: b\r\n" * 40_000])
def test_a_head_without_end_is_refused(guarded, filler):
    answer = raw(guarded, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + filler)
    assert answer == b"" or status(answer) == 400


TARGETS = [
    "/v1/articles/../../../../etc/passwd", "/v1/articles/..%2f..%2f..%2fetc%2fpasswd",
    "/v1/articles/%2e%2e/%2e%2e/etc/passwd",
    "/v1/articles//etc/passwd", "/v1/articles/..%5c..%5cetc%5cpasswd", "/v1/articles/%00/etc/passwd",
    "/articles/..%2f..%2fkeys.sqlite3", "/v1/articles/keys.sqlite3", "/v1/models/..%2f..%2farticles",
    "/v1/articles/file:%2f%2f%2fetc%2fpasswd", "/health/../metrics", "/health/..%2fmetrics", "//metrics", "/metrics/",
    "/v1/articles/' OR 1=1 --".replace(" ", "%20"), "/v1/articles/%ff%fe", "/v1/articles/" + "a" * 20_000,
    "http://127.0.0.1:9/v1/models", "/%2e%2e/metrics",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_no_path_leads_anywhere_else(guarded, keys, target):
    assert status(raw(guarded, request(target))) in (400, 401, 404)
    answer = raw(guarded, request(target, bearer(keys)))
    assert status(answer) in (400, 401, 403, 404) or target.startswith("http://")
    assert b"root:" not in answer and b"SQLite" not in answer and b"archivar_" not in answer


@pytest.mark.parametrize(
    "header",
    [
        "X-Request-Id: a\r\n b", "X-Request-Id: a\x00b", "X-OWUI-User-Id: u\rX-Evil: 1", "Authorization: Bearer a\x0bb",
        "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked, identity",
        "Content-Length: 5\r\nContent-Length: 6", "Content-Length: -1", "X Evil: 1", "Content-Length: 5_0",
    ],
)  # fmt: skip
def test_headers_that_mean_two_things_are_refused(guarded, header):
    answer = raw(guarded, request("/v1/models", header, method="POST"))
    assert status(answer) in (400, 401)
    assert b"x-evil" not in answer.lower()


def test_two_keys_are_none(guarded, keys):
    answer = raw(guarded, request("/v1/models", "Authorization: Bearer falsch", bearer(keys)))
    assert status(answer) == 401


def test_nothing_that_is_sent_forges_a_line_of_the_log(guarded, http, keys, logged):
    users = (ESCAPE, BIDI, "a" * 5000, "ute\tadmin", "\u2028key=admin", "ute status=200")
    for user in users:
        raw(guarded, request("/v1/models", bearer(keys, "webui"), f"X-OWUI-User-Id: {user}"))
        raw(guarded, request("/v1/models", bearer(keys), f"X-Request-Id: {user}", f"User-Agent: {user}"))
    headers = keys.headers("ute")
    for text in (
        "\r\nlevel=error",
        ESCAPE,
        BIDI,
        "\u2028",
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ):
        http.post("/v1/chat/completions", json=QUESTION | {"model": text}, headers=headers)
        http.get(f"/v1/articles/{httpx.QueryParams({'x': text})!s}", headers=headers)
        http.get(f"/nothing/{httpx.QueryParams({'x': text})!s}")
        http.post("/v1/embeddings", json={"model": text, "input": text}, headers=headers)
    told = logged()
    assert "/v1/models" in told
    assert not UNSAFE.search(told)
    assert not any(line.startswith(("level=", "key=")) for line in told.splitlines())
    if told.startswith("{"):
        assert all(line.startswith("{") and line.endswith("}") for line in told.splitlines())


def test_no_secret_is_logged_or_told(guarded, http, keys, logged):
    secrets = ["sk-falsch-4711", keys.texts["ute"], keys.texts["old"], keys.texts["only-ask"]]
    answers = [
        http.get("/v1/models", headers={"Authorization": f"Bearer {secrets[0]}"}),
        http.get("/v1/models", headers={"X-Api-Key": secrets[0], "Cookie": f"token={secrets[0]}"}),
        http.get("/v1/models", params={"api_key": secrets[0], "key": secrets[1]}),
        http.get("/v1/models", headers=keys.headers("ute"), params={"api_key": secrets[0]}),
        http.get("/v1/models", headers=keys.headers("old")),
        http.post("/v1/search", json={"query": "x"}, headers=keys.headers("only-ask")),
        http.get("/articles/muster-1001", params={"s": secrets[0]}),
        http.post("/v1/chat/completions", json=QUESTION, headers=keys.headers("ute")),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 200, 401, 403, 401, 200]
    told = logged() + "".join(answer.text + str(answer.headers) for answer in answers)
    for secret in secrets:
        assert secret not in told and secret.rsplit("-", 1)[1] not in told


class Repeating(BaseHTTPRequestHandler):
    """An engine that repeats the key it was sent, as some do where it is wrong."""

    def do_POST(self):
        answer = f'{{"error": {{"message": "wrong key: {self.headers["Authorization"]}"}}}}'.encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def test_an_engines_key_stays_here(archive_home, logged):
    engine = HTTPServer(("127.0.0.1", 0), Repeating)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{engine.server_port}/v1"
    settings = Settings(
        home=archive_home, reranker="none", generator="openai:m", generator_url=url, generator_key=SecretStr("sk-4711"),
    )  # fmt: skip
    generator = load_generators(settings.model_copy(update={"models": Settings().models}), None)[0]
    with serving(settings, generator) as address:
        answer = httpx.post(f"{address}/v1/chat/completions", json=QUESTION, timeout=30)
    engine.shutdown()
    engine.server_close()
    assert answer.status_code == 502 and "wrong key" in answer.text
    assert "4711" not in answer.text + repr(settings) + logged()
    with pytest.raises(SettingsError, match="ARCHIVAR_GENERATOR_KEY"):
        create_app(Settings(generator="openai:m", generator_url="http://user:geheim@127.0.0.1/v1"))


def test_no_request_makes_the_server_fetch_anything(http, keys):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.5)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        headers = keys.headers("ute")
        image = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": f"Lies {url}"}]
        http.post(
            "/v1/chat/completions", json=QUESTION | {"messages": [{"role": "user", "content": image}]}, headers=headers
        )
        http.post("/v1/chat/completions", json=QUESTION | {"generator_url": url, "base_url": url}, headers=headers)
        loaded = http.post(
            "/web/load", json={"urls": [url, "file:///etc/passwd", "http://169.254.169.254/"]}, headers=headers
        )
        assert (loaded.status_code, loaded.json()) == (200, [])
        http.post("/web/search", json={"query": url, "count": 3}, headers=headers)
        http.get(f"/v1/articles/{url}", headers=headers)
        http.post("/tools/get_article", json={"id": url}, headers=headers)
        http.get(
            "/v1/models", headers={**headers, "Host": f"127.0.0.1:{trap.getsockname()[1]}", "X-Forwarded-Host": "evil"}
        )
        with pytest.raises(TimeoutError):
            trap.accept()


def test_pages_tell_browsers_to_trust_nothing(http, keys):
    hit = http.post("/v1/search", json={"query": "XZ"}, headers=keys.headers("ute")).json()["data"][0]
    for path in (httpx.URL(hit["url"]).raw_path.decode(), "/articles/x", "/health/live", "/v1/models", "/nothing"):
        headers = http.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script" not in policy, path
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "body",
    [
        "[" * 50_000, '{"a":' * 20_000, '{"query": "x", "top_k": ' + "9" * 50_000 + "}", '{"query": "\\ud800"}',
        "\x00", '"x"', "",
    ],
)  # fmt: skip
def test_json_that_is_a_trap_is_a_bad_request(http, keys, body):
    headers = {**keys.headers("ute"), "Content-Type": "application/json"}
    begun = time.monotonic()
    for path in ("/v1/search", "/v1/chat/completions", "/tools/search_archive", "/web/search"):
        assert 400 <= http.post(path, content=body, headers=headers).status_code < 500, path
    assert time.monotonic() - begun < 20


def test_a_book_in_a_question_is_not_searched_for(http, keys):
    """It took a minute of a core; what it begins and ends with is enough."""
    book = f"Wer fand die Hintertür in XZ? {'Und dann geschah noch etwas. ' * 3000}Und wann war das?"
    talk = [{"role": "user", "content": book[:80_000]}, {"role": "assistant", "content": "So."}]
    for messages in ([{"role": "user", "content": book}], [*talk, {"role": "user", "content": "Und wann?"}]):
        answer = http.post("/v1/chat/completions", json=QUESTION | {"messages": messages}, headers=keys.headers("ute"))
        assert answer.status_code == 200 and len(answer.json()["archive"]["query"]) < 5000
    assert "Hintertür in XZ" in http.post(
        "/v1/chat/completions", json=QUESTION | {"messages": [{"role": "user", "content": book}]},
        headers=keys.headers("ute"),
    ).json()["archive"]["query"]  # fmt: skip
