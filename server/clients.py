"""What differs by client: what it is sent beside OpenAI's own keys, and what it is told of who answers."""

import hashlib

from fastapi import Request

from server.engine import Engine

EVENTS_HEADER = "X-Archivar-Events"
_WEBUI = ("x-owui-", "x-openwebui-")


def wants_events(request: Request) -> bool:
    """Whether Open WebUI asks, which shows our `event` keys: status lines, and sources as its chat keeps them.

    It is known by its own headers, or by the library that it asks with; the header `X-Archivar-Events` (`true` or
    `false`) decides against both.
    """
    said = request.headers.get(EVENTS_HEADER, "").lower()
    if said in ("true", "false"):
        return said == "true"
    if "aiohttp" in request.headers.get("user-agent", ""):  # as an Open WebUI without custom headers sends it
        return True
    return any(name.startswith(_WEBUI) for name in request.headers)


def fingerprint(engine: Engine) -> str:
    """OpenAI's `system_fingerprint`: another one where other models or another way of wording answer."""
    settings = engine.settings
    parts = (engine.generator.name, engine.archive.embedder.name, settings.reranker_name or "", settings.wording)
    return f"fp_{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:10]}"
