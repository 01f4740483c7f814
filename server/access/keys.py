"""Keys: whom they were given to, what they allow, and how a true one is told from a guess."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

SET_BY_OPERATOR = "ARCHIVAR_API_KEY"  # the name of the key in that setting; no stored key can have it
_PREFIX = "archivar"


class Right(StrEnum):
    """What a key may be allowed: `ask` the models, `search` the archive, see how the server does (`admin`)."""

    ASK = "ask"
    SEARCH = "search"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored: all but its secret. `None` for a quota is none; moments are UTC."""

    id: str
    name: str
    digest: bytes
    rights: frozenset[Right]
    added: datetime
    per_minute: int | None = None
    per_day: int | None = None
    trusts_users: bool = False
    expires: datetime | None = None
    revoked: datetime | None = None

    @property
    def state(self) -> Literal["valid", "expired", "revoked"]:
        """Whether it opens anything now."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= datetime.now(UTC) else "valid"

    @property
    def has_quota(self) -> bool:
        """Whether its requests are counted."""
        return self.per_minute is not None or self.per_day is not None


def digest_of(secret: str) -> bytes:
    """What is stored and compared in place of a secret.

    A plain SHA-256 does: slow hashes protect what people can think of, and nobody guesses one of 2^160.
    """
    return hashlib.sha256(secret.encode()).digest()


def new_key() -> tuple[str, str, str]:
    """A fresh id and secret, and the key made of both, which is what its owner sends."""
    key_id, secret = (base64.b32encode(secrets.token_bytes(count)).decode().lower() for count in (5, 20))
    return key_id, secret, f"{_PREFIX}-{key_id}-{secret}"


def operators_key(text: str) -> Key:
    """The key that a setting gives: all rights, no limits, and what it says of users is believed."""
    return Key("", SET_BY_OPERATOR, digest_of(text), frozenset(Right), datetime.now(UTC), trusts_users=True)


class KeyRing:
    """All keys there are; `find` tells which one a text is."""

    def __init__(self, stored: Iterable[Key] = (), operators: Key | None = None) -> None:
        self._stored = {key.id: key for key in stored}
        self._operators = operators

    def __bool__(self) -> bool:
        """Whether there is any key, valid or not: one that has expired must not open the door to everybody."""
        return bool(self._stored) or self._operators is not None

    def find(self, given: str) -> Key | None:
        """The key that `given` is, valid or not; compared in constant time."""
        if self._operators and hmac.compare_digest(digest_of(given), self._operators.digest):
            return self._operators
        prefix, _, rest = given.partition("-")
        key_id, _, secret = rest.partition("-")
        key = self._stored.get(key_id)
        if prefix == _PREFIX and key and hmac.compare_digest(digest_of(secret), key.digest):
            return key
        return None
