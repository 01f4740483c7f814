"""Callers: who is behind a request, by key and by user."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from server.access.keys import Key, Right

# As Open WebUI names users where it is told to, and as server/openwebui.env lets it name them.
_USER_HEADERS = ("x-openwebui-user-id", "x-owui-user-id")
_USUAL = re.compile(r"[\w.@+:-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: with a key (None where none was needed), for a user (empty where unknown), from an address."""

    rights: frozenset[Right]
    key: Key | None = None
    user: str = ""
    host: str = ""

    @property
    def counted_as(self) -> str:
        """The one that waits, and is served fairly among others."""
        if self.key is None:
            return self.user or self.host
        return f"{self.key.name}/{self.user}" if self.user else self.key.name


def user_of(headers: Mapping[str, str]) -> str:
    """The user that a client names; an id that no log should hold is told by its digest. Empty where it names none."""
    named = next((headers[name] for name in _USER_HEADERS if headers.get(name)), "")
    if not named or _USUAL.fullmatch(named):
        return named
    return f"user-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
