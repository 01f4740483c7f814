"""What any system replies to a question, in one shape, and how a reply is read from a stream in OpenAI's format."""

import json
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any, Protocol

import httpx
from pydantic import BaseModel

from archive.articles import Article, german_date
from archive.errors import ArchivarError
from evaluation.questions import Asked

_PATIENCE = 600.0  # seconds; a long prompt on a busy processor


class RivalFailed(ArchivarError):
    """Another system is not installed, does not start or has gone; the run goes on without it."""


class Reply(BaseModel):
    """One reply as it is kept. Times are milliseconds since the question.

    `shown` are the articles that stood in the prompt: `[n]` in the text names the n-th, from 1. `ttft` is the model's
    first token where the system tells of it, `first_text` the first text that reached the client. `failed` is the error
    that a user saw instead of an answer.
    """

    qid: str
    text: str = ""
    shown: list[str] = []
    ttft: float | None = None
    first_text: float | None = None
    total: float
    failed: str = ""


class System(Protocol):
    """One that can be asked."""

    def ask(self, question: Asked) -> Reply:
        """Its reply. Raises RivalFailed where it can't be reached any more."""


class Stopwatch:
    """Milliseconds since it was made; `first` is when text() was called for the first time."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self.first: float | None = None

    def text(self) -> None:
        """There is something to read."""
        self.first = self.first or self.now()

    def now(self) -> float:
        """Milliseconds so far."""
        return (perf_counter() - self._start) * 1000


def document(article: Article) -> str:
    """An article as a person would save it to a text file: title, date, teaser, text."""
    day = german_date(article.published) if article.published else ""
    return "\n\n".join(part for part in (article.title, day, article.teaser, article.text) if part)


def turns(question: Asked) -> list[dict[str, str]]:
    """The talk and the question as messages in OpenAI's shape; where the question hangs on a day, that day first."""
    today = f"Heute ist der {german_date(question.asked_on)}." if question.asked_on else ""
    return [*([{"role": "system", "content": today}] if today else []), *conversation(question)]


def conversation(question: Asked) -> list[dict[str, str]]:
    """The talk and the question as messages in OpenAI's shape."""
    history = [{"role": turn.role, "content": turn.content} for turn in question.history]
    return [*history, {"role": "user", "content": question.question}]


def client(url: str, key: str) -> httpx.Client:
    """A client of a server on this machine; proxies are for others."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=url, headers=headers, timeout=_PATIENCE, trust_env=False)


def ask(
    server: httpx.Client, path: str, body: dict[str, Any], qid: str, read: Callable[[dict[str, Any]], dict[str, Any]]
) -> Reply:
    """Stream one completion; `read` takes from each chunk those fields of the reply that it tells of.

    An error that the server tells is part of the reply. Raises RivalFailed where there is no server.
    """
    watch, text, told = Stopwatch(), "", dict[str, Any]()
    try:
        with server.stream("POST", path, json={**body, "stream": True}) as response:
            if response.is_error:
                return Reply(qid=qid, total=watch.now(), failed=_told(response.read(), response.status_code))
            for chunk in chunks(response.iter_lines()):
                if error := chunk.get("error"):
                    return Reply(qid=qid, total=watch.now(), failed=_message(error))
                if piece := delta(chunk):
                    watch.text()
                    text += piece
                told |= read(chunk)
    except httpx.HTTPError as error:
        raise RivalFailed(f"{server.base_url}{path}: {error or type(error).__name__}; see its log") from error
    times = {"ttft": watch.first, "first_text": watch.first, "total": watch.now()}
    return Reply.model_validate({"qid": qid, "text": text.strip(), **times, **told})


def chunks(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a server-sent stream up to its end; comments and empty lines are passed over."""
    for line in lines:
        if not line.startswith("data:"):
            continue
        payload = line.removeprefix("data:").strip()
        if payload == "[DONE]":
            return
        yield json.loads(payload)


def delta(chunk: dict[str, Any]) -> str:
    """The text that a chunk adds."""
    return "".join(choice.get("delta", {}).get("content") or "" for choice in chunk.get("choices") or ())


def _told(body: bytes, status: int) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return f"HTTP {status}"
    return _message(told.get("error") or told.get("detail") or told) if isinstance(told, dict) else f"HTTP {status}"


def _message(error: object) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error
    return str(error)
