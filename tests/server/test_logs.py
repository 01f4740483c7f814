import io
import json
import logging
import sys

import pytest

from server import current
from server.logs import JsonLines, TextLines, escaped

FORGED = "ok\r\n2026-01-01T00:00:00Z ERROR server: erfunden\x1b[2J\x9b31m\u2028\u202egelogen\ud800"


def written(formatter: logging.Formatter, log) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logger = logging.Logger("server.some", logging.DEBUG)
    logger.addHandler(handler)
    log(logger)
    return out.getvalue()


def in_a_request(log):
    import contextvars

    def run() -> None:
        current.begin("id-1")
        current.note(key="redaktion", model="heise-archiv")
        log()

    contextvars.copy_context().run(run)


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_nothing_from_outside_begins_a_line_or_speaks_to_a_terminal(formatter):
    for log in (
        lambda logger: logger.info("asked for %s", FORGED),
        lambda logger: logger.info("asked", extra={"path": FORGED}),
    ):
        line = written(formatter, log)
        assert line.endswith("\n") and line.count("\n") == 1
        assert not set(line[:-1]) & set("\r\x1b\x9b\u2028\u202e\x00")
        line.encode()


def test_a_traceback_in_text_has_no_line_that_looks_like_another():
    def log(logger: logging.Logger) -> None:
        try:
            raise ValueError(FORGED)
        except ValueError:
            logger.exception("failed")

    first, *rest = written(TextLines(), log).splitlines()
    assert "failed" in first and all(line.startswith("    ") for line in rest)
    assert any("erfunden" in line for line in rest)
    (line,) = written(JsonLines(), log).splitlines()
    assert "ValueError" in json.loads(line)["traceback"]


def test_a_json_line_tells_time_level_logger_message_request_and_extra_fields():
    lines = []
    log = lambda logger: in_a_request(lambda: logger.warning("voll", extra={"waiting": 3}))  # noqa: E731
    lines.append(written(JsonLines(), log))
    told = json.loads(lines[0])
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning", "logger": "server.some", "message": "voll", "request_id": "id-1", "key": "redaktion",
        "model": "heise-archiv", "waiting": 3,
    }  # fmt: skip


def test_a_text_line_tells_the_same():
    line = written(
        TextLines(), lambda logger: in_a_request(lambda: logger.warning("voll", extra={"of": "zwei Wörter"}))
    )
    assert 'WARNING server.some: voll request_id=id-1 key=redaktion model=heise-archiv of="zwei Wörter"' in line


def test_a_text_line_says_nothing_twice():
    extra = {"route": "/v1/models", "status": 200, "ms": 200.0}
    line = written(TextLines(), lambda logger: logger.info("%s %d", extra["route"], extra["status"], extra=extra))
    assert line.rstrip().endswith("server.some: /v1/models 200 ms=200.0")
    told = json.loads(
        written(JsonLines(), lambda logger: logger.info("%s %d", extra["route"], extra["status"], extra=extra))
    )
    assert (told["message"], told["route"], told["status"]) == ("/v1/models 200", "/v1/models", 200)


def test_a_field_cannot_forge_another():
    line = written(TextLines(), lambda logger: logger.info("x", extra={"path": 'a" status=500'}))
    assert line.rstrip().endswith(r'path="a\" status=500"')


def test_umlauts_stay_readable_in_text():
    assert escaped("Grüße – „so“") == "Grüße – „so“"


def test_what_a_line_cannot_hold_as_json_is_told_as_text():
    told = json.loads(written(JsonLines(), lambda logger: logger.info("x", extra={"path": sys.path, "who": object()})))
    assert isinstance(told["path"], list) and told["who"].startswith("<object")
