"""A server's imports: nothing that it never calls, and all of it there for whoever asks later."""

import os
import subprocess
import sys

import pytest

STARTED = """
import sys
from server.lean import lean_imports
with lean_imports():
    import server.app
"""


def run(code, **env):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env={**os.environ, **env}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_what_a_server_never_calls_is_not_loaded():
    loaded = run(f"{STARTED}print(*sys.modules)")
    assert {"grpc", "click", "rich", "pydantic.v1", "jinja2", "mcp", "langchain_core"}.isdisjoint(loaded)
    assert {"chromadb", "httpx", "fastapi"} <= set(loaded)


def test_it_is_there_for_whoever_imports_it_later():
    code = (
        "import httpx, pydantic.v1\n"
        "from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter\n"
        "print(OTLPSpanExporter.__name__, pydantic.v1.BaseModel.__name__, isinstance(OTLPSpanExporter, type))"
    )
    assert run(STARTED + code) == ["OTLPSpanExporter", "BaseModel", "True"]


def test_chroma_that_is_to_trace_gets_what_it_needs():
    assert "grpc" in run(f"{STARTED}print(*sys.modules)", CHROMA_OTEL_GRANULARITY="all")


def test_the_front_door_loads_the_command_that_is_asked_for():
    code = "import sys, archivar; archivar.program('serve'); print(*sys.modules)"
    loaded = set(run(code))
    assert "server.commands" in loaded
    assert {"rich", "ingest.commands", "evaluation.commands", "training.commands"}.isdisjoint(loaded)


@pytest.mark.parametrize("asked", ["", "nothing"])
def test_without_a_known_command_all_are_listed(asked):
    command = f"get_command(archivar.program({asked!r})).commands"
    listed = run(f"import archivar; from typer.main import get_command; print(*{command})")
    assert {"chat", "serve", "ingest", "keys", "evaluate", "bench", "train", "models"} <= set(listed)
