"""`archivar chat`: the API and Open WebUI as two child processes, started together, watched, and ended together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self
from urllib.request import ProxyHandler, build_opener

import typer

from archive.errors import ArchivarError
from archive.settings import Settings, load_settings
from server.openwebui import environment
from server.ports import check_port, free_port

ROOT = Path(__file__).resolve().parent.parent
OPEN_WEBUI = ROOT / ".venv-webui" / "bin" / "open-webui"
READY_WITHIN = 300.0  # seconds; a cold disk may need one minute for the models
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 10.0  # seconds between asking a child to end and killing it, beyond what it needs for its work
HEARTBEAT = 5.0  # seconds between two lines about one that is still starting


class ChildFailed(ArchivarError):
    """A child process ended by itself, or did not come up; the message carries the end of its log."""


@dataclass(frozen=True)
class Service:
    """A program to run: ready once every one of `checks` answers 200; what it says goes to `log`.

    `ending` are seconds that it may take, when it is told to end, for what it is at.
    """

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    log: Path
    checks: tuple[str, ...]
    ending: float = 0.0


class Child:
    """A running service, in a process group of its own so that its own children end with it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.log.parent.mkdir(parents=True, exist_ok=True)
        with service.log.open("wb") as log:
            self._process = subprocess.Popen(
                service.argv,
                env=service.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Has it not ended yet?"""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """To the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def failure(self, what: str) -> ChildFailed:
        """The error to raise, with the last lines of the log."""
        lines = self.service.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "".join(f"\n    {line}" for line in lines[-12:])
        return ChildFailed(f"{self.service.name} {what}; the end of {self.service.log}:{tail}")

    def check_running(self) -> None:
        """Raises ChildFailed once the process is gone."""
        if not self.running:
            raise self.failure(f"ended by itself (exit code {self._process.returncode})")


class Children:
    """All children of one launch; leaving the block ends them, whatever happened inside it."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        try:
            for service in self._services:
                self._children.append(Child(service))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_ready(self, say: Callable[[str], None]) -> None:
        """Returns when every check of every child answers. Raises ChildFailed where one ends or takes too long."""
        start = last = time.monotonic()
        waiting = {child: list(child.service.checks) for child in self._children}
        while waiting:
            for child, checks in list(waiting.items()):
                child.check_running()
                while checks and answers(checks[0]):
                    checks.pop(0)
                if not checks:
                    del waiting[child]
                    say(f"{child.service.name}: bereit / ready ({time.monotonic() - start:.0f} s)")
            now = time.monotonic()
            if waiting and now - start > READY_WITHIN:
                raise next(iter(waiting)).failure(f"was not ready within {READY_WITHIN:.0f} s")
            if waiting and now - last > HEARTBEAT:
                last = now
                names = ", ".join(child.service.name for child in waiting)
                say(f"{names}: startet / starting ({now - start:.0f} s)")
            time.sleep(0.2)

    def supervise(self) -> None:
        """Watches for good. Raises ChildFailed as soon as one child ends."""
        while True:
            for child in self._children:
                child.check_running()
            time.sleep(0.5)

    def stop(self) -> None:
        """Asks all to end, and kills what is left after its time. A second Ctrl-C can't cut this short."""
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
        for number in (signal.SIGTERM, signal.SIGKILL):
            for child in self._children:
                child.signal(number)
            deadline = time.monotonic() + GRACE + max((child.service.ending for child in self._children), default=0.0)
            while any(child.running for child in self._children) and time.monotonic() < deadline:
                time.sleep(0.05)
        for kept, handler in handlers.items():
            signal.signal(kept, handler)


def answers(url: str) -> bool:
    """True for a 200; a refused or broken connection, or any other status, is a no. Proxies are for others."""
    with suppress(OSError, HTTPException), build_opener(ProxyHandler({})).open(url, timeout=2) as response:
        return bool(response.status == 200)
    return False


def services(settings: Settings) -> tuple[Service, Service]:
    """The API and Open WebUI, on the ports that are set. Raises ChildFailed where Open WebUI is not installed."""
    if not OPEN_WEBUI.exists():
        raise ChildFailed(
            f"Open WebUI is not installed ({OPEN_WEBUI}); run `make setup`, or `archivar serve` without it"
        )
    home = settings.home.absolute()
    reach = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    api_url = f"http://{reach}:{settings.port}"
    webui_url = f"http://127.0.0.1:{settings.webui_port}"
    api = Service(
        "API",
        (sys.executable, "-m", "archivar", "serve"),
        {**os.environ, "ARCHIVAR_HOME": str(home), "ARCHIVAR_PORT": str(settings.port)},
        home / "logs" / "api.log",
        (f"{api_url}/health/live",),  # models are loaded then; an empty archive may be filled later
        settings.shutdown_seconds,
    )
    webui = Service(
        "Open WebUI",
        (str(OPEN_WEBUI), "serve", "--host", "127.0.0.1", "--port", str(settings.webui_port)),
        environment(settings, api_url, (webui_url, f"http://localhost:{settings.webui_port}")),
        home / "logs" / "open-webui.log",
        (f"{webui_url}/health",),
    )
    return api, webui


def with_ports(settings: Settings) -> Settings:
    """Port 0 becomes a free one. Raises SettingsError where a chosen port is taken."""
    api = settings.port or free_port(settings.host)
    webui = settings.webui_port or free_port("127.0.0.1")
    check_port(settings.host, api, "ARCHIVAR_PORT")
    check_port("127.0.0.1", webui, "ARCHIVAR_WEBUI_PORT")
    return settings.model_copy(update={"port": api, "webui_port": webui})


def launch(settings: Settings) -> None:
    """Runs until Ctrl-C or SIGTERM. Raises ArchivarError where one of the two can't be started or ends by itself."""
    from archive.serving import with_own_embedder

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in STOPPING:  # SIGINT too: a shell that starts us in the background has it ignored
        signal.signal(number, interrupt)
    try:
        settings = with_own_embedder(with_ports(settings))
        with Children(services(settings)) as children:
            children.wait_ready(lambda line: typer.echo(line, err=True))
            typer.echo(f"\nBereit: http://localhost:{settings.webui_port} im Browser öffnen; Ende mit Strg-C.")
            typer.echo(f"Ready: open http://localhost:{settings.webui_port} in a browser; Ctrl-C ends it.")
            typer.echo(f"API: {settings.base_url}/v1\n")
            children.supervise()
    except KeyboardInterrupt:
        typer.echo("Beendet / stopped.", err=True)


def chat() -> None:
    """Serve the archive with Open WebUI, until Ctrl-C."""
    launch(load_settings())
