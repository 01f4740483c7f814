"""Which embedder serves in an archive: its ledger tells, and no index is loaded for it."""

from pathlib import Path

from archive.catalogue import CATALOGUE
from archive.errors import ModelMismatch
from archive.ledger import Ledger, holds_archive
from archive.settings import Settings


def with_own_embedder(settings: Settings) -> Settings:
    """The settings with the embedder that serves in the archive, where there is one; loads nothing.

    Raises ModelMismatch where the settings name another one, ArchiveError where the ledger can't be opened.
    """
    serving = serving_embedder(settings.home)
    if serving is None:
        return settings
    if "embedder" in settings.model_fields_set and place_of(settings.embedder) != place_of(serving):
        check_embedder(settings.home, serving, settings.embedder)
    return settings.model_copy(update={"embedder": serving})


def serving_embedder(home: Path) -> str | None:
    """The name of the embedder that serves in the archive in `home`; None where nothing was ever ingested."""
    if not holds_archive(home):
        return None
    ledger = Ledger.open(home)
    try:
        return ledger.fact("embedder")
    finally:
        ledger.close()


def check_embedder(home: Path, serving: str | None, wanted: str) -> None:
    """Raise ModelMismatch where the archive in `home` has another embedder than the one that is wanted."""
    if serving not in (None, wanted):
        raise ModelMismatch(
            f"{home}: its vectors were made by {serving}, not by {wanted}; unset ARCHIVAR_EMBEDDER, "
            f"or run `archivar reindex --embedder {wanted}`"
        )


def place_of(name: str) -> str:
    """A model's name, the same from whichever directory: a folder's is its absolute path."""
    folder = Path(name).expanduser()
    return name if name in CATALOGUE or not folder.is_dir() else str(folder.resolve())
