"""Models that are loaded while a server is still being imported."""

import gc

import pytest
from embedders import LetterEmbedder, WordEmbedder
from scripted import ScriptedGenerator

from archive import collector, embedding
from archive.archive import Archive
from archive.errors import ModelMismatch
from archive.models import ModelStore
from archive.serving import with_own_embedder
from archive.settings import Settings
from server.engine import load_engine
from server.loading import LoadingModels, begin_loading


@pytest.fixture
def settings(tmp_path):
    """An archive that has an embedder."""
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models", reranker="none")
    archive = Archive.open(settings, WordEmbedder())
    with archive.writing():
        pass
    archive.close()
    return settings


@pytest.fixture
def loaded(monkeypatch):
    """The names of the embedders that were loaded."""
    names = []

    def load(settings, store):
        names.append(settings.embedder)
        return {one.name: one for one in (WordEmbedder(), LetterEmbedder())}[settings.embedder]

    monkeypatch.setattr(embedding, "load_embedder", load)
    return names


@pytest.mark.parametrize("is_begun", [True, False])
def test_the_engine_takes_the_models_that_are_on_their_way(settings, loaded, is_begun):
    models = LoadingModels(with_own_embedder(settings)) if is_begun else None
    engine = load_engine(settings, ScriptedGenerator(), models=models)
    assert engine.archive.embedder.name == WordEmbedder.name and engine.reranker is None
    assert loaded == [WordEmbedder.name]
    engine.close()


def test_an_embedder_that_has_come_to_serve_meanwhile_is_loaded_instead(settings, loaded):
    models = LoadingModels(with_own_embedder(settings))
    archive = Archive.open(settings, WordEmbedder())
    archive.ledger.set_fact("embedder", LetterEmbedder.name)
    archive.close()
    engine = load_engine(settings, ScriptedGenerator(), models=models)
    assert engine.archive.embedder.name == LetterEmbedder.name
    assert loaded == [WordEmbedder.name, LetterEmbedder.name]
    engine.close()


def test_what_would_have_to_be_fetched_or_is_wrong_is_left_to_the_engine(settings, tmp_path, loaded):
    assert begin_loading(settings) is None  # its embedder is in no catalogue
    assert begin_loading(Settings(home=tmp_path / "new", models=tmp_path / "models")) is None
    other = Settings(home=settings.home, embedder="another")
    assert begin_loading(other) is None
    with pytest.raises(ModelMismatch):
        load_engine(other, ScriptedGenerator())
    assert loaded == [] and not (tmp_path / "models").exists() and not (tmp_path / "new").exists()


@pytest.mark.models
def test_models_that_are_there_are_begun(tmp_path):
    models = begin_loading(Settings(home=tmp_path / "new", offline=True))
    assert models is not None
    name, embedder = models.embedder
    assert embedder.result().name == name == Settings.model_fields["embedder"].default
    assert ModelStore(Settings().models).state(name) == "ready"


def test_the_garbage_collector_works_again_once_all_is_loaded(settings, loaded):
    collector.rest()
    assert not gc.isenabled()
    load_engine(settings, ScriptedGenerator()).close()
    assert gc.isenabled()
