"""`archivar serve`: the API alone."""

import gc
from math import ceil
from typing import Annotated, Any

import typer

from archive.settings import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that serve, each with its own models.")] = None,
) -> None:
    """Serve the archive to Open WebUI and any OpenAI client, until Ctrl-C."""
    settings = load_settings(host=host, port=port, workers=workers)
    # What a start loads stays, so there is no garbage to look for: a twelfth of its time. load_engine() turns it on.
    gc.disable()
    import uvicorn

    from server import logs
    from server.access.connections import BoundedConnection
    from server.stopping import GRACE, exit_cleanly

    options: dict[str, Any] = {
        "host": settings.host, "port": settings.port, "log_level": settings.log_level,
        "log_config": logs.config(settings), "access_log": False,  # Observed writes a line of its own
        "timeout_graceful_shutdown": ceil(settings.shutdown_seconds + GRACE), "http": BoundedConnection, "ws": "none",
    }  # fmt: skip
    if settings.workers > 1:
        from server import workers as several

        gc.enable()
        several.serve(settings, options)
        return
    from server.app import create_app

    exit_cleanly()
    uvicorn.run(create_app(settings), **options)
