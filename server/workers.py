"""Several server processes over one archive: `archivar serve --workers N`.

Each loads models of its own, reads the archive for itself, and follows what is ingested or swapped; each has its part
of the queue and of the engine's slots. What they count, Prometheus is told as one.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from archive import collector
from archive.errors import ArchivarError, SettingsError
from archive.settings import Settings, load_settings

_FAILED_TO_START = 3  # uvicorn's exit status of a worker that needn't be tried again
_LOADS_WITHIN = 60  # seconds in which a worker that reads large models may not answer its parent
_SLOTS = 4  # of an engine, where the settings leave it open


def serve(settings: Settings, options: Mapping[str, Any]) -> None:
    """Serve with `settings.workers` processes until a signal to stop; `options` are uvicorn's.

    Raises SettingsError where each worker would load a generator of its own.
    """
    if settings.generates_in_process:
        raise SettingsError(
            f"{settings.workers} workers would each load {settings.generator} into memory; run the model in an engine "
            "of its own (llama.cpp's server, Ollama, vLLM) and set ARCHIVAR_GENERATOR, or serve with one worker"
        )
    from server.metrics import share_among_workers

    counted = settings.home / "metrics" / str(settings.port)
    share_among_workers(counted)
    # A worker is a new process, which reads the settings for itself.
    for name in ("host", "port", "workers"):
        os.environ[f"ARCHIVAR_{name.upper()}"] = str(getattr(settings, name))
    config = uvicorn.Config(
        "server.workers:create_worker", factory=True, workers=settings.workers,
        timeout_worker_healthcheck=_LOADS_WITHIN, **options,
    )  # fmt: skip
    try:
        _Workers(config, sockets=[config.bind_socket()]).run()
    finally:
        shutil.rmtree(counted, ignore_errors=True)


class _Workers(Multiprocess):
    """Uvicorn's own, but a second signal to stop reaches the workers too, as it would reach a single server."""

    def join_all(self) -> None:
        """Wait until all have ended."""
        self.signal_queue.clear()
        while any(process.process.is_alive() for process in self.processes):
            if self.signal_queue:
                self.signal_queue.clear()
                self.terminate_all()
            for process in self.processes:
                process.process.join(0.2)


def create_worker() -> FastAPI:
    """The server of one worker; ends the process where it can't be."""
    collector.rest()  # load_engine() wakes it
    from server.lean import lean_imports
    from server.loading import begin_loading
    from server.stopping import exit_cleanly

    exit_cleanly()
    os.setpgrp()  # Ctrl-C is for the parent alone, which tells each worker once
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        settings = share(load_settings())
        models = begin_loading(settings)  # before the other imports, which take a second and more
        with lean_imports():
            from server.app import create_app
            from server.engine import load_engine
        return create_app(settings, partial(load_engine, models=models))
    except ArchivarError as error:
        sys.stderr.write(f"archivar: {error}\n")
        sys.exit(_FAILED_TO_START)


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def share(settings: Settings) -> Settings:
    """One worker's part: of an engine's slots rounded down, but one at least, and of the queue rounded up."""
    slots = max(1, (settings.engine_slots or _SLOTS) // settings.workers)
    return settings.model_copy(update={"engine_slots": slots, "queue": ceil(settings.queue / settings.workers)})
