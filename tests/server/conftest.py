"""What tests of the server share: a small archive, the server over it, and what asks a server.

A module that needs another server has a `base` of its own; where it keeps `swap`, `generator` is what it answers by.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from newspaper import print_newspaper
from scripted import ScriptedGenerator, Swap
from serving import serving

from archive.settings import Settings


@pytest.fixture(scope="session")
def newspaper(tmp_path_factory, real_embedder) -> Path:
    """The home of its archive; tests read it only."""
    return print_newspaper(tmp_path_factory.mktemp("newspaper") / "home", real_embedder)


@pytest.fixture(scope="session")
def swap() -> Swap:
    return Swap()


@pytest.fixture(scope="module")
def base(newspaper, swap) -> Iterator[str]:
    with serving(Settings(home=newspaper), swap) as address:
        yield address


@pytest.fixture
def generator(swap, scripted) -> ScriptedGenerator:
    swap.to = scripted
    return scripted


@pytest.fixture
def client(base, generator):
    from openai import OpenAI  # takes a while to load, and most tests do without

    with OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def http(base, generator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=60) as http:
        yield http
