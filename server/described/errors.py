"""Errors: one shape, OpenAI's, and what each status means."""

from typing import Any

from server.described.shape import Shape


class ErrorDetail(Shape):
    """OpenAI's error object; `param` names the field, `request_id` is the one that the log tells."""

    message: str
    type: str
    param: str | None
    code: str | None
    request_id: str | None


class Error(Shape):
    """Any refusal or failure."""

    error: ErrorDetail


_MEANING = {
    400: "The request can't be meant; `param` names the field",
    401: "The key is missing, unknown or has expired",
    403: "The key doesn't allow this",
    404: "What the request names doesn't exist",
    408: "The body was not whole in time",
    410: "The article was withdrawn by its publisher",
    413: "The body is too large",
    415: "The body is no JSON by its Content-Type",
    429: "Too many wait, or the key's quota is used up; Retry-After tells the seconds",
    500: "An unexpected error; the log tells more",
    502: "The engine failed",
    503: "The engine or the archive can't be used now, or the server is being stopped",
    504: "The engine fell silent",
}
GUARDED = {401, 403, 429, 503}
WITH_BODY = {400, 408, 413, 415}
WITH_MODEL = {404}
WITH_ARTICLE = {404, 410}
WITH_ENGINE = {502, 504}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}},
}


def refusals(*statuses: int) -> dict[str, Any]:
    """The responses of an operation that refuses with these."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        str(status): {
            "description": _MEANING[status],
            "content": {"application/json": {"schema": schema}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }
