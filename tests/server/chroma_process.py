"""A Chroma server in a process of its own, that can be killed and started again, and a proxy that can fall silent."""

import contextlib
import gc
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

from chromadb.api.shared_system_client import SharedSystemClient
from engine_process import wait_for

from server.ports import free_port


class ChromaProcess:
    """`chroma run` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self.kill()
        chroma = Path(sys.executable).with_name("chroma")
        self._process = subprocess.Popen(
            [chroma, "run", "--path", self.folder, "--port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert wait_for(lambda: is_open(self.port), 60)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> "ChromaProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        forget_clients()
        self.kill()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def forget_clients() -> None:
    """Chroma's client never closes its connections, and the next test would hear of it."""
    SharedSystemClient.clear_system_cache()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.unfreeze()  # what a server of this process has frozen, a client of its Chroma among it
        gc.collect()


class Proxy:
    """Passes bytes on to a port; `silent`, it takes connections and says nothing."""

    def __init__(self, to: int) -> None:
        self.to, self.silent = to, False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                self._open += [client, server]
                for here, there in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(here, there), daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                if not self.silent:
                    there.sendall(data)
        for end in (here, there):
            end.close()

    def close(self) -> None:
        self._listening.close()
        for end in self._open:
            end.close()


@contextlib.contextmanager
def proxy(to: int) -> Iterator[Proxy]:
    one = Proxy(to)
    try:
        yield one
    finally:
        one.close()
