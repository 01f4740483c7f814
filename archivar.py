"""The front door: one command line that only mounts the rooms' commands."""

import sys
from importlib import import_module
from typing import Any

import typer

from archive.errors import ArchivarError

# Where each command and each group of commands is. What isn't asked for isn't loaded: a tenth of a server's start.
_COMMANDS = {
    "chat": "server.launch",
    "serve": "server.commands",
    "status": "server.status_command",
    "mcp": "server.mcp_command",
    "ingest": "ingest.commands",
    "watch": "ingest.watch_command",
    "backup": "archive.keep_commands",
    "restore": "archive.keep_commands",
    "export": "ingest.export_commands",
    "check": "archive.check_commands",
    "stats": "archive.keep_commands",
    "reindex": "archive.reindex_commands",
    "remove": "ingest.remove_command",
}
_GROUPS = {
    "keys": "server.key_commands",
    "evaluate": "evaluation.commands",
    "bench": "evaluation.bench_commands",
    "train": "training.commands",
    "models": "archive.commands",
}


def program(asked: str = "") -> typer.Typer:
    """The command line with the command or group that is asked for, or with all where there is none of that name."""
    app = typer.Typer(
        help="Chat with a news archive, on your own hardware.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_front_door)  # one command alone would be asked for without its name
    known = {**_COMMANDS, **_GROUPS}
    for name in [asked] if asked in known else known:
        module = import_module(known[name])
        if name in _COMMANDS:
            app.command(name)(getattr(module, name))
        else:
            app.add_typer(getattr(module, f"{name}_app"), name=name)
    return app


def _front_door() -> None:
    pass


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as a module's attributes are
    if name == "app":
        return program()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Run one command. What a user can mend is one line on stderr and exit code 1; Ctrl-C is 130."""
    try:
        program(sys.argv[1] if len(sys.argv) > 1 else "")()
    except ArchivarError as error:
        sys.stderr.write(f"archivar: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
