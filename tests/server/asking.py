"""Questions to a running server, and what came of them as a person at the chat would see it."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from scripted import SAMPLE

QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"
WEBUI = {"X-OpenWebUI-User-Id": "u1"}  # Open WebUI is known by its headers


def few_articles(folder: Path) -> Path:
    """A file with a few articles of the sample, one of them about the question."""
    lines = (SAMPLE / "articles.jsonl").read_text("utf-8").splitlines()
    chosen = [line for line in lines if "XZ Utils" in line][:2] + lines[:4]
    (folder / "few.jsonl").write_text("\n".join(dict.fromkeys(chosen)) + "\n", "utf-8")
    return folder / "few.jsonl"


def body(question: str = QUESTION, model: str = "heise-archiv", *, stream: bool = True) -> dict:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": question}]}


@dataclass
class Answer:
    """`error` is what a client is told; `closed` whether the last line was the one that ends a stream."""

    status: int = 0
    text: str = ""
    statuses: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    error: str | None = None
    closed: bool = False
    seconds: float = 0.0
    headers: httpx.Headers = field(default_factory=httpx.Headers)

    @property
    def is_whole(self) -> bool:
        """Whether any client takes it for whole."""
        return self.error is None and self.finish_reason is not None and self.closed

    @property
    def failed_visibly(self) -> bool:
        return self.error is not None and self.finish_reason is None


def ask(address: str, *, timeout: float = 60, headers: dict | None = None, **asked: object) -> Answer:
    """Ask, read to the end. A connection that breaks is an error, too: a client sees that."""
    answer, began = Answer(), time.monotonic()
    url, sent, headers = f"{address}/v1/chat/completions", body(**asked), WEBUI if headers is None else headers
    try:
        with httpx.stream(
            "POST", url, json=sent, timeout=timeout, headers=WEBUI if headers is None else headers
        ) as got:
            answer.status, answer.headers = got.status_code, got.headers
            if got.status_code == 200 and sent["stream"]:
                for line in got.iter_lines():
                    take(answer, line)
            else:
                told = json.loads(got.read())
                answer.error, answer.closed = told.get("error", {}).get("message"), True
                if answer.error is None:
                    answer.text = told["choices"][0]["message"]["content"]
                    answer.finish_reason = told["choices"][0]["finish_reason"]
    except httpx.HTTPError as error:
        answer.error = f"{type(error).__name__}: {error}"
    answer.seconds = time.monotonic() - began
    return answer


def take(answer: Answer, line: str) -> None:
    if not line.startswith("data: "):
        return
    answer.closed = line == "data: [DONE]"
    if answer.closed:
        return
    told = json.loads(line.removeprefix("data: "))
    if "error" in told:
        answer.error = told["error"]["message"]
    if told.get("event", {}).get("type") == "status":
        answer.statuses.append(told["event"]["data"]["description"])
    for choice in told.get("choices", []):
        answer.text += choice["delta"].get("content") or ""
        answer.finish_reason = choice["finish_reason"] or answer.finish_reason
