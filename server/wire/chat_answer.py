"""OpenAI's chat completions as answers, built from events. Source: OpenAI API reference, chat completions.

Open WebUI's `event` key rides on valid chunks, and only where Open WebUI asks. OpenAI's citations of addresses go to
all others: Open WebUI would list each source a second time.
"""

import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from server.events import Calls, Event, Finished, Source, Status, Text
from server.generation import ToolCall, Usage
from server.wire.lines import as_json, data_line
from server.wire.sources import citations, extras_json, webui_source


def usage_json(usage: Usage) -> dict[str, Any]:
    """Usage in OpenAI's shape."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    }  # fmt: skip


def _call_json(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _annotations(text: str, sources: Sequence[Source]) -> list[dict[str, Any]]:
    return [
        {"type": "url_citation", "url_citation": {key: value for key, value in cited.items() if key != "type"}}
        for cited in citations(text, sources)
    ]


_HERE = "\x00 text"


class Completion:
    """One answer on the wire; id and time are the same in all its chunks."""

    def __init__(self, model: str, fingerprint: str, *, include_usage: bool = False, events: bool = False) -> None:
        """`include_usage`: a stream ends with a chunk of usage figures; `events`: it is for Open WebUI."""
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model,
            "service_tier": "default", "system_fingerprint": fingerprint,
        }  # fmt: skip
        self._include_usage, self._events = include_usage, events
        self._text: list[str] = []
        # Most chunks differ in their text alone; written anew, each costs several times as much.
        self._before, self._after = self._chunk({"content": _HERE}).split(as_json(_HERE))

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None, **extra: object) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self._include_usage else {}
        return data_line({**self._head, "object": "chat.completion.chunk", "choices": [choice], **usage, **extra})

    def line(self, event: Event) -> str:
        """An event as SSE lines, none where it is not for this client."""
        match event:
            case Text(text):
                self._text.append(text)
                return f"{self._before}{as_json(text)}{self._after}"
            case Status(text, done):
                return self._event("status", {"description": text, "done": done})
            case Source():
                return self._event("source", webui_source(event))
            case Calls(calls):
                return self._chunk(
                    {"tool_calls": [{"index": index, **_call_json(call)} for index, call in enumerate(calls)]}
                )
            case Finished():
                return self._finish(event)

    def _event(self, kind: str, data: Mapping[str, Any]) -> str:
        return self._chunk({}, event={"type": kind, "data": data}) if self._events else ""

    def _finish(self, finished: Finished) -> str:
        extras = extras_json(finished)
        cited = [] if self._events else _annotations("".join(self._text), finished.sources)
        delta = {"annotations": cited} if cited else {}
        if not self._include_usage:
            return self._chunk(delta, finished.finish_reason, **extras)
        usage = {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage_json(finished.usage)}
        return self._chunk(delta, finished.finish_reason) + data_line({**usage, **extras})

    async def lines(self, events: AsyncGenerator[Event]) -> AsyncGenerator[str]:
        """The answer as SSE lines, from the role to the usage; the caller ends it with DONE."""
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})
        async for event in events:
            if line := self.line(event):
                yield line

    async def whole(self, events: AsyncGenerator[Event]) -> str:
        """The answer as one object, in JSON. `events` end with Finished."""
        text, calls = "", list[dict[str, Any]]()
        async for event in events:
            match event:
                case Text(more):
                    text += more
                case Calls(made):
                    calls += map(_call_json, made)
                case Finished():
                    finished = event
        message = {
            "role": "assistant", "content": text or (None if calls else ""), "refusal": None,
            "annotations": _annotations(text, finished.sources), **({"tool_calls": calls} if calls else {}),
        }  # fmt: skip
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finished.finish_reason}
        return as_json({
            **self._head, "object": "chat.completion", "choices": [choice],
            "usage": usage_json(finished.usage), **extras_json(finished),
        })  # fmt: skip


def error_line(error: Mapping[str, Any]) -> str:
    """An error in the middle of a stream: the only shape that Open WebUI shows and keeps."""
    return data_line({"error": error})
