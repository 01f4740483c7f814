"""Access: whether a request may be served, by keys as they were a second ago at most; and links that need no key."""

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from archive.articles import day_now
from archive.errors import ArchiveError, Forbidden, SettingsError, Unauthorized
from archive.settings import Settings
from server.access.callers import Caller, user_of
from server.access.keys import KeyRing, Right, operators_key
from server.access.origins import check_neighbour, is_loopback
from server.access.quotas import Standing, take
from server.access.store import KeyStore
from server.sources import article_page

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_FRESH = 1.0  # seconds until keys are read again: how long a revoked one lives on
_STALE = 60.0  # seconds that keys are still believed for while their file can't be read
_SIGNATURE_BYTES = 16
SIGNATURE = "s"  # the parameter of a link


@dataclass(frozen=True, slots=True)
class _Known:
    """All of one moment, replaced as a whole: threads that make links read it, too."""

    ring: KeyRing
    signing: bytes | None  # None: no key is needed, and no link signed
    read: float


class Access:
    """Decides about requests of one server; made before it serves, used on its event loop. Raises ArchiveError."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        text = settings.api_key.get_secret_value()
        self._operators = operators_key(text) if text else None
        self._is_local = is_loopback(settings.host)
        self._store = KeyStore(settings.home)
        # A thread of its own: those that all share may be busy with searches.
        self._thread = ThreadPoolExecutor(1, "keys")
        self._reading = asyncio.Lock()
        self._known = self._read()
        if self._known.ring:
            self._store.forget_days_before(day_now().isoformat())

    @property
    def is_open(self) -> bool:
        """Whether no key is needed: there is none, and only this machine can ask."""
        return self._known.signing is None

    async def refresh(self) -> None:
        """Read the keys again where that is due. Raises ArchiveError where they can't be read for long."""
        if time.monotonic() - self._known.read < _FRESH:
            return
        async with self._reading:
            if (age := time.monotonic() - self._known.read) < _FRESH:
                return
            try:
                self._known = await self._in_thread(self._read)
            except ArchiveError as error:
                if age > _STALE:
                    raise
                log.warning("%s", error)

    def caller(self, headers: Mapping[str, str], host: str) -> Caller:
        """Who asks. Raises Unauthorized for a key that is wrong, and Forbidden for web pages where none is needed.

        Without a key, where one is needed, and with one that has ended, it's somebody without rights.
        """
        if self.is_open:
            check_neighbour(headers, self._settings)
            return Caller(frozenset(Right), user=user_of(headers), host=host)
        given = _bearer(headers)
        if not given:
            return Caller(frozenset(), host=host)
        if (key := self._known.ring.find(given)) is None:
            raise Unauthorized("the API key is wrong; ask for one, or see `archivar keys list`", "invalid_api_key")
        rights = key.rights if key.state == "valid" else frozenset[Right]()
        return Caller(rights, key, user_of(headers) if key.trusts_users else "", host)

    def check(self, caller: Caller, right: Right) -> None:
        """Raise Unauthorized for a caller without a valid key, and Forbidden for a key without that right."""
        if right in caller.rights:
            return
        if caller.key is None:
            raise Unauthorized("this needs an API key; send it as Authorization: Bearer <key>")
        if (state := caller.key.state) != "valid":
            ended = "has expired" if state == "expired" else "was revoked"
            raise Unauthorized(f"the API key {caller.key.name} {ended}; ask for a new one", "invalid_api_key")
        raise Forbidden(f"the API key {caller.key.name} lacks the right to {right}", "missing_scope")

    async def count(self, caller: Caller) -> Standing | None:
        """Count a request against the key's quota, if it has one. Raises QuotaUsed."""
        if caller.key is None or not caller.key.has_quota:
            return None
        return await self._in_thread(take, self._store, caller.key, caller.user)

    def page_of(self, article_id: str) -> str:
        """Address of this server's page for an article; with a signature where keys are needed, which browsers lack."""
        address, signing = article_page(self._settings.base_url, article_id), self._known.signing
        return address if signing is None else f"{address}?{SIGNATURE}={_signature(signing, article_id)}"

    def is_signed(self, article_id: str, signature: bytes) -> bool:
        """Whether we handed a link to that article out."""
        signing = self._known.signing
        return signing is not None and hmac.compare_digest(signature, _signature(signing, article_id).encode())

    def close(self) -> None:
        """Close the file of keys."""
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()

    def _read(self) -> _Known:
        ring = KeyRing(self._store.all(), self._operators)
        # Without a key and on loopback nothing is signed, and no file is made.
        signing = self._store.secret("article pages") if ring or not self._is_local else None
        return _Known(ring, signing, time.monotonic())

    async def _in_thread(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def check_keys(settings: Settings) -> None:
    """Raise SettingsError where a server would be open to others without any key that they could have."""
    if is_loopback(settings.host) or settings.api_key.get_secret_value():
        return
    store = KeyStore(settings.home)
    try:
        if any(key.state == "valid" for key in store.all()):
            return
    finally:
        store.close()
    raise SettingsError(
        f"ARCHIVAR_HOST={settings.host} opens the server to others: make a key with `archivar keys add NAME`, "
        "or set ARCHIVAR_API_KEY, or listen on 127.0.0.1"
    )


def _signature(secret: bytes, article_id: str) -> str:
    digest = hmac.digest(secret, article_id.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode().rstrip("=")


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""
