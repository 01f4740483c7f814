"""The command `archivar watch`."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import ArchiveError

if TYPE_CHECKING:
    from archive.settings import Settings
    from ingest.stopping import Stopping


def watch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME_OR_FEED_URL]...", help="Publishers or addresses of feeds; by default heise."),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(
            min=5, help="Seconds between two readings of a feed; default 40, or what the feed itself asks for."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Read each feed once, visit the pages that are due, and end.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")
    ] = None,
) -> None:
    """Keep the archive current: what a feed brings can be found within a minute, and its page is read after that.

    Pages are visited again for two days: what has changed is stored anew, what is gone is withdrawn. Servers and other
    commands may run beside it. Runs until Ctrl-C or SIGTERM.
    """
    from archive.locking import held
    from archive.settings import load_settings
    from ingest.stopping import Stopping
    from ingest.watched_feeds import feeds_of

    settings, watched = load_settings(home=home), names or ["heise"]
    feeds_of(watched, every)  # a wrong name is told before anything is made or loaded
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    for room in ("ingest", "archive"):
        logging.getLogger(room).setLevel(settings.log_level.upper())
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError(f"{settings.home}: {error.strerror}; check the folder, or set ARCHIVAR_HOME") from error
    with held(settings.home, "watch"), (stopping := Stopping()).listening():
        _watch(settings, watched, every, once, stopping)


def _watch(settings: "Settings", names: list[str], every: float | None, once: bool, stopping: "Stopping") -> None:
    # Imported here: models and indexes take seconds, and `archivar --help` should not.
    from archive.models import ModelStore
    from archive.opening import open_archive
    from archive.priority import step_back
    from ingest.watched_feeds import feeds_of
    from ingest.watching import LIMITS, Watcher
    from ingest.web.addresses import is_address
    from ingest.web.visitor import Visitor

    step_back()
    with stopping.interruptible():
        archive = open_archive(settings, ModelStore(settings.models, offline=settings.offline))
    try:
        with Visitor.with_settings(settings, named=filter(is_address, names), limits=LIMITS) as visitor:
            watcher = Watcher(feeds_of(names, every), archive, visitor, stopping, what=f"watch {' '.join(names)}")
            (watcher.once if once else watcher.run)()
    finally:
        archive.close()
