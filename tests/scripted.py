"""A generator that says what it was told to, and where the project's own data lies."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from server.generation import Message, Piece, Sampling, ToolCall, Usage

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample"


class ScriptedGenerator:
    """Says what it was told to say, word by word; remembers what it was asked.

    Where `calls` holds any, it wants these tools called instead.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.answers: deque[str | Exception] = deque()
        self.calls: tuple[ToolCall, ...] = ()
        self.asked: list[list[Message]] = []
        self.samplings: list[Sampling] = []
        self.closed = 0
        self.pause = 0.0
        self.weighed: list[list[Message]] = []
        self.favoured: list[str] = []

    def enqueue(self, *answers: str | Exception) -> None:
        self.answers.extend(answers)

    async def check(self) -> None:
        pass

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        self.asked.append(list(messages))
        self.samplings.append(sampling)
        if self.calls:
            yield Piece("", "tool_calls", Usage(9, 4), self.calls)
            return
        answer = self.answers.popleft() if self.answers else "Ja [1]."
        try:
            if isinstance(answer, Exception):
                yield Piece("Angefangen ")
                raise answer
            words = answer.split(" ")
            for number, word in enumerate(words):
                await asyncio.sleep(self.pause)
                yield Piece(word if number == 0 else f" {word}")
            yield Piece("", "stop", Usage(100, len(words)))
        finally:
            self.closed += 1

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """The first of `favoured` that is among the words; all alike where none is."""
        self.weighed.append(list(messages))
        chosen = next((word for word in self.favoured if word in words), None)
        return [0.0 if chosen in (None, word) else -4.0 for word in words]

    def count_tokens(self, text: str) -> int:
        return len(text) // 4


class Swap:
    """A generator for a server that many tests ask: each of them puts its own behind it."""

    name = "scripted"

    def __init__(self) -> None:
        self.to = ScriptedGenerator()

    def __getattr__(self, name: str):
        return getattr(self.to, name)
