"""The audit: one line for each request that needed a key, by the logger `archivar.audit`.

It tells who asked for what and how that ended, never a secret, and what was asked only where a setting says so.
"""

import logging

from fastapi import Request
from starlette.types import Scope

from server.access.callers import Caller
from server.logs import escaped

log = logging.getLogger("archivar.audit")

_QUESTION = "question"
_SHOWN = 200  # characters of a path that is no route's


class Audit:
    """What is to be told of one request; logged once, by whoever knows first how it ended."""

    def __init__(self, scope: Scope) -> None:
        self.is_due = False
        self.caller: Caller | None = None
        self._scope = scope

    def log(self, status: int) -> None:
        """Write the line, unless it is written or none is due."""
        state = self._scope.get("state", {})
        if not self.is_due and _QUESTION not in state:
            return
        self.is_due = False
        told = {
            "key": self.caller.key.name if self.caller and self.caller.key else "-",
            "user": (self.caller.user if self.caller else "") or "-",
            "method": self._scope["method"],
            "route": getattr(self._scope.get("route"), "path", None) or escaped(self._scope["path"])[:_SHOWN],
            "status": status,
        }
        if question := state.pop(_QUESTION, ""):
            told["question"] = escaped(question)
        log.info("request", extra=told)


def keep_question(request: Request, question: str) -> None:
    """Let the audit tell what was asked: call it only where ARCHIVAR_LOG_QUESTIONS is set."""
    request.scope.setdefault("state", {})[_QUESTION] = question
