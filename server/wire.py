"""OpenAI's chat-completions format, both ways: requests checked by Pydantic, answers built from events.

Source: OpenAI API reference, chat completions; Open WebUI's `event` key rides on valid chunks, so that other clients
see ordinary chunks without text.
"""

import json
import time
import uuid
from collections.abc import AsyncGenerator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from archive.errors import BadRequest
from server.escaping import markdown
from server.events import Event, Finished, Source, Status, Text
from server.generation import Message, Sampling, Usage

_NEWEST = " (neueste Meldung dazu)"  # behind a title in the list of sources
_MOST_CHARACTERS = 200_000  # of all messages together; far beyond any context here


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TextPart(_Lenient):
    """A part of a multi-part message; only text can be meant here."""

    type: Literal["text"]
    text: str


class ChatMessage(_Lenient):
    """One message; `developer` is OpenAI's newer name of the system role."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(_Lenient):
    """`include_usage` asks for a last chunk with usage figures."""

    include_usage: bool = False


class ArchiveOptions(_Lenient):
    """Our own part of a request: the period that an answer may draw on, and how many passages."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: date | None = Field(None, alias="from")
    end: date | None = Field(None, alias="to")
    top_k: int | None = Field(None, ge=1, le=20)
    now: date | None = None

    @field_validator("end")
    @classmethod
    def _in_order(cls, end: date | None, info: Any) -> date | None:  # noqa: ANN401
        start = info.data.get("start")
        if end and start and end < start:
            raise ValueError("lies before from")
        return end


class ChatRequest(_Lenient):
    """POST /v1/chat/completions. Fields that mean nothing here are ignored."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    n: Literal[1] | None = None
    archive: ArchiveOptions | None = None

    def conversation(self) -> list[Message]:
        """The messages that hold text, roles folded into system, user and assistant. Raises BadRequest."""
        folded: dict[str, Literal["system", "user", "assistant"]] = {
            "developer": "system", "system": "system", "user": "user", "assistant": "assistant",
        }  # fmt: skip
        turns = [
            Message(folded[message.role], message.text)
            for message in self.messages
            if message.role in folded and message.text.strip()
        ]
        if not any(turn.role == "user" for turn in turns):
            raise BadRequest("messages holds no text of a user; send a question", "messages")
        if sum(len(turn.content) for turn in turns) > _MOST_CHARACTERS:
            raise BadRequest(f"messages holds more than {_MOST_CHARACTERS} characters; shorten it", "messages")
        return turns

    def sampling(self, answer_tokens: int, temperature: float) -> Sampling:
        """How to write, from the request and our defaults; an answer is never longer than our own limit."""
        asked = self.max_completion_tokens or self.max_tokens or answer_tokens
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            answer_tokens=min(asked, answer_tokens),
            temperature=temperature if self.temperature is None else self.temperature,
            top_p=self.top_p or 1.0, seed=self.seed, stop=stop,
        )  # fmt: skip


def source_json(source: Source) -> dict[str, Any]:
    """A source as every answer carries it."""
    return {
        "number": source.number, "article_id": source.article_id, "title": source.title, "url": source.url,
        "published": source.published.isoformat() if source.published else None,
        "passage": source.passage, "score": round(source.score, 4),
        "twins": list(source.twins), "newest": source.newest,
    }  # fmt: skip


def extras_json(finished: Finished) -> dict[str, Any]:
    """Our top-level keys of an answer."""
    held = finished.grounding
    extras: dict[str, Any] = {
        "sources": [
            source_json(source) | {"cited": held.cited[source.number] if held else 0} for source in finished.sources
        ],
        "timings": dict(finished.timings),
        "archive": {**finished.understood, "abstained": finished.abstained} if finished.understood else {},
    }
    if held is not None:
        extras["grounding"] = {
            "supported": held.supported, "corrected": held.corrected, "unsupported": held.unsupported,
            "withheld": held.withheld, "unquoted": held.unquoted,
        }  # fmt: skip
    return extras


def usage_json(usage: Usage) -> dict[str, Any]:
    """Usage in OpenAI's shape."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def webui_source(source: Source) -> dict[str, Any]:
    """A source as Open WebUI's citation event. The key is no address, or the browser would fetch a favicon for it.

    Open WebUI renders the document as Markdown, so the passage is escaped.
    """
    key = f"archiv-{source.article_id}"
    name = f"[{source.number}] {source.title}{_NEWEST if source.newest else ''}"
    return {
        "source": {"id": key, "name": name, "url": source.url},
        "document": [markdown(source.passage)],
        "metadata": [{"source": key, "name": name}],
    }


class Completion:
    """One answer on the wire; id and time are the same in all its chunks."""

    def __init__(self, model: str) -> None:
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None, **extra: object) -> str:
        """One SSE line."""
        choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
        return _sse({**self._head, "object": "chat.completion.chunk", "choices": [choice], **extra})

    def event(self, event: Event, include_usage: bool) -> str:
        """An event as SSE lines."""
        match event:
            case Status(text, done):
                return self.chunk({}, event={"type": "status", "data": {"description": text, "done": done}})
            case Source():
                return self.chunk({}, event={"type": "source", "data": webui_source(event)})
            case Text(text):
                return self.chunk({"content": text})
            case Finished():
                return self._finish(event, include_usage)

    def _finish(self, finished: Finished, include_usage: bool) -> str:
        extras = extras_json(finished)
        if not include_usage:
            return self.chunk({}, finished.finish_reason, **extras)
        usage = {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage_json(finished.usage)}
        return self.chunk({}, finished.finish_reason) + _sse({**usage, **extras})

    async def lines(self, events: AsyncGenerator[Event], include_usage: bool) -> AsyncGenerator[str]:
        """The answer as SSE lines, from the role to the usage; the caller ends it with DONE."""
        yield self.chunk({"role": "assistant", "content": ""})
        async for event in events:
            yield self.event(event, include_usage)

    async def whole(self, events: AsyncGenerator[Event]) -> dict[str, Any]:
        """The answer as one object."""
        text, finished = [], None
        async for event in events:
            if isinstance(event, Text):
                text.append(event.text)
            elif isinstance(event, Finished):
                finished = event
        if finished is None:
            raise RuntimeError("the answer ended without its end")
        message = {"role": "assistant", "content": "".join(text), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finished.finish_reason}
        return {
            **self._head, "object": "chat.completion", "choices": [choice],
            "usage": usage_json(finished.usage), **extras_json(finished),
        }  # fmt: skip


DONE = "data: [DONE]\n\n"


def error_line(error: Mapping[str, Any]) -> str:
    """An error in the middle of a stream: the only shape that Open WebUI shows and keeps."""
    return _sse({"error": dict(error)})


def _sse(payload: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(payload, ensure_ascii=False)}\n\n"
