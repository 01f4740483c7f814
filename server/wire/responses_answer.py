"""OpenAI's Responses API as answers, built from events. Source: OpenAI API reference, responses and their streaming.

Open WebUI's `event` key rides on valid events, and only where Open WebUI asks; OpenAI's citations go to all others.
"""

import time
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any

from server.events import Calls, Event, Finished, Source, Status, Text
from server.generation import ToolCall, Usage
from server.wire.lines import as_json, named_line
from server.wire.responses_request import ResponsesRequest
from server.wire.sources import citations, extras_json, webui_source

_ECHOED = ("instructions", "metadata", "temperature", "top_p", "max_output_tokens", "truncation", "parallel_tool_calls")
_USUAL = {"metadata": {}, "temperature": 1.0, "top_p": 1.0, "truncation": "disabled", "parallel_tool_calls": True}


def usage_json(usage: Usage) -> dict[str, Any]:
    """Usage in the shape of this API."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


class ResponseAnswer:
    """One answer on the wire; its events are numbered from 0."""

    def __init__(self, asked: ResponsesRequest, *, events: bool = False) -> None:
        """`events`: it is for Open WebUI."""
        given = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        self._head: dict[str, Any] = {
            "id": f"resp_{uuid.uuid4().hex}", "object": "response", "created_at": int(time.time()),
            "model": asked.model, "background": False, "store": False, "service_tier": "default",
            "previous_response_id": None, "reasoning": {"effort": None, "summary": None},
            "text": {"format": given.get("text", {}).get("format", {"type": "text"})},
            "tools": given.get("tools", []), "tool_choice": given.get("tool_choice", "auto"),
            **{key: given.get(key, _USUAL.get(key)) for key in _ECHOED},
        }  # fmt: skip
        self._events = events
        self._message_id = f"msg_{uuid.uuid4().hex}"
        self._number = 0
        self._text: list[str] = []
        self._is_open = False  # whether the message has begun and not ended
        self._output: list[dict[str, Any]] = []

    def _response(self, status: str, **more: object) -> dict[str, Any]:
        usual = {"error": None, "incomplete_details": None, "usage": None}
        return {**self._head, "status": status, "output": self._output, **usual, **more}

    def _ended(self, finished: Finished) -> dict[str, Any]:
        status = _status(finished)
        details = {"incomplete_details": {"reason": "max_output_tokens"}} if status == "incomplete" else {}
        return self._response(status, usage=usage_json(finished.usage), **details, **extras_json(finished))

    def _message(self, status: str, content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._message_id, "type": "message", "status": status, "role": "assistant", "content": list(content)
        }  # fmt: skip

    def _part(self, sources: Sequence[Source]) -> dict[str, Any]:
        """The text as it is whole."""
        text = "".join(self._text)
        cited = [] if self._events else citations(text, sources)
        return {"type": "output_text", "text": text, "annotations": cited, "logprobs": []}

    async def whole(self, events: AsyncGenerator[Event]) -> str:
        """The answer as one object, in JSON. `events` end with Finished."""
        calls: tuple[ToolCall, ...] = ()
        async for event in events:
            match event:
                case Text(text):
                    self._text.append(text)
                case Calls(made):
                    calls += made
                case Finished():
                    finished = event
        if self._text or not calls:
            self._output.append(self._message(_status(finished), [self._part(finished.sources)]))
        self._output += map(_call_json, calls)
        return as_json(self._ended(finished))

    async def lines(self, events: AsyncGenerator[Event]) -> AsyncGenerator[str]:
        """The answer as named SSE events, from `response.created` to `response.completed` or `.incomplete`."""
        yield self._line("response.created", response=self._response("in_progress"))
        yield self._line("response.in_progress", response=self._response("in_progress"))
        async for event in events:
            yield self.line(event)

    def line(self, event: Event) -> str:
        """An event as SSE lines, none where it is not for this client."""
        return "".join(self._lines(event))

    def failed(self, error: Mapping[str, Any]) -> str:
        """An error in the middle of a stream."""
        told = {"code": error["code"] or error["type"], "message": error["message"]}
        # The official client raises what stands below `error`, and other readers look beside it.
        return self._line("error", **told, param=error["param"], error=error) + self._line(
            "response.failed", response=self._response("failed", error=told)
        )

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case Text(text):
                if not self._is_open:
                    yield from self._begun()
                self._text.append(text)
                yield self._in_part("response.output_text.delta", delta=text, logprobs=[])
            case Status(text, done):
                yield self._shown("status", {"description": text, "done": done})
            case Source():
                yield self._shown("source", webui_source(event))
            case Calls(calls):
                if self._is_open:
                    yield from self._closed("completed", ())
                for call in calls:
                    yield from self._called(call)
            case Finished():
                yield from self._finished(event)

    def _finished(self, finished: Finished) -> Iterator[str]:
        if not self._is_open and not self._output:
            yield from self._begun()
        if self._is_open:
            yield from self._closed(_status(finished), finished.sources)
        yield self._line(f"response.{_status(finished)}", response=self._ended(finished))

    def _shown(self, kind: str, data: Mapping[str, Any]) -> str:
        if not self._events:
            return ""
        response = self._response("in_progress")
        return self._line("response.in_progress", response=response, event={"type": kind, "data": data})

    def _begun(self) -> Iterator[str]:
        self._is_open = True
        yield self._line("response.output_item.added", output_index=0, item=self._message("in_progress", []))
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        yield self._in_part("response.content_part.added", part=part)

    def _closed(self, status: str, sources: Sequence[Source]) -> Iterator[str]:
        self._is_open, part = False, self._part(sources)
        for index, annotation in enumerate(part["annotations"]):
            yield self._in_part(
                "response.output_text.annotation.added", annotation_index=index, annotation=annotation
            )  # fmt: skip
        yield self._in_part("response.output_text.done", text=part["text"], logprobs=[])
        yield self._in_part("response.content_part.done", part=part)
        self._output.append(self._message(status, [part]))
        yield self._line("response.output_item.done", output_index=0, item=self._output[0])

    def _called(self, call: ToolCall) -> Iterator[str]:
        item, index = _call_json(call), len(self._output)
        place = {"output_index": index, "item_id": item["id"]}
        begun = {**item, "status": "in_progress", "arguments": ""}
        yield self._line("response.output_item.added", output_index=index, item=begun)
        yield self._line("response.function_call_arguments.delta", **place, delta=call.arguments)
        yield self._line("response.function_call_arguments.done", **place, name=call.name, arguments=call.arguments)
        self._output.append(item)
        yield self._line("response.output_item.done", output_index=index, item=item)

    def _in_part(self, kind: str, **more: object) -> str:
        return self._line(kind, item_id=self._message_id, output_index=0, content_index=0, **more)

    def _line(self, kind: str, **more: object) -> str:
        line = named_line(kind, {"type": kind, "sequence_number": self._number, **more})
        self._number += 1
        return line


def _status(finished: Finished) -> str:
    return "incomplete" if finished.finish_reason == "length" else "completed"


def _call_json(call: ToolCall) -> dict[str, Any]:
    return {
        "id": f"fc_{uuid.uuid4().hex}", "type": "function_call", "status": "completed", "call_id": call.id,
        "name": call.name, "arguments": call.arguments,
    }  # fmt: skip
