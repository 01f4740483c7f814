"""A real server on a free port, for tests that ask over HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import uvicorn

from archive.articles import day_now
from archive.settings import Settings
from server.access.connections import BoundedConnection
from server.app import create_app
from server.engine import load_engine
from server.ports import free_port


@contextmanager
def listening(app, port: int) -> Iterator[str]:
    """Any ASGI application on a port, in a thread; yields its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", ws="none", access_log=False, http=BoundedConnection
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


@contextmanager
def serving(settings: Settings, generator, clock: Callable[[], date] = day_now) -> Iterator[str]:
    """The app on a free port; yields its address."""
    port = free_port("127.0.0.1")
    settings = settings.model_copy(update={"port": port, "models": Settings().models, "offline": True})
    app = create_app(settings, load=lambda chosen: load_engine(chosen, generator, clock))
    with listening(app, port) as address:
        yield address
