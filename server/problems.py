"""Errors on the wire: one table from error class to HTTP status, one shape (OpenAI's)."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
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
    Unauthorized,
    Withdrawn,
)
from server import current
from server.responses import ClientGone

log = logging.getLogger(__name__)

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


def describe(error: Exception) -> tuple[int, dict[str, Any]]:
    """HTTP status and error object; what isn't ours is logged whole and told in general words."""
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


def response_to(error: Exception) -> JSONResponse:
    """An error as it goes out."""
    status, told = describe(error)
    headers = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, section 11.6.1
    return JSONResponse({"error": told}, status, headers=headers)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    return response_to(error)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    told = _told(f"{where or 'body'}: {first['msg']}", "invalid_request_error", where or None)
    return JSONResponse({"error": told}, 400)


def response_to_http(error: HTTPException) -> JSONResponse:
    """An error of HTTP itself as it goes out."""
    told = _told(str(error.detail), "invalid_request_error")
    return JSONResponse({"error": told}, error.status_code, headers=error.headers)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return response_to_http(error)


def install(app: FastAPI) -> None:
    """Give every error of `app` OpenAI's shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientGone, _gone)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ArchivarError, _ours)
    app.add_exception_handler(Exception, _ours)
