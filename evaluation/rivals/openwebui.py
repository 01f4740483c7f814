"""Open WebUI's own knowledge base: a real Open WebUI with a fresh database, used through its HTTP API.

Its settings are those of `make chat`, but for the files' contents, which go into the prompt here. How it splits, how
much it finds and what it says to the model are its defaults; what the shell sets for it wins, as in `make chat`.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from archive.articles import Article
from archive.settings import Settings
from evaluation.questions import Asked
from evaluation.rivals.own import Models, quiet
from evaluation.rivals.replies import Reply, RivalFailed, ask, client, document, turns
from server.launch import OPEN_WEBUI, Children, Service
from server.openwebui import environment
from server.ports import free_port

_UNSAFE = re.compile(r"[^\w .-]+")
_TITLE = 60  # characters of a title in the name of its file
_CAPABILITIES = {"builtin_tools": False, "usage": False, "citations": True, "file_upload": True, "file_context": True}


class OpenWebUI:
    """One knowledge base in one Open WebUI."""

    def __init__(self, server: httpx.Client, generator: str) -> None:
        self._server, self._generator = server, generator
        self._knowledge = ""
        self._articles: dict[str, str] = {}  # name of the file -> id of the article

    def add(self, articles: Sequence[Article], on_progress: Callable[[int, int], None]) -> None:
        """Upload all articles, each as a text file. Raises RivalFailed where not all arrive."""
        made = self._request(
            "POST", "/api/v1/knowledge/create", json={"name": "Nachrichtenarchiv", "description": "Meldungen"}
        )
        self._knowledge = made["id"]
        for number, article in enumerate(articles, 1):
            name = file_name(number, article)
            self._articles[name] = article.id
            self._request(
                "POST", "/api/v1/files/", params={"process_in_background": "false"},
                files={"file": (name, document(article).encode(), "text/plain")},
                data={"metadata": json.dumps({"knowledge_id": self._knowledge})},
            )  # fmt: skip
            on_progress(number, len(articles))
        held = self._request("GET", f"/api/v1/knowledge/{self._knowledge}/files")["total"]
        if held != len(articles):
            raise RivalFailed(
                f"Open WebUI took {held} of {len(articles)} articles into its knowledge base; see its log"
            )

    def sign_in(self) -> None:
        """As its only user, who has no password here."""
        token = self._request("POST", "/api/v1/auths/signin", json={"email": "", "password": ""})["token"]
        self._server.headers["Authorization"] = f"Bearer {token}"

    def _request(self, method: str, path: str, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
        try:
            response = self._server.request(method, path, **content).raise_for_status()
        except httpx.HTTPError as error:
            raise RivalFailed(f"Open WebUI, {path}: {error}; see its log") from error
        answer: dict[str, Any] = response.json()
        return answer

    def ask(self, question: Asked) -> Reply:
        """Its reply, asked with the knowledge base attached."""
        body = {
            "model": self._generator, "messages": turns(question),
            "files": [{"type": "collection", "id": self._knowledge}],
        }  # fmt: skip
        return ask(self._server, "/api/chat/completions", body, question.qid, lambda chunk: told(chunk, self._articles))


def file_name(number: int, article: Article) -> str:
    """The file's name for an article; the number keeps two of one title apart."""
    title = _UNSAFE.sub("", article.title)[:_TITLE].strip()
    return f"{number:05} {title}.txt"


def told(chunk: dict[str, Any], articles: dict[str, str]) -> dict[str, Any]:
    """The articles of a chunk's `sources` in the order of their numbers: Open WebUI counts distinct files."""
    names = [
        metadata.get("source") or source.get("source", {}).get("id")
        for source in chunk.get("sources") or ()
        for metadata in source.get("metadata") or ()
    ]
    return {"shown": [articles.get(name, "") for name in dict.fromkeys(names)]} if names else {}


@contextmanager
def running(settings: Settings, models: Models, folder: Path, logs: Path) -> Iterator[OpenWebUI]:
    """Open WebUI on a free port, its data in `folder`. Raises RivalFailed, or ChildFailed with the end of its log."""
    if not OPEN_WEBUI.exists():
        raise RivalFailed(f"Open WebUI is not installed ({OPEN_WEBUI}); run `make setup`")
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    service = Service(
        "Open WebUI", (str(OPEN_WEBUI), "serve", "--host", "127.0.0.1", "--port", str(port)),
        knowledge_environment(settings, models, folder, url), logs / "open-webui.log", (f"{url}/health",),
    )  # fmt: skip
    with Children([service]) as children:
        children.wait_ready(quiet)
        with client(url, "") as server:
            webui = OpenWebUI(server, models.generator)
            webui.sign_in()
            yield webui


def knowledge_environment(settings: Settings, models: Models, folder: Path, url: str) -> dict[str, str]:
    """Its environment: the embedder is told which texts are questions, and no request is answered by anyone but it."""
    fresh = settings.model_copy(update={"home": folder})
    return {
        **environment(fresh, models.url.removesuffix("/v1"), (url,)),
        "RAG_EMBEDDING_PREFIX_FIELD_NAME": "input_type",
        "RAG_EMBEDDING_QUERY_PREFIX": "query",
        "RAG_EMBEDDING_CONTENT_PREFIX": "passage",
        "DEFAULT_MODELS": models.generator,
        "DEFAULT_MODEL_METADATA": json.dumps({"capabilities": _CAPABILITIES}),
        # Without the header that names its own tasks, our server hands each of them to the model.
        "OPENAI_API_CONFIGS": "{}",
    }
