"""The request that is being served, for whatever is at work on it: its own task, the answer's, and threads."""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.events import Finished
    from server.timings import Timings

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True, eq=False)
class Current:
    """What is known of a request so far; filled in by those who learn it, and told by logs, metrics and traces.

    `key` is the name of the key it came with, `error` the class of the error it ended in, `cancelled` the phase in
    which its client left. Nothing of what is asked or answered is here but in `finished`, which no log shows.
    """

    id: str
    key: str = ""
    model: str = ""
    error: str = ""
    cancelled: str = ""
    timings: list["Timings"] = field(default_factory=list)
    finished: "Finished | None" = None


_CURRENT: ContextVar[Current | None] = ContextVar("request", default=None)


def current() -> Current | None:
    """The request that the caller works for; None outside of any, as when the server starts."""
    return _CURRENT.get()


def current_id() -> str | None:
    """The id of the request that the caller works for."""
    now = _CURRENT.get()
    return now.id if now else None


def begin(given: str) -> Current:
    """A request begins. The id that its client has `given` is kept where it is one, else it gets one of its own."""
    now = Current(given if _SAFE_ID.fullmatch(given) else secrets.token_hex(8))
    _CURRENT.set(now)
    return now


def note(*, key: str = "", model: str = "", error: str = "") -> None:
    """Tell of the current request what has been learnt; outside of any it is nothing."""
    if now := _CURRENT.get():
        now.key, now.model, now.error = key or now.key, model or now.model, error or now.error
