"""The whole program as a person starts it: `archivar chat` on free ports, and Chromium."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import newsroom
import pytest
from newsroom import Newsroom
from openwebui import CHROMIUM, Chat, browsing, need

from archive.settings import Settings
from server.launch import OPEN_WEBUI, ROOT
from server.ports import free_port


@dataclass(frozen=True)
class Running:
    """Where the two servers of one launch listen."""

    api: str
    webui: str


@pytest.fixture(scope="session")
def running(archive_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    need(CHROMIUM, "apt-get install chromium")
    need(OPEN_WEBUI, "make setup")
    api, webui = free_port("127.0.0.1"), free_port("127.0.0.1")
    env = {
        **os.environ,
        "ARCHIVAR_HOME": str(archive_home),
        "ARCHIVAR_MODELS": str(Settings().models),
        "ARCHIVAR_PORT": str(api),
        "ARCHIVAR_WEBUI_PORT": str(webui),
    }
    log = tmp_path_factory.mktemp("chat") / "chat.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "archivar", "chat"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    assert process.stdout is not None
    with process, process.stdout:
        for line in process.stdout:  # ends with the process where that fails
            if line.startswith("Ready:"):
                break
        else:
            pytest.fail(f"archivar chat did not start: {log.read_text()}")
        yield Running(f"http://localhost:{api}", f"http://localhost:{webui}")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def office(archive_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """One Open WebUI for all tests of errors and of other ways to attach it."""
    with newsroom.opened(archive_home, tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.fixture
def desk(office: Newsroom, tmp_path: Path) -> Iterator[Chat]:
    """A new browser before the office's Open WebUI, and an engine that does its work."""
    if not office.engine.answers():
        office.engine.start()
    office.engine.behave()
    with browsing(office.webui, tmp_path / "profile") as chat:
        yield chat


@pytest.fixture
def chat(running: Running, tmp_path: Path) -> Iterator[Chat]:
    """A new browser, with no memory of earlier ones, on a new chat."""
    with browsing(running.webui, tmp_path / "profile") as chat:
        chat.open()
        yield chat
