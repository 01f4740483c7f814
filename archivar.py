"""The front door: one command line that only mounts the rooms' commands."""

import sys

import typer

from archive.check_commands import check
from archive.commands import models_app
from archive.errors import ArchivarError
from archive.keep_commands import backup, restore, stats
from archive.reindex_commands import reindex
from evaluation.bench_commands import bench_app
from evaluation.commands import evaluate_app
from ingest.commands import ingest
from ingest.export_commands import export
from ingest.remove_command import remove
from ingest.watch_command import watch
from server.commands import serve
from server.key_commands import keys_app
from server.launch import chat
from server.mcp_command import mcp
from server.status_command import status
from training.commands import train_app

app = typer.Typer(
    help="Chat with a news archive, on your own hardware.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(chat)
app.command()(serve)
app.command()(status)
app.command()(mcp)
app.command()(ingest)
app.command()(watch)
app.command()(backup)
app.command()(restore)
app.command()(export)
app.command()(check)
app.command()(stats)
app.command()(reindex)
app.command()(remove)
app.add_typer(keys_app, name="keys")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(bench_app, name="bench")
app.add_typer(train_app, name="train")
app.add_typer(models_app, name="models")


def main() -> None:
    """Run one command. What a user can mend is one line on stderr and exit code 1; Ctrl-C is 130."""
    try:
        app()
    except ArchivarError as error:
        sys.stderr.write(f"archivar: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
