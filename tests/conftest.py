"""What all tests share: no outside network, the real models once, the sample archive once, a scripted generator."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import SAMPLE, ScriptedGenerator

from archive.archive import Archive
from archive.embedding import Embedder, load_embedder
from archive.models import ModelStore
from archive.settings import Settings
from ingest.pipeline import ingest

_connect = socket.socket.connect


@pytest.fixture(autouse=True, scope="session")
def _no_outside_network() -> Iterator[None]:
    """A connection to anything but this machine fails the test that tries it."""

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for {address}")
        return _connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, request, tmp_path):
    """Tests see no settings of the person who runs them, but for where the models are."""
    import os

    for name in list(os.environ):
        if name.startswith("ARCHIVAR_") and name not in (
            "ARCHIVAR_MODELS",
            "ARCHIVAR_TESTS_STRICT",
            "ARCHIVAR_SCREENSHOT",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ARCHIVAR_HOME", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """On a busy machine, too, a test's next question sees what the test has ingested."""
    monkeypatch.setattr("server.retrieval.PATIENCE", 30.0)


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    """The default models as `make test` pulled them; nothing is fetched here."""
    return ModelStore(Settings().models, offline=True)


@pytest.fixture(scope="session")
def real_embedder(model_store) -> Embedder:
    return load_embedder(Settings(offline=True), model_store)


@pytest.fixture(scope="session")
def archive_home(tmp_path_factory, real_embedder) -> Path:
    """The sample archive, embedded by the real model."""
    home = tmp_path_factory.mktemp("sample-archive")
    archive = Archive.open(Settings(home=home), real_embedder)
    report = ingest([str(SAMPLE / "articles.jsonl")], archive)
    assert report.stored >= 120 and not report.rejected
    archive.close()
    return home


@pytest.fixture
def scripted() -> ScriptedGenerator:
    return ScriptedGenerator()
