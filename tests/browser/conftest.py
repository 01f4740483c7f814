"""The whole program as a person starts it: `archivar chat` on free ports, and Chromium."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openwebui import Chat
from playwright.sync_api import sync_playwright

from archive.settings import Settings
from server.launch import OPEN_WEBUI, ROOT
from server.ports import free_port

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Running:
    """Where the two servers of one launch listen."""

    api: str
    webui: str


def need(path: Path, mend: str) -> None:
    """Skips, or fails where ARCHIVAR_TESTS_STRICT is set: CI must not pass by skipping."""
    if not path.exists():
        reason = f"{path} is missing: {mend}"
        if os.environ.get("ARCHIVAR_TESTS_STRICT"):
            pytest.fail(reason)
        pytest.skip(reason)


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


@pytest.fixture
def chat(running: Running, tmp_path: Path) -> Iterator[Chat]:
    """A new browser, with no memory of earlier ones, on a new chat."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            headless=True,
            executable_path=CHROMIUM,
            locale="en-US",  # so that a German interface is our doing
            viewport={"width": 1280, "height": 900},
            args=list(FLAGS),
        )
        chat = Chat(context.pages[0], running.webui)
        chat.open()
        yield chat
        context.close()
