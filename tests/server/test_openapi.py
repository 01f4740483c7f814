"""The OpenAPI document, and the running server held against it by schemathesis.

FUZZ_EXAMPLES=260 makes it the full run, of more than 5,000 cases: that many of each operation, and schemathesis' own
boundary cases. It then tells how many they were.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator
from scripted import ScriptedGenerator
from serving import serving

from archive.settings import Settings

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "")


@pytest.fixture(scope="module")
def base(archive_home) -> Iterator[str]:
    settings = Settings(home=archive_home, reranked=2, candidates=4, top_k=1, engine_slots=8, queue=1000)
    with serving(settings, ScriptedGenerator()) as address:
        yield address


@pytest.fixture(scope="module")
def document(base) -> dict:
    return httpx.get(f"{base}/openapi.json").json()


def operations(document):
    return [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]


def test_every_response_has_a_shape(document):
    for path, operation in operations(document):
        assert "422" not in operation["responses"], path
        for status, told in operation["responses"].items():
            for kind, content in told["content"].items():
                assert content.get("schema") or content.get("itemSchema"), (path, status, kind)
    assert len({operation["operationId"] for _, operation in operations(document)}) == len(operations(document))


def test_chunks_of_a_stream_are_as_the_document_says(base, document):
    answered = document["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]["content"]
    _done, data = answered["text/event-stream"]["itemSchema"]["properties"]["data"]["anyOf"]
    chunk = Draft202012Validator(data["contentSchema"] | {"components": document["components"]})
    asked = {"model": "heise-archiv", "stream": True, "messages": [{"role": "user", "content": "Was ist Log4j?"}]}
    for more, headers in (({}, {}), ({"stream_options": {"include_usage": True}}, {"X-OWUI-Chat-Id": "c"})):
        text = httpx.post(f"{base}/v1/chat/completions", json=asked | more, headers=headers, timeout=60).text
        lines = text.strip().split("\n\n")
        assert lines.pop() == "data: [DONE]" and len(lines) >= 3
        for line in lines:
            chunk.validate(json.loads(line.removeprefix("data: ")))


def test_schemathesis_finds_nothing(base, tmp_path, capsys):
    article = httpx.post(f"{base}/v1/search", json={"query": "Log4j"}).json()["data"][0]["article_id"]
    phases = [] if EXAMPLES else ["--phases", "examples,fuzzing"]
    command = [
        Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml",
        "run", f"{base}/openapi.json", "--seed", "7", "--max-examples", EXAMPLES or "20",
        "--continue-on-failure", "--warnings", "off", "--request-timeout", "120", *phases,
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE), "FUZZ_ARTICLE": article}
    found = subprocess.run(command, cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    cases = int(re.search(r"(\d+) generated", found.stdout)[1])
    assert cases > (5000 if EXAMPLES else 200)
    if EXAMPLES:
        with capsys.disabled():
            sys.stdout.write(f"\n{cases:,} cases of schemathesis found nothing\n")
