"""The archive attached to real Open WebUI in every other way: as tools, by MCP, as the web, as embedder and reranker.

The model that chats is played; the archive, its models and Open WebUI are real. What is set here is what the README
tells to set.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from openwebui import Chat, browsing, open_webui
from pydantic import SecretStr
from scripted import ScriptedGenerator
from serving import listening, serving
from toolmodel import ToolModel

from archive.settings import Settings
from server.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.models]
KEY = "geheim"
QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"
FILE = "\n\n".join(
    [
        "Protokoll der Redaktionskonferenz vom 4. März.",
        *(
            f"Punkt {number}: Die Kantine stellt auf Bohneneintopf um, wie schon beim letzten Mal."
            for number in range(9)
        ),
        "Punkt 9: Das Passwort des Druckers im dritten Stock lautet Seepferdchen.",
    ]
)


@dataclass(frozen=True)
class Attached:
    """Where Open WebUI and the archive listen, and the model that Open WebUI chats with."""

    webui: str
    api: str
    model: ToolModel
    client: httpx.Client

    def offer(self, name: str, *, legacy: bool = False, **meta: object) -> None:
        """A model of Open WebUI's workspace, with what is attached to it."""
        model = {
            "id": name, "name": name, "base_model_id": "gespielt", "meta": meta,
            "params": {"function_calling": "legacy"} if legacy else {},
        }  # fmt: skip
        self.client.post("/api/v1/models/create", json=model).raise_for_status()


def settings_of_open_webui(api: str, engine: str) -> dict[str, str]:
    """What the README tells to set, and the played model as the one that chats."""
    everybody = {"principal_type": "user", "principal_id": "*", "permission": "read"}
    tools = [
        {
            "type": kind, "url": f"{api}/{kind if kind == 'mcp' else 'tools'}", "path": path, "auth_type": "bearer",
            "key": KEY, "config": {"enable": True, "access_grants": [everybody]},
            "info": {"id": name, "name": "Archiv", "description": "Nachrichtenarchiv"},
        }
        for kind, path, name in (("openapi", "openapi.json", "archiv"), ("mcp", "", "archivmcp"))
    ]  # fmt: skip
    return {
        "OPENAI_API_BASE_URLS": f"{engine}/v1", "OPENAI_API_KEYS": "none",
        "TOOL_SERVER_CONNECTIONS": json.dumps(tools),
        "ENABLE_WEB_SEARCH": "True", "WEB_SEARCH_ENGINE": "external",
        "EXTERNAL_WEB_SEARCH_URL": f"{api}/web/search", "EXTERNAL_WEB_SEARCH_API_KEY": KEY,
        "WEB_LOADER_ENGINE": "external", "EXTERNAL_WEB_LOADER_URL": f"{api}/web/load",
        "EXTERNAL_WEB_LOADER_API_KEY": KEY, "ENABLE_RAG_LOCAL_WEB_FETCH": "True",
        "ENABLE_RAG_HYBRID_SEARCH": "True", "RAG_RERANKING_ENGINE": "external",
        "RAG_RERANKING_MODEL": "archivar-reranker-de", "RAG_EXTERNAL_RERANKER_URL": f"{api}/v1/rerank",
        "RAG_EXTERNAL_RERANKER_API_KEY": KEY,
        "CHUNK_SIZE": "120", "CHUNK_OVERLAP": "0", "RAG_TOP_K": "5", "RAG_TOP_K_RERANKER": "1",
    }  # fmt: skip


@pytest.fixture(scope="module")
def attached(archive_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attached]:
    home, model = tmp_path_factory.mktemp("webui"), ToolModel()
    with (
        serving(Settings(home=archive_home, api_key=SecretStr(KEY)), ScriptedGenerator()) as api,
        listening(model.app, free_port("127.0.0.1")) as engine,
        open_webui(home, KEY, api, settings_of_open_webui(api, engine)) as webui,
        httpx.Client(base_url=webui, timeout=60) as client,
    ):
        token = client.post("/api/v1/auths/signin", json={"email": "", "password": ""}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield Attached(webui, api, model, client)


@pytest.fixture
def chat(attached: Attached, tmp_path: Path) -> Iterator[Chat]:
    with browsing(attached.webui, tmp_path / "profile") as chat:
        yield chat


@pytest.mark.parametrize(
    ("tool_id", "prefix"), [("server:archiv", ""), ("server:mcp:archivmcp", "archivmcp_")], ids=["openapi", "mcp"]
)
def test_a_model_searches_and_reads_with_the_tools(attached, chat, tool_id, prefix):
    attached.offer(f"mit-{prefix or 'openapi'}", toolIds=[tool_id])
    chat.open(f"/?model=mit-{prefix or 'openapi'}")
    before = len(attached.model.asked)
    answer = chat.ask(QUESTION)

    asked = attached.model.asked[before:]
    offered = {tool["function"]["name"]: tool["function"] for tool in asked[0]["tools"]}
    assert {f"{prefix}search_archive", f"{prefix}get_article"} <= set(offered)
    search = offered[f"{prefix}search_archive"]
    assert "Nachrichtenarchiv" in search["description"]
    assert list(search["parameters"]["properties"]) == ["query", "from", "to", "top_k"]
    results = [str(message["content"]) for message in asked[-1]["messages"] if message["role"] == "tool"]
    assert len(asked) == 3 and len(results) == 2
    assert "Freund" in results[0] and "passage" in results[0]
    assert "parts" in results[1] and len(results[1]) > 300
    assert "Freund" in answer.text


def test_every_user_is_offered_the_tools(attached):
    person = {"name": "Ute", "email": "ute@zeitung.example", "password": "Seepferdchen1", "role": "user"}
    user = attached.client.post("/api/v1/auths/add", json=person).raise_for_status().json()
    try:
        headers = {"Authorization": f"Bearer {user['token']}"}
        offered = httpx.get(f"{attached.webui}/api/v1/tools/", headers=headers, timeout=30).raise_for_status().json()
    finally:  # without a login, Open WebUI wants one user only
        attached.client.delete(f"/api/v1/users/{user['id']}").raise_for_status()
    assert {"server:archiv", "server:mcp:archivmcp"} <= {tool["id"] for tool in offered}


def test_a_chat_searches_the_archive_in_place_of_the_web(attached, chat):
    can = {"web_search": True, "file_context": True}
    attached.offer("mit-suche", legacy=True, defaultFeatureIds=["web_search"], capabilities=can)
    chat.open("/?model=mit-suche")
    answer = chat.ask("Auf welchem System fielen die langsamen SSH-Anmeldungen auf, die zur Hintertür in XZ führten?")

    # One piece of 120 characters is let through; it is of the article's text.
    assert "Debian Sid" in attached.model.last_prompt and "<source" in attached.model.last_prompt
    assert answer.sources and any("XZ" in source for source in answer.sources)
    assert not any(source.startswith("http") for source in answer.sources)
    assert not chat.external


def test_files_are_embedded_and_reranked_by_the_archive(attached, chat, real_embedder, monkeypatch):
    kind, questions = type(real_embedder), []
    embed = kind.embed_queries
    monkeypatch.setattr(kind, "embed_queries", lambda own, texts: questions.extend(texts) or embed(own, texts))
    upload = attached.client.post("/api/v1/files/", files={"file": ("protokoll.txt", FILE, "text/plain")})
    file = upload.raise_for_status().json()["id"]
    for _ in range(150):
        state = attached.client.get(f"/api/v1/files/{file}").json()["data"]
        if state.get("status") in ("completed", "failed"):
            break
        time.sleep(0.2)
    assert state["status"] == "completed", state
    knowledge = [{"type": "file", "id": file, "name": "protokoll.txt"}]
    attached.offer("mit-datei", legacy=True, knowledge=knowledge, capabilities={"file_context": True})
    chat.open("/?model=mit-datei")
    chat.ask("Wie heißt das Passwort des Druckers?")

    assert questions == ["Wie heißt das Passwort des Druckers?"]  # what the file holds was embedded as passages
    assert "Seepferdchen" in attached.model.last_prompt
    assert "Bohneneintopf" not in attached.model.last_prompt  # the reranker let one piece through, the right one
    counted = httpx.get(f"{attached.api}/metrics", headers={"Authorization": f"Bearer {KEY}"}).text
    assert '"/v1/embeddings"' in counted and '"/v1/rerank"' in counted
