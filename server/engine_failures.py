"""What an engine's failure means: away for now, a setting that is wrong, or simply failed; each with its mend."""

import json
import re

from archive.errors import EngineUnavailable, GenerationError
from server.engine_stream import failure_in

_AWAY = frozenset({408, 425, 429, 502, 503, 504, 529})  # loading, overloaded, or a proxy before an engine that is away
_NO_MODEL = re.compile(r"model.{0,80}(not (found|exist|loaded|available)|does ?n.t exist|unknown)|unknown model", re.I)
_TOO_LONG = re.compile(r"context.{0,20}(size|length|window|exceed)|exceed.{0,40}context|too many tokens", re.I)
_MOST = 300  # characters that are quoted


def unreachable(provider: str, where: str) -> EngineUnavailable:
    """No connection came about."""
    return EngineUnavailable(f"{provider} at {where} can't be reached; start it or set ARCHIVAR_GENERATOR_URL")


def broke_off(provider: str, where: str, begun: bool, how: str) -> GenerationError:
    """The answer has no end. Before its first word another engine may be asked; what is said can't be taken back."""
    told = f" ({_short(how)})" if how else ""
    if not begun:
        # llama-cpp-python's server ends so, too, where a prompt is longer than its context.
        return EngineUnavailable(
            f"{provider} at {where} broke off before its first word{told}; look at the engine, and whether its context "
            "holds ARCHIVAR_CONTEXT_TOKENS"
        )
    return GenerationError(f"{provider} at {where} broke off in the middle{told}; look at it, and ask again")


def only_thought(model: str) -> GenerationError:
    """All tokens went into thinking."""
    return GenerationError(
        f"{model} thought and wrote no answer; switch its thinking off in the engine, or raise ARCHIVAR_ANSWER_TOKENS"
    )


def refusal(provider: str, where: str, model: str, status: int, body: str) -> GenerationError:
    """An answer that is none, by its status and what it says."""
    said = _said(body)
    if status in _AWAY:
        return EngineUnavailable(f"{provider} at {where} can't answer now: {status} {said}; look at the engine")
    if status in (401, 403):
        return GenerationError(f"{provider} at {where} refuses the key ({said}); set ARCHIVAR_GENERATOR_KEY")
    if _NO_MODEL.search(said):
        return GenerationError(f"{provider} at {where} has no model {model} ({said}); set ARCHIVAR_GENERATOR")
    if status in (404, 405):
        return GenerationError(
            f"{provider} at {where} answers {status} ({said}); write its address with /v1 in ARCHIVAR_GENERATOR_URL"
        )
    if _TOO_LONG.search(said):
        return GenerationError(
            f"{provider} at {where} takes less than ARCHIVAR_CONTEXT_TOKENS ({said}); lower that, or start the engine "
            "with a larger context"
        )
    return GenerationError(f"{provider} at {where} failed for model {model}: {status} {said}")


def _said(body: str) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        # a proxy's page: its title says it
        title = re.search(r"<title>(.*?)</title>", body, re.I | re.S)
        return _short(title[1] if title else re.sub(r"<[^>]*>", " ", body)) or "without a word"
    if isinstance(told, dict):
        return _short(failure_in(told) or str(told.get("message") or told.get("error_msg") or body))
    return _short(str(told))


def _short(text: str) -> str:
    return " ".join(text.split())[:_MOST]
