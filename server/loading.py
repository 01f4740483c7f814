"""The models of retrieval, loaded beside what else a start takes: nearly all of it happens without Python's lock."""

from concurrent.futures import Future, ThreadPoolExecutor

from archive import embedding
from archive.catalogue import CATALOGUE
from archive.embedding import Embedder
from archive.errors import ArchivarError
from archive.models import ModelStore
from archive.serving import with_own_embedder
from archive.settings import Settings
from server.reranking import Reranker, load_reranker


class LoadingModels:
    """The embedder of an archive and the reranker, on their way from the moment that this is made."""

    def __init__(self, settings: Settings) -> None:
        """`settings` name the embedder that the archive has, see with_own_embedder()."""
        store = ModelStore(settings.models, offline=settings.offline)
        pool = ThreadPoolExecutor(2, "load")
        loading = pool.submit(embedding.load_embedder, settings, store)
        self.embedder: tuple[str, Future[Embedder]] = settings.embedder, loading
        self.reranker: Future[Reranker | None] = pool.submit(load_reranker, settings, store)
        pool.shutdown(wait=False)


def begin_loading(settings: Settings) -> LoadingModels | None:
    """Load the models while a program is still being imported; None where one would have to be fetched first.

    What is wrong with them or with the archive is told where the engine is loaded.
    """
    store = ModelStore(settings.models, offline=True)
    try:
        own = with_own_embedder(settings)
        names = {own.embedder, own.reranker_name} - {""}
        if all(name in CATALOGUE and store.state(name) == "ready" for name in names):
            return LoadingModels(own)
    except ArchivarError:
        pass
    return None
