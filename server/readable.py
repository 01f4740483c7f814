"""What a person who asks in a chat is told of an error: what happened, and what to do.

The error's own words follow in parentheses; they are for whoever runs the server.
"""

from archive.errors import (
    ArchiveError,
    BadRequest,
    Busy,
    EngineTimeout,
    EngineUnavailable,
    Forbidden,
    GenerationError,
    NotFound,
    QuotaUsed,
    ShuttingDown,
    TooLong,
    Unauthorized,
)
from server.understanding import Language
from server.wording import say

_MINUTE = 60  # seconds

# The first class that fits decides, so the special ones come first.
_TOLD: tuple[tuple[type[Exception], str], ...] = (
    (QuotaUsed, "quota_day"),
    (Busy, "busy"),
    (ShuttingDown, "stopping"),
    (EngineTimeout, "engine_silent"),
    (EngineUnavailable, "engine_away"),
    (GenerationError, "engine_failed"),
    (ArchiveError, "archive_failed"),
    (Unauthorized, "key_wrong"),
    (Forbidden, "key_lacks"),
    (NotFound, "no_model"),
    (TooLong, "too_long"),
    (BadRequest, "not_understood"),
)


def told_to(reader: Language, error: Exception, message: str) -> str:
    """`message` with a sentence before it for a person who reads the language `reader`."""
    name = next((name for kind, name in _TOLD if isinstance(error, kind)), "unexpected")
    if isinstance(error, QuotaUsed) and error.retry_after <= _MINUTE:
        name = "quota_minute"
    return f"{say(name, reader)} ({message})"
