"""What can be seen of a server from outside, over a real one: ids, log lines, times, metrics."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from scripted import ScriptedGenerator
from serving import serving

from archive.errors import EngineUnavailable
from archive.settings import Settings
from server.logs import JsonLines

SECRET = "Wer hat das Geheimnis verraten?"


@pytest.fixture(scope="module")
def generator() -> ScriptedGenerator:
    return ScriptedGenerator()


@pytest.fixture(scope="module")
def address(tmp_path_factory, generator) -> Iterator[str]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), engine_slots=1, queue=2)
    with serving(settings, generator) as address:
        yield address


@pytest.fixture
def http(address) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture
def lines(address) -> Iterator[list[dict]]:
    """The lines that our own rooms log meanwhile, as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("server")
    before, logger.level = logger.level, logging.DEBUG
    logger.addHandler(handler)

    class Lines(list):
        def of(self, request_id: str) -> list[dict]:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                found = [json.loads(line) for line in written.getvalue().splitlines()]
                mine = [line for line in found if line.get("request_id") == request_id]
                if any(line["logger"] == "server.access" for line in mine):
                    return mine
                time.sleep(0.01)
            raise AssertionError(f"no line tells of {request_id}: {written.getvalue()}")

        @property
        def text(self) -> str:
            return written.getvalue()

    told = Lines()
    yield told
    logger.removeHandler(handler)
    logger.level = before


def ask(http, text=SECRET, *, model="scripted", stream=False, **headers):
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}
    return http.post("/v1/chat/completions", json=body, headers=headers)


def sample(http, name, **labels) -> float:
    """A metric's value; 0 where it was never counted."""
    for family in text_string_to_metric_families(http.get("/metrics").text):
        for one in family.samples:
            if one.name == name and labels.items() <= one.labels.items():
                return one.value
    return 0.0


def until(true, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_request_keeps_a_proper_id_in_header_error_and_log(http, lines):
    good = ask(http, **{"X-Request-Id": "abc-123.X_y"})
    assert good.headers["x-request-id"] == "abc-123.X_y"
    bad = http.post("/v1/chat/completions", json={"model": "scripted"}, headers={"X-Request-Id": "bad-1"})
    assert bad.status_code == 400 and bad.json()["error"]["request_id"] == "bad-1"
    missing = ask(http, model="nobody", **{"X-Request-Id": "missing-1"})
    assert missing.json()["error"]["request_id"] == "missing-1"
    (line,) = lines.of("missing-1")
    assert (line["status"], line["error"]) == (404, "NotFound")


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "../../etc", "<script>", "a;b", "ä"])
def test_an_id_that_is_none_is_replaced(http, given):
    made = http.get("/health/live", headers={"X-Request-Id": given.encode("latin-1")}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", made)
    assert http.get("/health/live").headers["x-request-id"] != made


def test_a_line_tells_how_a_request_went_and_nothing_of_what_was_asked(http, lines, generator):
    generator.enqueue("Niemand hat es verraten.")
    answer = ask(http, **{"X-Request-Id": "whole-1"})
    line = lines.of("whole-1")[-1]
    assert line["message"] == "POST /v1/chat/completions 200"
    assert (line["route"], line["method"], line["model"]) == ("/v1/chat/completions", "POST", "scripted")
    assert line["bytes"] == len(answer.content) and 0 < line["ms_first_byte"] <= line["ms"]
    assert "Geheimnis" not in lines.text and "verraten" not in lines.text


def test_lines_of_the_answers_task_and_of_threads_carry_the_id(http, lines, generator):
    generator.enqueue(EngineUnavailable("weg"))
    answer = ask(http, stream=True, **{"X-Request-Id": "fails-1"})
    assert '"request_id": "fails-1"' in answer.text or '"request_id":"fails-1"' in answer.text
    told = lines.of("fails-1")
    # from the answer's own task: the queue leaves the engine out
    assert any(line["logger"] == "server.engine_pool" and "left out" in line["message"] for line in told)
    assert told[-1]["error"] == "EngineUnavailable" and told[-1]["status"] == 200
    until(lambda: sample(http, "archivar_engine_up", engine="in process") == 1)


def test_an_unexpected_error_has_an_id_too_and_its_traceback_is_logged_once(http, lines, generator):
    generator.enqueue(ZeroDivisionError("durch nichts"))
    answer = ask(http, **{"X-Request-Id": "broken-1"})
    assert answer.status_code == 500 and answer.headers["x-request-id"] == "broken-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["error"]["request_id"] == "broken-1" and "nichts" not in answer.text
    told = lines.of("broken-1")
    assert sum("ZeroDivisionError" in line.get("traceback", "") for line in told) == 1


def test_times_are_in_the_header_where_they_are_known(http):
    answer = ask(http)
    told = dict(part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    assert float(told["total"]) > 0 and {"queue"} <= set(told)
    found = http.post("/v1/search", json={"query": "Was ist neu?"})
    stages = {part.split(";")[0] for part in found.headers["server-timing"].split(", ")}
    assert {"understand", "embed", "total"} <= stages
    body = {"model": "multilingual-e5-small-q4", "input": "Was ist neu?"}
    assert "embed;dur=" in http.post("/v1/embeddings", json=body).headers["server-timing"]
    body = {"model": "archivar-reranker-de", "query": "Was ist neu?", "documents": ["Alles", "Nichts"]}
    assert "rerank;dur=" in http.post("/v1/rerank", json=body).headers["server-timing"]
    assert "server-timing" not in ask(http, stream=True).headers


def test_answers_are_counted_by_how_they_end(http, generator):
    def count(end, model="scripted"):
        return sample(http, "archivar_answers_total", model=model, end=end)

    before = {end: count(end) for end in ("whole", "failed", "cancelled")}
    abstained, tokens = count("abstained", "heise-archiv"), sample(http, "archivar_tokens_total", kind="completion")
    generator.enqueue("Eins zwei drei.", EngineUnavailable("weg"))
    ask(http)
    ask(http, stream=True)
    ask(http, model="heise-archiv")
    assert count("whole") == before["whole"] + 1
    assert count("failed") == before["failed"] + 1
    assert count("abstained", "heise-archiv") == abstained + 1
    assert sample(http, "archivar_tokens_total", kind="completion") == tokens + 3
    assert sample(http, "archivar_first_token_seconds_count", model="scripted") >= 1
    assert count("cancelled") == before["cancelled"]
    assert sample(http, "archivar_errors_total", error="EngineUnavailable") >= 1


def test_what_is_given_up_is_counted_by_phase_and_frees_queue_and_engine(address, http, lines, generator):
    def given_up(phase):
        return sample(http, "archivar_cancellations_total", phase=phase)

    before = {phase: given_up(phase) for phase in ("queue", "decode")}
    refused = sample(http, "archivar_queue_refusals_total")
    generator.pause = 0.05
    generator.enqueue("wort " * 400, "wort " * 400)
    url, body = "/v1/chat/completions", {"model": "scripted", "messages": [{"role": "user", "content": "Hallo"}]}
    body["stream"] = True
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            with client.stream("POST", url, json=body, headers={"X-Request-Id": "gone-1"}) as writing:
                words = writing.iter_lines()
                while "wort" not in next(words):
                    pass
                assert sample(http, "archivar_engine_running", engine="in process") == 1
                with client.stream("POST", url, json=body, headers={"X-Request-Id": "gone-2"}):
                    until(lambda: sample(http, "archivar_queue_waiting") == 1)
                    assert ask(http).status_code == 429  # half of the places at most are one caller's
                until(lambda: sample(http, "archivar_queue_waiting") == 0)
            until(lambda: given_up("decode") == before["decode"] + 1)
        assert given_up("queue") == before["queue"] + 1
        assert sample(http, "archivar_queue_refusals_total") == refused + 1
        until(lambda: sample(http, "archivar_engine_running", engine="in process") == 0)
        assert lines.of("gone-1")[-1]["cancelled"] == "decode"
        assert lines.of("gone-2")[-1]["cancelled"] == "queue"
    finally:
        generator.pause = 0.0
        generator.answers.clear()


def test_routes_are_told_apart_and_unknown_paths_are_not(http):
    for path in ("/articles/geheim-1", "/articles/geheim-2", "/geheim-3", "/geheim-4?frage=geheim"):
        http.get(path)
    text = http.get("/metrics").text
    assert "geheim" not in text
    assert sample(http, "archivar_requests_total", route="/articles/{article_id:path}", status="404") >= 2
    assert sample(http, "archivar_requests_total", route="unknown", status="404") >= 2
    http.post("/mcp", json={})
    assert sample(http, "archivar_requests_total", route="/mcp") >= 1


def test_the_archive_and_what_serves_are_told(http):
    assert sample(http, "archivar_archive_articles") == 0
    assert sample(http, "archivar_workers") == 1
    assert time.time() - sample(http, "archivar_started_timestamp_seconds") < 3600
    assert sample(http, "archivar_build_info", generator="scripted", embedder="multilingual-e5-small-q4") == 1


def test_metrics_have_names_and_help_as_prometheus_wants_them(http):
    for family in text_string_to_metric_families(http.get("/metrics").text):
        if family.name.startswith("archivar_"):
            assert family.documentation and family.type in ("counter", "gauge", "histogram")
            assert (family.type == "histogram") <= family.name.endswith("_seconds"), family.name


def test_readiness_tells_what_is_missing(http):
    answer = http.get("/health/ready")
    assert answer.status_code == 503
    assert any("archivar ingest" in line for line in answer.json()["missing"])
    assert answer.json()["engines"] == {"in process": "ready"}
