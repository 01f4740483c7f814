"""Archivar itself, asked over HTTP as any client asks it, and its server for the models that all share."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from archive.settings import Settings
from evaluation.questions import Asked
from evaluation.rivals.replies import Reply, RivalFailed, ask, client, conversation
from server.answering import ARCHIVE_MODEL
from server.launch import Children, Service
from server.openwebui import NO_KEY
from server.ports import free_port


def quiet(line: str) -> None:
    """Where the start of a server is no news."""


@dataclass(frozen=True, slots=True)
class Models:
    """Where the shared models are to be had (`url` with `/v1`), and what they are called there."""

    url: str
    key: str
    generator: str
    embedder: str
    answer_tokens: int


@contextmanager
def served(settings: Settings, logs: Path) -> Iterator[Models]:
    """Archivar's server on a free port, for the archive in `settings.home`. Raises ChildFailed."""
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    home = settings.home.absolute()
    own = {
        "ARCHIVAR_HOME": str(home), "ARCHIVAR_PORT": str(port), "ARCHIVAR_HOST": "127.0.0.1",
        "ARCHIVAR_CHROMA_URL": settings.chroma_url,
    }  # fmt: skip
    argv = (sys.executable, "-m", "archivar", "serve")
    service = Service("Archivar", argv, {**os.environ, **own}, logs / "archivar.log", (f"{url}/health/ready",))
    key = settings.api_key.get_secret_value() or NO_KEY
    with Children([service]) as children:
        children.wait_ready(quiet)
        with client(url, key) as server:
            generator = generator_of(server.get("/v1/models").raise_for_status().json())
        yield Models(f"{url}/v1", key, generator, settings.embedder, settings.answer_tokens)


def generator_of(listed: dict[str, Any]) -> str:
    """The bare generator among the models of the server. Raises RivalFailed where it lists none."""
    names = [model["id"] for model in listed["data"] if model["id"] != ARCHIVE_MODEL]
    if not names:
        raise RivalFailed("the server lists no model beside the archive's; others can't be asked with it")
    return str(names[0])


class Archivar:
    """The archive's own chat."""

    def __init__(self, models: Models) -> None:
        self._server: httpx.Client = client(models.url, models.key)

    def ask(self, question: Asked) -> Reply:
        """Its reply, with the articles that its sources name."""
        body: dict[str, Any] = {"model": ARCHIVE_MODEL, "messages": conversation(question)}
        if question.asked_on:
            body["archive"] = {"now": question.asked_on.isoformat()}
        return ask(self._server, "/chat/completions", body, question.qid, told)

    def close(self) -> None:
        """Close the connection."""
        self._server.close()


def told(chunk: dict[str, Any]) -> dict[str, Any]:
    """From the last chunk the articles of `sources`, in the order of their numbers, and the time of the first token."""
    if "sources" not in chunk:
        return {}
    sources = sorted(chunk["sources"], key=lambda source: source["number"])
    return {"shown": [source["article_id"] for source in sources], "ttft": chunk["timings"].get("first_token")}
