"""`archivar serve`: the API alone."""

from math import ceil
from typing import Annotated

import typer

from archive.settings import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the archive to Open WebUI and any OpenAI client, until Ctrl-C."""
    settings = load_settings(host=host, port=port)
    import uvicorn

    from server import logs
    from server.access.connections import BoundedConnection
    from server.app import create_app
    from server.stopping import GRACE, exit_cleanly

    exit_cleanly()
    limit = ceil(settings.shutdown_seconds + GRACE)
    uvicorn.run(
        create_app(settings), host=settings.host, port=settings.port, log_level=settings.log_level,
        log_config=logs.config(settings), access_log=False,  # Observed writes a line of its own
        timeout_graceful_shutdown=limit, http=BoundedConnection,
    )  # fmt: skip
