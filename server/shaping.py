"""What a client may ask of an answer's text beyond its words: where it stops, how long it is, and JSON around it.

The archive's answers are only partly written by a generator, which minds these for itself.
"""

import contextlib
import json
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from server.events import Event, Finished, Text


class _Cut:
    """Lets text through until it reaches a stop string or the limit."""

    def __init__(self, stop: Sequence[str], most_tokens: int | None, count_tokens: Callable[[str], int]) -> None:
        self._stop, self._most, self._count = stop, most_tokens, count_tokens
        self._longest = max(map(len, stop), default=1)
        self._held, self._told = "", ""
        self.reason: str | None = None  # what ended the text, where it was one of the two

    def feed(self, text: str) -> str:
        """What may be told of the text so far: all but what a stop string may yet begin with."""
        if self.reason is not None:
            return ""
        text = self._held + text
        # The first that is whole, as where text comes letter by letter.
        found = min(((place + len(string), place) for string in self._stop if (place := text.find(string)) >= 0),
                    default=None)  # fmt: skip
        if found is not None:
            self._held, self.reason = "", "stop"
            return self._within(text[: found[1]])
        kept = next((length for length in range(min(self._longest - 1, len(text)), 0, -1)
                     if any(string.startswith(text[-length:]) for string in self._stop)), 0)  # fmt: skip
        self._held = text[len(text) - kept :]
        return self._within(text[: len(text) - kept])

    def rest(self) -> str:
        """What was held back, at the end."""
        held, self._held = self._held, ""
        return self._within(held) if self.reason is None else ""

    def _within(self, text: str) -> str:
        """As much of it as the limit leaves room for, to the end of a word."""
        if self._most is None or self._count(self._told + text) <= self._most:
            self._told += text if self._most is not None else ""
            return text
        self.reason = "length"
        ends = [place for place, letter in enumerate(text) if letter.isspace()]
        fitting = bisect_right(ends, self._most, key=lambda end: self._count(self._told + text[:end]))
        return text[: ends[fitting - 1]] if fitting else ""


async def cut(
    events: AsyncGenerator[Event], stop: Sequence[str], most_tokens: int | None, count_tokens: Callable[[str], int]
) -> AsyncGenerator[Event]:
    """The events of an answer, its text ended before the first stop string and at `most_tokens`."""
    bounds = _Cut(stop, most_tokens, count_tokens)
    async with contextlib.aclosing(events):
        async for event in events:
            if isinstance(event, Text):
                if text := bounds.feed(event.text):
                    yield Text(text)
            elif isinstance(event, Finished):
                if text := bounds.rest():
                    yield Text(text)
                yield replace(event, finish_reason=bounds.reason or event.finish_reason)
            else:
                yield event


async def as_object(events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The events of an answer, its text a JSON object: {"answer": "...", "sources": [{number, title, url, ...}]}."""
    begun = False
    async with contextlib.aclosing(events):
        async for event in events:
            if isinstance(event, Text):
                yield Text(("" if begun else '{"answer": "') + json.dumps(event.text, ensure_ascii=False)[1:-1])
                begun = True
            elif isinstance(event, Finished):
                sources = [
                    {"number": source.number, "title": source.title, "url": source.url,
                     "published": source.published.isoformat() if source.published else None}
                    for source in event.sources
                ]  # fmt: skip
                head = '"' if begun else '{"answer": ""'
                yield Text(f'{head}, "sources": {json.dumps(sources, ensure_ascii=False)}}}')
                yield event
            else:
                yield event
