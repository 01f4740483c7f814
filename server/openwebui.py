"""Open WebUI's environment: the shared file beside this module, plus this machine's addresses, keys and folders."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from archive.errors import SettingsError
from archive.settings import Settings
from server.access.keys import KeyRing, Right, operators_key
from server.access.store import KeyStore

SHARED = Path(__file__).with_name("openwebui.env")
NO_KEY = "none"  # Open WebUI wants some key; without any our server ignores it


def shared_settings() -> dict[str, str]:
    """The settings that compose.yaml uses as well."""
    return {name: value for name, value in dotenv_values(SHARED, interpolate=False).items() if value is not None}


def environment(settings: Settings, api_url: str, origins: tuple[str, ...]) -> dict[str, str]:
    """All that Open WebUI reads; `api_url` without `/v1`, `origins` are the addresses that browsers may call it from.

    What a user sets for Open WebUI in the shell wins over the shared file, never over addresses, keys and folders.
    """
    home = (settings.home / "webui").absolute()
    key = key_for(settings)
    return {
        **shared_settings(),
        **os.environ,
        "DATA_DIR": str(home / "data"),
        "STATIC_DIR": str(home / "static"),  # emptied and written again at each start
        "WEBUI_SECRET_KEY": secret_key(home),
        "OPENAI_API_BASE_URLS": f"{api_url}/v1",
        "OPENAI_API_KEYS": key,
        "RAG_OPENAI_API_BASE_URL": f"{api_url}/v1",
        "RAG_OPENAI_API_KEY": key,
        "RAG_EMBEDDING_MODEL": settings.embedder,
        # without a login, any web page could otherwise sign itself in from the visitor's browser
        "CORS_ALLOW_ORIGIN": ";".join([*origins, *_public_origin()]),
    }


def key_for(settings: Settings) -> str:
    """The key that Open WebUI asks with. Raises SettingsError where it has none that the server will take."""
    given = settings.webui_key.get_secret_value()
    operators = settings.api_key.get_secret_value()
    store = KeyStore(settings.home)
    try:
        ring = KeyRing(store.all(), operators_key(operators) if operators else None)
    finally:
        store.close()
    if given:
        key = ring.find(given)
        if key is None or key.state != "valid" or Right.ASK not in key.rights:
            raise SettingsError(
                "ARCHIVAR_WEBUI_KEY is no valid key of this archive that may ask; make one: archivar keys add webui "
                "--trust-users"
            )
    elif ring and not operators:
        raise SettingsError(
            "the server asks for a key (see `archivar keys list`): set ARCHIVAR_WEBUI_KEY to one for Open WebUI, or "
            "ARCHIVAR_API_KEY for both"
        )
    return given or operators or NO_KEY


def _public_origin() -> list[str]:
    """Where browsers find Open WebUI behind a proxy, by Open WebUI's own setting; else its sockets refuse them."""
    parts = urlsplit(os.environ.get("WEBUI_URL", ""))
    return [f"{parts.scheme}://{parts.netloc}"] if parts.scheme and parts.netloc else []


def secret_key(home: Path) -> str:
    """The key that signs sessions, made once, readable by its owner only. Raises SettingsError if it can't be kept."""
    path = home / "secret"
    try:
        home.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key := secrets.token_hex(32))
        return key
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; check the folder, or set ARCHIVAR_HOME") from error
