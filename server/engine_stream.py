"""What an engine that speaks OpenAI's API says, read leniently: bytes -> events -> what each adds to the answer.

Sources: the event stream format (WHATWG HTML, 9.2.6), OpenAI's reference of chat completion chunks, and what engines
that claim to speak it send (recorded in tests/server/engines/).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from server.generation import ToolCall, Usage

_LONGEST_LINE = 8 * 2**20  # bytes; an engine that never ends its line would fill the memory
_REASONS = {
    "stop": "stop", "eos": "stop", "eos_token": "stop", "stop_sequence": "stop", "content_filter": "stop",
    "length": "length", "max_tokens": "length", "tool_calls": "tool_calls", "function_call": "tool_calls",
}  # fmt: skip


class Unreadable(ValueError):
    """What came is no chunk of an answer: a part of it would be missing."""


class Reported(Exception):
    """The engine says in the middle of its stream that it failed."""


class EventReader:
    """Takes an event stream apart, however its bytes are cut into pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The values of the data lines that are whole by now. Raises Unreadable.

        A line is an event: no engine spreads its JSON over several, and some leave out the empty line between two.
        Comments, which keep a connection alive, and fields and lines without a meaning here are left out.
        """
        self._rest += data
        if len(self._rest) > _LONGEST_LINE:
            raise Unreadable(f"a line of more than {_LONGEST_LINE >> 20} MB")
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        return [value for line in lines if (value := _value(line))]

    def finish(self) -> list[str]:
        """The last line, where nothing ends it."""
        value = _value(self._rest)
        return [value] if value else []


def _value(line: bytearray) -> str:
    if line.startswith(b"data:"):
        return line[5:].decode(errors="replace").strip()
    if line.startswith(b"error:"):  # llama.cpp's server until 2025
        return json.dumps({"error": line[6:].decode(errors="replace").strip()})
    return ""


@dataclass(frozen=True, slots=True)
class Said:
    """What one chunk adds to an answer; `calls` are fragments of tool calls."""

    text: str = ""
    reason: str | None = None
    usage: Usage | None = None
    calls: tuple[Mapping[str, Any], ...] = ()
    logprobs: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether the engine says with it that its answer has ended: by a reason, or by usage without a word beside."""
        return self.reason is not None or (self.usage is not None and not self.text)


def read_chunk(value: str) -> Said:
    """One event of a stream, or the whole answer where an engine does not stream. Raises Unreadable and Reported."""
    try:
        chunk = json.loads(value)
    except ValueError as error:
        raise Unreadable(f"no JSON: {value[:80]}") from error
    if not isinstance(chunk, dict):
        raise Unreadable(f"no chunk: {value[:80]}")
    if failure := failure_in(chunk):
        raise Reported(failure)
    try:
        choice = (chunk.get("choices") or [{}])[0]
        reason = _reason(choice.get("finish_reason"))
        delta = choice.get("delta") or choice.get("message") or {}
        probable = (choice.get("logprobs") or {}).get("content") or ()
        return Said(
            _text(delta.get("content")), reason, _usage(chunk), tuple(delta.get("tool_calls") or ()), tuple(probable)
        )
    except (AttributeError, TypeError, KeyError) as error:
        raise Unreadable(f"no chunk: {value[:80]}") from error


def _reason(told: object) -> str | None:
    """Why an answer ended, in OpenAI's words; SGLang once told objects."""
    reason = told.get("type") if isinstance(told, dict) else told
    if reason in ("abort", "error"):  # vLLM and SGLang, where a request is given up
        raise Reported(f"it gave the answer up ({reason})")
    return _REASONS.get(str(reason), "stop") if reason else None


def failure_in(body: Mapping[str, Any]) -> str:
    """What an answer says of a failure, in the shapes of OpenAI, vLLM, FastAPI and others; empty where it says none."""
    error = body.get("error")
    if isinstance(error, Mapping):
        return str(error.get("message") or error.get("detail") or dict(error))
    if error:
        return str(body.get("message") or error)
    if body.get("object") == "error":
        return str(body.get("message") or "no reason given")
    return str(body["detail"]) if "detail" in body and "choices" not in body else ""


def _text(content: object) -> str:
    """A chunk's text; thinking has fields of its own (reasoning_content, reasoning), which nobody reads."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if isinstance(part, dict) and "text" in part)
    raise Unreadable(f"content of the wrong type: {content!r:.80}")


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    told = chunk.get("usage")
    if not isinstance(told, dict) or not isinstance(told.get("prompt_tokens"), int):
        return None
    details = told.get("prompt_tokens_details") or {}
    return Usage(told["prompt_tokens"], told.get("completion_tokens") or 0, details.get("cached_tokens") or 0)


def read_chunks(values: Iterable[str]) -> Iterator[Said]:
    """Events that came together, those that only go on with the text in one: under load each costs less.

    Raises Unreadable and Reported, behind what came before.
    """
    text = ""
    for value in values:
        try:
            said = read_chunk(value)
        except (Unreadable, Reported):
            if text:
                yield Said(text)
            raise
        if said == Said(said.text):
            text += said.text
            continue
        if text:
            yield Said(text)
            text = ""
        yield said
    if text:
        yield Said(text)


class CallAssembler:
    """Puts the fragments of tool calls together: the first names its function, all add to its arguments."""

    def __init__(self) -> None:
        self._calls: dict[object, dict[str, str]] = {}

    def add(self, fragments: tuple[Mapping[str, Any], ...]) -> None:
        """Fragments of one chunk; engines that send each call whole may leave its index out."""
        for fragment in fragments:
            function = fragment.get("function") or {}
            key = fragment.get("index")
            if key is None:
                key = fragment.get("id") or len(self._calls)
            call = self._calls.setdefault(key, {"id": "", "name": "", "arguments": ""})
            call["id"] = call["id"] or fragment.get("id") or ""
            call["name"] = call["name"] or function.get("name") or ""
            arguments = function.get("arguments") or ""
            call["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)

    def __iter__(self) -> Iterator[ToolCall]:
        for number, call in enumerate(self._calls.values()):
            yield ToolCall(call["id"] or f"call_{number}", call["name"], call["arguments"] or "{}")
