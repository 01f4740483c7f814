"""Opening an archive with the embedder that it has: a setting names one only for a new archive."""

from concurrent.futures import Future

from archive import embedding
from archive.archive import Archive
from archive.deferred import DeferredEmbedder
from archive.embedding import Embedder
from archive.errors import ModelError, ModelMismatch
from archive.models import ModelStore
from archive.serving import serving_embedder, with_own_embedder
from archive.settings import Settings


def open_archive(
    settings: Settings,
    store: ModelStore,
    *,
    deferred: bool = False,
    begun: tuple[str, Future[Embedder]] | None = None,
) -> Archive:
    """Open or create the archive in `settings.home`; it follows where another embedder comes to serve.

    With `deferred`, the embedder of an archive that has one is loaded when something is embedded first. `begun` is one
    that is being loaded already, and its name.

    Raises ModelMismatch where the settings name another embedder than the one that serves, ModelError where that can't
    be loaded, ArchiveError where a part can't be opened.
    """

    def load(name: str) -> Embedder:
        return embedding.load_embedder(settings.model_copy(update={"embedder": name}), store)

    def loaded(name: str) -> Embedder:
        try:
            return begun[1].result() if begun and begun[0] == name else load(name)
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
