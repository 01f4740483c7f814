"""`archivar status`: how a running server is doing."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from archive.settings import load_settings


def status(
    url: Annotated[str, typer.Option(help="Address of the server; by default that of the settings.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell whether a server is ready or what it lacks, how busy it is, and how current its archive.

    Exit code 0 where it is ready to answer, else 1. Its metrics need ARCHIVAR_API_KEY, where keys are needed.
    """
    settings = load_settings()
    from server.status import ask
    from server.status_view import show

    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    address = url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    found = ask(address, settings.api_key.get_secret_value())
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        show(found, Console())
    raise typer.Exit(0 if found.is_ready else 1)
