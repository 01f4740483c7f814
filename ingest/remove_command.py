"""The command `archivar remove`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from archive.articles import Article

_SHOWN = 20
_WAIT = 60.0  # seconds for another writer's batch to end


def remove(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID_OR_URL]...", help="Ids or addresses of articles.")
    ] = None,
    holding: Annotated[
        str, typer.Option("--holding", help="Instead: every article that holds these words literally, such as a name.")
    ] = "",
    source: Annotated[
        str, typer.Option("--source", help="Instead: every article of this source, as `archivar stats` lists it.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")
    ] = None,
) -> None:
    """Remove articles for good: from ledger, both indexes and later backups; no later ingest brings them back."""
    # Imported here: models and indexes take seconds, and `archivar --help` should not.
    from archive.errors import SourceError
    from archive.models import ModelStore
    from archive.opening import open_archive
    from archive.settings import load_settings
    from ingest import removal
    from ingest.rejects import strike

    if sum(map(bool, (names, holding, source))) != 1:
        raise typer.BadParameter("name articles by id or address, or by --holding WORDS, or by --source NAME")
    settings = load_settings(home=home)
    archive = open_archive(settings, ModelStore(settings.models, offline=settings.offline), deferred=True)
    try:
        missing: list[str] = []
        if holding:
            articles = removal.holding(archive, holding)
        elif source:
            articles = removal.of_source(archive, source)
        else:
            articles, missing = removal.named(archive, names or [])
        for name in missing:
            typer.echo(f"{name}: not in the archive; give an id, or an address as it is shown", err=True)
        if not articles:
            raise SourceError("nothing to remove: no article of that name is in the archive")
        _show(articles)
        if not yes:
            typer.confirm(f"Remove {_counted(articles)} for good?", abort=True)
        removal.remove(archive, articles, wait=_WAIT)
        strike(articles, settings.home)
        typer.echo(f"{_counted(articles)} removed. Backups made before still hold them.")
    finally:
        archive.close()


def _show(articles: Sequence["Article"]) -> None:
    for article in articles[:_SHOWN]:
        day = f"{article.published:%Y-%m-%d}" if article.published else "undated"
        typer.echo(f"  {article.id}  {day}  {article.title}")
    if len(articles) > _SHOWN:
        typer.echo(f"  ... and {len(articles) - _SHOWN:,} more")


def _counted(articles: Sequence["Article"]) -> str:
    return f"{len(articles):,} article{'' if len(articles) == 1 else 's'}"
