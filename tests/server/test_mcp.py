"""MCP with the official client: over HTTP, of both generations of the protocol, and as a program over stdin."""

import json
import logging
import os
import subprocess
import sys

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from newspaper import BRIDGE, SECRET
from pydantic import SecretStr
from scripted import ROOT, ScriptedGenerator
from serving import serving

from archive.settings import Settings

QUESTION = {"query": "Was kostete die neue Brücke in Landshut?", "top_k": 2}


def talk(base: str, conversation, mode: str = "auto", key: str = ""):
    """What `conversation` returns of a connected client."""

    async def run():
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            Client(streamable_http_client(f"{base}/mcp", http_client=http), mode=mode) as client,
        ):
            return await conversation(client)

    return anyio.run(run)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_both_tools_are_listed_and_called(base, mode):
    async def conversation(client):
        listed = (await client.list_tools()).tools
        found = await client.call_tool("search_archive", QUESTION)
        whole = await client.call_tool("get_article", {"id": found.structured_content["articles"][0]["id"]})
        return listed, found, whole

    listed, found, whole = talk(base, conversation, mode)
    assert [tool.name for tool in listed] == ["search_archive", "get_article"]
    for tool in listed:
        assert tool.annotations.read_only_hint and not tool.annotations.open_world_hint
        assert "Nachrichtenarchiv" in tool.description and "news archive" in tool.description
        assert tool.output_schema["type"] == tool.input_schema["type"] == "object"
    best = found.structured_content["articles"][0]
    assert (best["number"], best["id"], best["url"]) == (1, "bruecke", BRIDGE["url"])
    assert "41 Millionen" in best["passage"] and not found.is_error
    assert json.loads(found.content[0].text) == found.structured_content
    assert "Putz" in whole.structured_content["text"]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("search_archive", {}, "query: Field required"),
        ("search_archive", {"query": "x", "from": "2024", "to": "2023"}, "to: lies before from"),
        ("search_archive", {"query": ["x"]}, "query: Input should be a valid string"),
        ("get_article", {"id": "nichts"}, "nichts is not in the archive"),
        ("get_article", {"id": "weg"}, "withdrawn"),
        ("get_article", {"id": "bruecke", "part": 9}, "the article has 1"),
    ],
)
def test_what_fails_is_told_to_the_model(base, tool, arguments, told):
    async def conversation(client):
        return await client.call_tool(tool, arguments)

    result = talk(base, conversation)
    assert result.is_error and told in result.content[0].text and SECRET not in result.content[0].text


def test_an_unknown_tool_is_an_error_of_the_protocol(base):
    async def conversation(client):
        with pytest.raises(MCPError, match="there are search_archive, get_article"):
            await client.call_tool("delete_archive", {})
        return (await client.list_tools()).tools

    assert len(talk(base, conversation)) == 2


def test_requests_know_nothing_of_each_other(base):
    """So that any of several workers can take any of them: a call without initialize, and no session is given."""
    call = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "search_archive", "arguments": QUESTION},
    }
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
    answered = httpx.post(f"{base}/mcp", json=call, headers=headers, timeout=120)
    assert answered.status_code == 200 and "mcp-session-id" not in answered.headers
    assert answered.json()["result"]["structuredContent"]["articles"][0]["id"] == "bruecke"
    assert httpx.get(f"{base}/mcp", headers=headers).status_code == 405


@pytest.mark.parametrize("body", ["{", "[]", "7", '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": 3}'])
def test_what_is_no_message_is_refused(base, body):
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    answered = httpx.post(f"{base}/mcp", content=body, headers=headers, timeout=120)
    assert answered.status_code in (200, 400) and ("error" in answered.json())


def test_many_clients_at_once(base):
    async def conversation(client):
        results = []

        async def ask(number: int):
            results.append(await client.call_tool("search_archive", {**QUESTION, "top_k": 1 + number % 3}))

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(ask, number)
        return results

    results = talk(base, conversation)
    assert len(results) == 10
    assert {result.structured_content["articles"][0]["id"] for result in results} == {"bruecke"}


def test_a_key_is_needed_where_there_is_one(newspaper):
    async def conversation(client):
        return await client.call_tool("search_archive", QUESTION)

    with serving(Settings(home=newspaper, api_key=SecretStr("geheim")), ScriptedGenerator()) as base:
        assert httpx.post(f"{base}/mcp", json={}).status_code == 401
        assert not talk(base, conversation, key="geheim").is_error
        by_name = httpx.post(
            f"{base}/mcp",  # a container is asked by the name of its service
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
            headers={
                "Host": "api:8000", "Authorization": "Bearer geheim", "MCP-Protocol-Version": "2025-06-18",
                "Accept": "application/json, text/event-stream",
            },
        )  # fmt: skip
        assert len(by_name.json()["result"]["tools"]) == 2


def test_without_a_key_no_web_page_reaches_it_by_a_name_of_its_own(base):
    """DNS rebinding: a page's own host name leads to this machine."""
    for headers in ({"Host": "evil.example:8000"}, {"Origin": "https://evil.example"}):
        assert httpx.post(f"{base}/mcp", json={}, headers=headers).status_code == 403


def test_an_unexpected_error_is_told_in_general_words_and_logged(base, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("/etc/geheim")

    monkeypatch.setattr("server.tools.search", broken)

    async def conversation(client):
        return await client.call_tool("search_archive", QUESTION)

    with caplog.at_level(logging.ERROR):
        result = talk(base, conversation)
    assert result.is_error and "geheim" not in result.content[0].text
    assert "geheim" in caplog.text


def test_a_program_on_this_machine_speaks_with_it_over_stdin(newspaper):
    own = {"ARCHIVAR_HOME": str(newspaper), "ARCHIVAR_MODELS": str(Settings().models), "ARCHIVAR_OFFLINE": "1"}
    env = os.environ | own
    program = StdioServerParameters(command=sys.executable, args=["-m", "archivar", "mcp"], env=env, cwd=ROOT)

    async def run():
        async with Client(program, read_timeout_seconds=60) as client:
            listed = (await client.list_tools()).tools
            return listed, await client.call_tool("search_archive", QUESTION)

    listed, found = anyio.run(run)
    assert len(listed) == 2 and found.structured_content["articles"][0]["id"] == "bruecke"


def test_without_an_archive_the_program_says_so(tmp_path):
    env = {**os.environ, "ARCHIVAR_HOME": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-m", "archivar", "mcp"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1 and "archivar ingest" in done.stderr and not done.stdout
    assert not (tmp_path / "none").exists()


def test_a_server_starts_without_loading_mcp():
    code = "import sys, server.app; sys.exit(' '.join(sorted({'mcp', 'mcp_types'} & set(sys.modules))) or None)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
