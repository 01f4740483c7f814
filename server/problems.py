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
from server.responses import ClientGone

log = logging.getLogger(__name__)

_CLIENT_CLOSED = 499  # nobody reads it; logs and metrics shall not count it as our failure (nginx's number)

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
    for kind, status, type_ in STATUS:
        if isinstance(error, kind):
            param = error.param if isinstance(error, BadRequest | NotFound) else None
            code = error.code if isinstance(error, NotFound | Unauthorized | Forbidden | QuotaUsed) else None
            return status, {"message": str(error), "type": type_, "param": param, "code": code}
    log.error("unexpected error", exc_info=error)
    message = "an unexpected error; the server's log tells more"
    return 500, {"message": message, "type": "server_error", "param": None, "code": None}


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
    return Response(status_code=_CLIENT_CLOSED)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    message = f"{where or 'body'}: {first['msg']}"
    told = {"message": message, "type": "invalid_request_error", "param": where or None, "code": None}
    return JSONResponse({"error": told}, 400)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    told = {"message": str(error.detail), "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": told}, error.status_code, headers=error.headers)


def install(app: FastAPI) -> None:
    """Give every error of `app` OpenAI's shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientGone, _gone)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ArchivarError, _ours)
    app.add_exception_handler(Exception, _ours)
