import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from given_keys import Keys
from scripted import ScriptedGenerator
from serving import serving

from archive.settings import Settings
from server.access.keys import Right


@pytest.fixture(scope="module")
def home(archive_home, tmp_path_factory) -> Path:
    """The sample archive, with room for keys of this module's own."""
    place = tmp_path_factory.mktemp("guarded") / "home"
    shutil.copytree(archive_home, place)
    return place


@pytest.fixture(scope="module")
def keys(home) -> Iterator[Keys]:
    keys = Keys(home)
    keys.add("ute")
    keys.add("only-ask", Right.ASK)
    keys.add("only-search", Right.SEARCH)
    keys.add("only-admin", Right.ADMIN)
    keys.add("webui", trusts_users=True)
    keys.add("old", expires=datetime.now(UTC) - timedelta(seconds=1))
    yield keys
    keys.store.close()


@pytest.fixture(scope="module")
def spoken() -> ScriptedGenerator:
    return ScriptedGenerator()


@pytest.fixture(scope="module")
def guarded(home, keys, spoken) -> Iterator[str]:
    """A server that asks for keys; yields its address."""
    settings = Settings(home=home, reranker="none", wording="written", unsupported="mark", body_megabytes=0.1)
    with serving(settings, spoken) as address:
        yield address
