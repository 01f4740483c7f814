"""Open WebUI before a server with keys, whose engine fails as it is told to: attached in several ways at once.

Each connection of Open WebUI is a way of its own, told by what its models' names begin with.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine_process import EngineProcess
from given_keys import Keys
from openwebui import open_webui
from pydantic import SecretStr
from serving import serving

from archive.settings import Settings
from server.openwebui import shared_settings

KEY = "geheim"
SILENCE = 5.0  # seconds until the engine is given up
WAYS = ("", "responses", "knapp", "alt", "falsch")  # of the usual connection no name begins with anything


@dataclass(frozen=True)
class Newsroom:
    """Where Open WebUI and the server listen, and the engine behind them."""

    webui: str
    api: str
    engine: EngineProcess

    def model(self, way: str = "") -> str:
        """The archive's model, attached in one of the ways."""
        return f"{way}.heise-archiv" if way else "heise-archiv"


@contextmanager
def opened(archive_home: Path, folder: Path) -> Iterator[Newsroom]:
    """All of it, with the archive's data copied: keys are made in it."""
    home = Path(shutil.copytree(archive_home, folder / "home"))
    keys = Keys(home)
    given = {
        "": KEY, "responses": KEY, "falsch": "falsch",
        "knapp": keys.add("knapp", per_day=1, trusts_users=True),
        "alt": keys.add("alt", expires=datetime.now(UTC) - timedelta(days=1)),
    }  # fmt: skip
    keys.store.close()
    with EngineProcess() as engine:
        settings = Settings(
            home=home, wording="written", reranker="none", generator="openai:scripted",
            generator_url=f"{engine.address}/v1", engine_timeout=SILENCE, engine_slots=1, queue=2,
            api_key=SecretStr(KEY),
        )  # fmt: skip
        with (
            serving(settings, None) as api,
            open_webui(folder / "webui", KEY, api, _connections(api, given)) as webui,
        ):
            yield Newsroom(webui, api, engine)


def _connections(api: str, keys: dict[str, str]) -> dict[str, str]:
    usual = json.loads(shared_settings()["OPENAI_API_CONFIGS"])["0"]
    configs = {
        str(number): usual
        | ({"prefix_id": way, "model_ids": ["heise-archiv"]} if way else {})
        | ({"api_type": "responses"} if way == "responses" else {})
        for number, way in enumerate(WAYS)
    }
    return {
        "OPENAI_API_BASE_URLS": ";".join(f"{api}/v1" for _ in WAYS),
        "OPENAI_API_KEYS": ";".join(keys[way] for way in WAYS),
        "OPENAI_API_CONFIGS": json.dumps(configs),
    }
