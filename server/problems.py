"""Errors on the wire: one table from error class to HTTP status, one shape (OpenAI's)."""

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from archive.errors import (
    ArchivarError,
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
    Withdrawn,
)
from archive.ledger_faults import explained
from server import current
from server.clients import wants_events
from server.readable import told_to
from server.responses import ClientGone
from server.understanding import Language
from server.wire.lines import as_json

log = logging.getLogger(__name__)

_CHATS = frozenset({"/v1/chat/completions", "/v1/responses"})  # elsewhere a program or a model reads the errors
CLIENT_CLOSED = 499  # nobody reads it; logs and metrics shall not count it as our failure (nginx's number)

# The first class that fits decides, so the special ones come first.
STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (BadRequest, 400, "invalid_request_error"),
    (Unauthorized, 401, "invalid_request_error"),
    (Forbidden, 403, "invalid_request_error"),
    (Withdrawn, 410, "invalid_request_error"),
    (NotFound, 404, "invalid_request_error"),
    (Busy, 429, "rate_limit_error"),
    (ShuttingDown, 503, "server_error"),
    (EngineTimeout, 504, "server_error"),
    (EngineUnavailable, 503, "server_error"),
    (GenerationError, 502, "server_error"),
    (ArchiveError, 503, "server_error"),
    (ArchivarError, 500, "server_error"),
)


def describe(error: Exception, reader: Language | None = None) -> tuple[int, dict[str, Any]]:
    """HTTP status and error object; what isn't ours is logged whole and told in general words.

    `reader` is the language of a person who will see the message in a chat.
    """
    if isinstance(error, sqlite3.Error):  # a look into the ledger; who writes to it has explained it already
        error = ArchiveError(explained(Path("ARCHIVAR_HOME"), error))
    status, told = _described(error)
    if reader:
        told["message"] = told_to(reader, error, told["message"])
    return status, told


def _described(error: Exception) -> tuple[int, dict[str, Any]]:
    current.note(error=type(error).__name__)
    for kind, status, type_ in STATUS:
        if isinstance(error, kind):
            param = error.param if isinstance(error, BadRequest | NotFound) else None
            code = error.code if isinstance(error, NotFound | Unauthorized | Forbidden | QuotaUsed) else None
            return status, _told(str(error), type_, param, code)
    log.error("unexpected error", exc_info=error)
    return 500, _told("an unexpected error; the server's log tells more", "server_error")


def _told(message: str, type_: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """OpenAI's error object, and beside it the id by which the log tells more."""
    return {"message": message, "type": type_, "param": param, "code": code, "request_id": current.current_id()}


def _response(told: dict[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(as_json({"error": told}), status, headers, "application/json")


def response_to(error: Exception, reader: Language | None = None) -> Response:
    """An error as it goes out; see describe()."""
    status, told = describe(error, reader)
    headers = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 11.6.1
    return _response(told, status, headers)


async def _ours(request: Request, error: Exception) -> Response:
    return response_to(error, reader_of(request))


def reader_of(request: Request) -> Language | None:
    """The language of the person who reads errors where they are shown in a chat, else None."""
    if request.url.path not in _CHATS or not wants_events(request):
        return None
    language: Language = request.app.state.engine.settings.language
    return language


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED)


_LOOKED_AT = 100  # of the errors of one body
_TOO_LONG = frozenset({"string_too_long", "too_long"})
_CODES = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}


async def _invalid(request: Request, error: Exception) -> Response:
    """A body that isn't what its endpoint takes: the field that lies deepest is the one that was meant."""
    assert isinstance(error, RequestValidationError)
    found = [
        (_path(problem["loc"][1:], error.body, problem["type"]), problem) for problem in error.errors()[:_LOOKED_AT]
    ]
    where, problem = max(found, key=lambda each: (len(each[0]), _telling(each[1]["type"])))
    if problem["type"] == "json_invalid":
        told = _told(f"the body is no JSON: {problem['ctx']['error']}", "invalid_request_error")
    else:
        param = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
        type_ = problem["type"]
        code = _CODES.get(type_) or ("invalid_type" if type_.endswith("_type") else "invalid_value")
        message = f"{param or 'the body'}: {problem['msg']}"
        told = _told(message, "invalid_request_error", param or None, code)
    if reader := reader_of(request):
        kind = TooLong if problem["type"] in _TOO_LONG else BadRequest
        told["message"] = told_to(reader, kind(told["message"]), told["message"])
    return _response(told, 400)


def _telling(type_: str) -> int:
    """Of errors at one place: a value tells more than that one is missing, and that than what other kind it may be."""
    return 0 if type_.endswith("_type") else 1 if type_ == "missing" else 2


def _path(places: Sequence[int | str], body: object, type_: str) -> list[int | str]:
    """A place in the body; what Pydantic puts in between, such as the kind of a union that was tried, is left out."""
    found: list[int | str] = []
    for number, place in enumerate(places):
        is_last = number == len(places) - 1
        if isinstance(body, list) and isinstance(place, int) and place < len(body):
            body = body[place]
        elif isinstance(body, dict) and (place in body or (is_last and type_ == "missing")):
            body = body.get(place)
        else:
            continue
        found.append(place)
    return found


def response_to_http(error: HTTPException, reader: Language | None = None) -> Response:
    """An error of HTTP itself as it goes out; see describe()."""
    message = str(error.detail)
    if reader and error.status_code == 413:
        message = told_to(reader, TooLong(message), message)
    return _response(_told(message, "invalid_request_error"), error.status_code, error.headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        return response_to_http(HTTPException(404, f"there is no {asked[:200]}; GET /openapi.json lists what there is"))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return response_to_http(HTTPException(405, f"{asked[:200]} is not allowed: {allowed} is", error.headers))
    return response_to_http(error, reader_of(request))


def install(app: FastAPI) -> None:
    """Give every error of `app` OpenAI's shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientGone, _gone)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ArchivarError, _ours)
    app.add_exception_handler(sqlite3.Error, _ours)
    app.add_exception_handler(Exception, _ours)
