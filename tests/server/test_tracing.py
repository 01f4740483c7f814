"""Traces, sent to a real receiver: it speaks OTLP over HTTP and reads what it gets as protobuf."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from scripted import ScriptedGenerator
from serving import serving

from archive.errors import EngineUnavailable, SettingsError
from archive.settings import Settings, load_settings
from server.ports import free_port

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
QUESTION = "Wer hat das Geheimnis verraten?"


class Receiver(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self.raw, self.paths = b"", set[str]()

    def trace(self, trace_id: str, seconds: float = 20.0) -> dict[str, Span]:
        """The spans of a trace by name, once its server span has come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = {span.name: span for span in self.spans if span.trace_id.hex() == trace_id}
            if any(span.kind == Span.SPAN_KIND_SERVER for span in found.values()):
                return found
            time.sleep(0.02)
        raise AssertionError(f"no trace {trace_id} among {[(s.name, s.trace_id.hex()) for s in self.spans]}")


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.server.raw += body
        self.server.paths.add(self.path)
        for resource in request.resource_spans:
            self.server.resources.append({a.key: a.value.string_value for a in resource.resource.attributes})
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def generator() -> ScriptedGenerator:
    return ScriptedGenerator()


@pytest.fixture(scope="module")
def http(tmp_path_factory, generator, receiver) -> Iterator[httpx.Client]:
    patch = pytest.MonkeyPatch()
    patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    endpoint = f"http://127.0.0.1:{receiver.server_port}"
    settings = Settings(home=tmp_path_factory.mktemp("home"), otlp_endpoint=endpoint)
    with serving(settings, generator) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client
    patch.undo()


def attributes(span: Span) -> dict[str, object]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def ask(http, trace_id, model="scripted", sampled="01"):
    headers = {"traceparent": f"00-{trace_id}-{PARENT}-{sampled}", "X-Request-Id": f"id-{trace_id[:4]}"}
    body = {"model": model, "messages": [{"role": "user", "content": QUESTION}]}
    return http.post("/v1/chat/completions", json=body, headers=headers)


def test_a_request_is_a_span_of_its_callers_trace_and_each_stage_one_below_it(http, receiver, generator):
    generator.enqueue("Niemand hat es verraten.")
    assert ask(http, TRACE).status_code == 200
    spans = receiver.trace(TRACE)
    server = spans["POST /v1/chat/completions"]
    assert server.parent_span_id.hex() == PARENT and server.kind == Span.SPAN_KIND_SERVER
    told = attributes(server)
    assert (told["http.request.method"], told["http.route"]) == ("POST", "/v1/chat/completions")
    assert told["http.response.status_code"] == 200 and told["archivar.request_id"] == "id-4bf9"
    assert (told["gen_ai.operation.name"], told["gen_ai.request.model"]) == ("chat", "scripted")
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (100, 4)
    below = [span for span in spans.values() if span.parent_span_id == server.span_id]
    assert "queue" in {span.name for span in below}
    for span in below:
        assert server.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= server.end_time_unix_nano
    assert abs(time.time() - server.end_time_unix_nano / 1e9) < 60


def test_a_question_to_the_archive_shows_its_stages(http, receiver):
    trace = "1" * 32
    assert ask(http, trace, "heise-archiv").status_code == 200
    spans = receiver.trace(trace)
    assert {"understand", "embed", "search"} <= spans.keys()
    assert attributes(spans["POST /v1/chat/completions"])["archivar.abstained"] is True


def test_an_error_is_one_in_the_trace(http, receiver, generator):
    generator.enqueue(EngineUnavailable("weg"))
    assert ask(http, "2" * 32).status_code == 503
    server = receiver.trace("2" * 32)["POST /v1/chat/completions"]
    assert server.status.code == Status.STATUS_CODE_ERROR
    assert attributes(server)["error.type"] == "EngineUnavailable"
    assert ask(http, "7" * 32, model="nobody").status_code == 404
    server = receiver.trace("7" * 32)["POST /v1/chat/completions"]
    assert server.status.code == Status.STATUS_CODE_UNSET and attributes(server)["error.type"] == "NotFound"


def test_what_a_caller_doesnt_sample_and_probes_are_not_told(http, receiver):
    ask(http, "3" * 32, sampled="00")
    http.get("/health/live", headers={"traceparent": f"00-{'4' * 32}-{PARENT}-01"})
    ask(http, "5" * 32)
    receiver.trace("5" * 32)
    assert not {"3" * 32, "4" * 32} & {span.trace_id.hex() for span in receiver.spans}


def test_nothing_of_what_was_asked_or_answered_is_in_a_trace(http, receiver, generator):
    generator.enqueue("Niemand hat es verraten.")
    ask(http, "6" * 32)
    receiver.trace("6" * 32)
    assert b"Geheimnis" not in receiver.raw and b"verraten" not in receiver.raw
    assert receiver.paths == {"/v1/traces"}
    assert receiver.resources[0]["service.name"] == "archivar"


def test_a_collector_that_is_away_keeps_no_server_from_stopping(tmp_path):
    settings = Settings(home=tmp_path / "home", otlp_endpoint=f"http://127.0.0.1:{free_port('127.0.0.1')}")
    with serving(settings, ScriptedGenerator()) as address:
        assert httpx.get(f"{address}/v1/models").status_code == 200
        start = time.monotonic()
    assert time.monotonic() - start < 15  # serving() itself fails beyond 20


def test_a_wrong_address_is_told_at_start(monkeypatch):
    monkeypatch.setenv("ARCHIVAR_OTLP_ENDPOINT", "collector:4317")
    with pytest.raises(SettingsError, match="ARCHIVAR_OTLP_ENDPOINT"):
        load_settings()


def test_without_a_collector_nothing_is_loaded_for_it():
    code = (
        "import sys; from server.app import create_app; from archive.settings import Settings; create_app(Settings());"
        "print([name for name in sys.modules if name.startswith('opentelemetry.exporter.otlp.proto.http')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
