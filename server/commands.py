"""`archivar serve`: the API alone."""

from functools import partial
from math import ceil
from typing import Annotated, Any

import typer

from archive import collector
from archive.settings import Settings, load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that serve, each with its own models.")] = None,
) -> None:
    """Serve the archive to Open WebUI and any OpenAI client, until Ctrl-C."""
    settings = load_settings(host=host, port=port, workers=workers)
    if settings.workers > 1:
        from server import workers as several

        several.serve(settings, _options(settings))
        return
    collector.rest()  # load_engine() wakes it
    from server.lean import lean_imports
    from server.loading import begin_loading

    models = begin_loading(settings)  # before the other imports, which take a second and more
    with lean_imports():
        import uvicorn

        from server.app import create_app
        from server.engine import load_engine
    from server.stopping import exit_cleanly

    exit_cleanly()
    uvicorn.run(create_app(settings, partial(load_engine, models=models)), **_options(settings))


def _options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told."""
    from server import logs
    from server.access.connections import BoundedConnection
    from server.stopping import GRACE

    return {
        "host": settings.host, "port": settings.port, "log_level": settings.log_level,
        "log_config": logs.config(settings), "access_log": False,  # Observed writes a line of its own
        "timeout_graceful_shutdown": ceil(settings.shutdown_seconds + GRACE), "http": BoundedConnection, "ws": "none",
    }  # fmt: skip
