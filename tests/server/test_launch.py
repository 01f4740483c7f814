"""Starting, watching and ending the two children, with small real servers in their place."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import SettingsError
from archive.settings import Settings
from server import launch, openwebui
from server.launch import Child, ChildFailed, Children, Service
from server.ports import check_port, free_port, holder

SERVE = """
import http.server, sys, time
time.sleep(float(sys.argv[2]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DIE = "import sys; print('Bedingung verletzt'); sys.exit(7)"
DILIGENT = """
import pathlib, signal, sys, time
note = pathlib.Path(sys.argv[1])
def end(*_):
    time.sleep(1.5)
    note.write_text("done")
    sys.exit()
signal.signal(signal.SIGTERM, end)
note.write_text("")
time.sleep(600)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(grandchild.pid))
time.sleep(600)
"""


def service(folder: Path, code: str, *args: str, name: str = "Probe", checks: tuple[str, ...] = ()) -> Service:
    return Service(name, (sys.executable, "-c", code, *args), dict(os.environ), folder / f"{name}.log", checks)


def server_on(folder: Path, port: int, delay: float = 0, name: str = "Probe") -> Service:
    return service(folder, SERVE, str(port), str(delay), name=name, checks=(f"http://127.0.0.1:{port}/health",))


def alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_both_start_in_parallel_and_are_told_when_ready(tmp_path: Path) -> None:
    lines: list[str] = []
    one, two = (server_on(tmp_path, free_port("127.0.0.1"), 1, name) for name in ("API", "Open WebUI"))
    start = time.monotonic()

    with Children([one, two]) as children:
        children.wait_ready(lines.append)

    assert sorted(line.split(":")[0] for line in lines) == ["API", "Open WebUI"]
    assert time.monotonic() - start < 20


def test_a_child_that_dies_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    healthy = server_on(tmp_path, free_port("127.0.0.1"), name="API")
    broken = service(tmp_path, DIE, name="Open WebUI", checks=("http://127.0.0.1:9/health",))

    with (
        pytest.raises(ChildFailed, match=r"Open WebUI ended by itself \(exit code 7\)(?s:.*)Bedingung verletzt"),
        Children([healthy, broken]) as children,
    ):
        children.wait_ready(lambda line: None)


def test_one_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "READY_WITHIN", 0.5)
    mute = service(tmp_path, "import time; time.sleep(600)", checks=("http://127.0.0.1:9/health",))

    with pytest.raises(ChildFailed, match="was not ready within"), Children([mute]) as children:
        children.wait_ready(lambda line: None)


def test_a_stubborn_child_and_its_children_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "GRACE", 0.5)
    note = tmp_path / "grandchild"

    with Children([service(tmp_path, STUBBORN, str(note))]):
        deadline = time.monotonic() + 20
        while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
    grandchild = int(note.read_text())
    time.sleep(0.2)

    assert not alive(grandchild)


def test_a_child_that_ends_what_it_is_at_has_time_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "GRACE", 0.5)
    note = tmp_path / "note"

    with Children([replace(service(tmp_path, DILIGENT, str(note)), ending=20.0)]):
        deadline = time.monotonic() + 20
        while not note.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    assert note.read_text() == "done"


def test_one_that_can_not_be_started_ends_the_other(tmp_path: Path) -> None:
    healthy = server_on(tmp_path, port := free_port("127.0.0.1"))
    missing = Service("Open WebUI", ("/nonexistent",), {}, tmp_path / "w.log", ())

    with pytest.raises(FileNotFoundError), Children([healthy, missing]):
        pass

    check_port("127.0.0.1", port, "ARCHIVAR_PORT")


def test_supervise_sees_a_later_end(tmp_path: Path) -> None:
    child = Child(service(tmp_path, "import time; time.sleep(0.3)"))
    children = Children([])
    children._children.append(child)

    with pytest.raises(ChildFailed, match="exit code 0"):
        children.supervise()


def test_a_taken_port_is_one_line_with_the_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SettingsError, match=rf"port {port} is in use.*ARCHIVAR_PORT={port + 1}"):
            check_port("127.0.0.1", port, "ARCHIVAR_PORT")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells whose a port is")
def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert f"process {os.getpid()}" in holder(taken.getsockname()[1])

    assert holder(1) == ""


def test_port_zero_becomes_a_free_one() -> None:
    chosen = launch.with_ports(Settings(port=0, webui_port=0))

    assert chosen.port and chosen.webui_port and chosen.port != chosen.webui_port
    assert str(chosen.port) in chosen.base_url


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = openwebui.secret_key(tmp_path / "webui")

    assert openwebui.secret_key(tmp_path / "webui") == first and len(first) == 64
    assert stat.S_IMODE((tmp_path / "webui" / "secret").stat().st_mode) == 0o600


def test_open_webui_writes_only_below_home_and_asks_only_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_LOCALE", "en-US")
    monkeypatch.setenv("DATA_DIR", "/elsewhere")
    env = openwebui.environment(Settings(home=tmp_path, port=8123), "http://127.0.0.1:8123", ("http://localhost:8080",))

    assert env["DATA_DIR"].startswith(str(tmp_path)) and env["STATIC_DIR"].startswith(str(tmp_path))
    assert env["OPENAI_API_BASE_URLS"] == env["RAG_OPENAI_API_BASE_URL"] == "http://127.0.0.1:8123/v1"
    assert env["RAG_EMBEDDING_MODEL"] == "multilingual-e5-small-q4"
    assert env["CORS_ALLOW_ORIGIN"] == "http://localhost:8080"
    assert env["DEFAULT_LOCALE"] == "en-US", "a user's own choice in the shell wins over the shared file"
    assert env["OFFLINE_MODE"] == "true"


def test_open_webui_takes_calls_from_its_public_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBUI_URL", "https://archiv.zeitung.example/chat/")
    env = openwebui.environment(Settings(home=tmp_path), "http://127.0.0.1:8000", ("http://localhost:8080",))

    assert env["CORS_ALLOW_ORIGIN"] == "http://localhost:8080;https://archiv.zeitung.example"


def test_sigterm_ends_everything(tmp_path: Path) -> None:
    """The whole command, in a process of its own: what it started is gone with it."""
    note = tmp_path / "grandchild"
    program = f"""
import sys
from archive.settings import Settings
from pathlib import Path
from server import launch
launch.GRACE = 0.5
launch.services = lambda settings: [launch.Service("Probe", (sys.executable, "-c", {STUBBORN!r}, {str(note)!r}), {{}},
    Path({str(tmp_path)!r}) / "probe.log", ())]
launch.launch(Settings(port=0, webui_port=0))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=launch.ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 30
        while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    time.sleep(0.2)

    assert process.returncode == 0 and "stopped" in said, said
    assert not alive(int(note.read_text()))
