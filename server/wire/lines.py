"""Server-sent events: JSON on lines of its own."""

import json
from collections.abc import Mapping
from typing import Any

DONE = "data: [DONE]\n\n"

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # dumps() would make one for each call


def data_line(payload: Mapping[str, Any]) -> str:
    """An event without a name."""
    return f"data: {as_json(payload)}\n\n"


def named_line(name: str, payload: Mapping[str, Any]) -> str:
    """An event with its name."""
    return f"event: {name}\ndata: {as_json(payload)}\n\n"


def as_json(payload: Mapping[str, Any] | str) -> str:
    """JSON that can be sent as UTF-8: half a surrogate pair, which engines do break off, is escaped."""
    text = _encode(payload)
    return text if _is_whole(text) else json.dumps(payload, allow_nan=False)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
