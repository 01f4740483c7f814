"""What of a model's words is its answer: not what it thinks, not the calls of tools that it writes between tags."""

import json
import re
import uuid
from collections.abc import Collection

from server.generation import ToolCall

# Thinking as Qwen and DeepSeek, others, and Magistral mark it; calls of tools as Hermes and Qwen do.
_ENDS = {"<think>": "</think>", "<thinking>": "</thinking>", "[THINK]": "[/THINK]", "<tool_call>": "</tool_call>"}
_LATE = "</think>"
_TAGS = (*_ENDS, _LATE)
CALL_TAG = "<tool_call>"
_TAG = re.compile("|".join(map(re.escape, _TAGS)))
_TAG_OF_THOUGHT = re.compile("|".join(re.escape(tag) for tag in _TAGS if tag != CALL_TAG))
_BARE = re.compile(r"\s*(\{|`{1,3}|$)")  # what a call without its tags begins with
_HALF = re.compile("[\ud800-\udfff]")


class AnswerText:
    """Fed with pieces of any length; tags and letters may be split over them.

    `tools` are the names of those that may be called. Small models forget the tags around a call, so an answer that
    begins like one is held back until it is known. `thinks_at_once` is for models whose prompt opens their thinking, so
    that only its end is seen: all up to there is held back, too, and given out at the end where none came.
    """

    def __init__(self, tools: Collection[str] = (), *, thinks_at_once: bool = False) -> None:
        self._tools = tools
        self._tags = _TAG if tools else _TAG_OF_THOUGHT
        self._held, self._half, self._bare = "", "", ""
        self._tag = ""  # what it is inside of
        self._end = _LATE if thinks_at_once else ""
        self.has_thought = self.has_answered = False
        self.ended_late = False  # an end of thinking without its beginning: what was given out was no answer
        self.calls: list[ToolCall] = []

    def feed(self, text: str) -> str:
        """The part of the answer that is certain by now."""
        start, given = len(self._held), ""
        self._held += self._whole_letters(text)
        while True:
            if self._end:
                end = self._held.find(self._end, max(start - len(self._end), 0))
                if end < 0:
                    return self._answer(given)
                self._leave(self._held[:end])
                self._held, start = self._held[end + len(self._end) :], 0
                self._tag = self._end = ""
            elif tag := self._tags.search(self._held):
                given += self._held[: tag.start()]
                self._held, start = self._held[tag.end() :], 0
                self._tag, self._end = tag[0], _ENDS.get(tag[0], "")
                self.ended_late = self.ended_late or tag[0] == _LATE
            else:
                certain = len(self._held) - _overhang(self._held)
                given, self._held = given + self._held[:certain], self._held[certain:]
                return self._answer(given)

    def finish(self) -> str:
        """The rest, when nothing follows."""
        rest, self._held = self._held + ("\ufffd" if self._half else ""), ""
        if self._tag in _ENDS:
            self._leave(rest)
            rest = ""
        shown = self._answer(rest)
        if bare := self._bare:
            self._bare = ""
            call = read_call(bare.strip().removeprefix("```json").strip("`"))
            if call and call.name in self._tools:
                self.calls.append(call)
            else:
                shown, self.has_answered = bare, bool(bare.strip())
        return shown

    def _whole_letters(self, text: str) -> str:
        """Some engines write a letter beyond U+FFFF in two chunks, half of it in each."""
        text, self._half = self._half + text, ""
        if not _HALF.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _leave(self, inside: str) -> None:
        if self._tag != CALL_TAG:
            self.has_thought = True
        elif call := read_call(inside):
            self.calls.append(call)

    def _answer(self, text: str) -> str:
        if not self.has_answered:
            # The empty lines behind its thinking are no part of it.
            text = text.lstrip() if (self.has_thought or self.calls) and not self._bare else text
            if self._tools and _BARE.match(text := self._bare + text):
                self._bare = text
                return ""
            self._bare = ""
            self.has_answered = bool(text.strip())
        return text


def read_call(text: str) -> ToolCall | None:
    """A call as models write it, {"name": ..., "arguments": {...}}; None for anything else."""
    try:
        told = json.loads(text.strip())
        name, arguments = told["name"], told.get("arguments") or told.get("parameters") or {}
    except (ValueError, KeyError, TypeError):
        return None
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(f"call_{uuid.uuid4().hex[:24]}", str(name), written)


def _overhang(text: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    longest = min(len(text), max(map(len, _TAGS)) - 1)
    return next((size for size in range(longest, 0, -1) if any(tag.startswith(text[-size:]) for tag in _TAGS)), 0)
