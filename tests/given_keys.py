"""Keys for tests: made as the command makes them, without its words."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from server.access.keys import Key, Right, digest_of, new_key
from server.access.store import KeyStore

ASK_AND_SEARCH = frozenset({Right.ASK, Right.SEARCH})


class Keys:
    """Makes keys in a home, as the command does, and remembers their texts by name."""

    def __init__(self, home: Path) -> None:
        self.store = KeyStore(home)
        self.texts: dict[str, str] = {}

    def add(self, name: str, *rights: Right, **more) -> str:
        key_id, secret, text = new_key()
        allowed = frozenset(rights) or ASK_AND_SEARCH
        self.store.add(Key(key_id, name, digest_of(secret), allowed, datetime.now(UTC), **more))
        self.texts[name] = text
        return text

    def revoke(self, name: str) -> None:
        key = next(key for key in self.store.all() if key.name == name)
        self.store.change(replace(key, revoked=datetime.now(UTC)))

    def headers(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.texts[name]}"}
