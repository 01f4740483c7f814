"""One server for the tests of the API; each test puts its own scripted generator behind it."""

from collections.abc import AsyncGenerator, Iterator, Sequence

import httpx
import pytest
from openai import OpenAI
from scripted import ScriptedGenerator
from serving import serving

from archive.settings import Settings
from server.generation import Message, Piece, Sampling, ToolCall, Usage


class Calling(ScriptedGenerator):
    """Says what it was told to say; where `calls` holds tools, it wants them called instead."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: tuple[ToolCall, ...] = ()

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        if not self.calls:
            async for piece in super().stream(messages, sampling):
                yield piece
            return
        self.asked.append(list(messages))
        self.samplings.append(sampling)
        yield Piece("", "tool_calls", Usage(9, 4), self.calls)


class Swap:
    """What the one server keeps."""

    name = "scripted"

    def __init__(self) -> None:
        self.to = Calling()

    def __getattr__(self, name: str):
        return getattr(self.to, name)


@pytest.fixture(scope="package")
def swap() -> Swap:
    return Swap()


@pytest.fixture(scope="package")
def base(archive_home, swap) -> Iterator[str]:
    with serving(Settings(home=archive_home, reranked=4, candidates=8), swap) as address:
        yield address


@pytest.fixture
def generator(swap) -> Calling:
    swap.to = Calling()
    return swap.to


@pytest.fixture
def client(base, generator) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def http(base, generator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=60) as http:
        yield http
