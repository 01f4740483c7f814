"""Opening an archive with the embedder that it has: a setting names one only for a new archive."""

from pathlib import Path

from archive import embedding
from archive.archive import Archive, check_embedder
from archive.catalogue import CATALOGUE
from archive.deferred import DeferredEmbedder
from archive.embedding import Embedder
from archive.errors import ModelError, ModelMismatch
from archive.ledger import Ledger, holds_archive
from archive.models import ModelStore
from archive.settings import Settings


def open_archive(settings: Settings, store: ModelStore, *, deferred: bool = False) -> Archive:
    """Open or create the archive in `settings.home`; it follows where another embedder comes to serve.

    With `deferred`, the embedder of an archive that has one is loaded when something is embedded first.

    Raises ModelMismatch where the settings name another embedder than the one that serves, ModelError where that can't
    be loaded, ArchiveError where a part can't be opened.
    """

    def load(name: str) -> Embedder:
        return embedding.load_embedder(settings.model_copy(update={"embedder": name}), store)

    def loaded(name: str) -> Embedder:
        try:
            return load(name)
        except ModelError as error:
            if name == Settings.model_fields["embedder"].default:
                raise
            another = f"or let another embedder serve in {settings.home}: `archivar reindex --embedder NAME`"
            raise ModelError(f"{error}; {another}") from error

    while True:
        name = with_own_embedder(settings).embedder
        # A new archive claims its embedder with the first ingest, and must not claim one that can't be had.
        later = deferred and serving_embedder(settings.home) is not None
        embedder = DeferredEmbedder(name, loaded) if later else loaded(name)
        try:
            return Archive.open(settings, embedder, load)
        except ModelMismatch:
            if serving_embedder(settings.home) == name:
                raise
            # Another one has come to serve while this one was loaded.


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


def place_of(name: str) -> str:
    """A model's name, the same from whichever directory: a folder's is its absolute path."""
    folder = Path(name).expanduser()
    return name if name in CATALOGUE or not folder.is_dir() else str(folder.resolve())
