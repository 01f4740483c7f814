"""The OpenAPI document: what FastAPI knows of the routes, with every refusal in the shape that it really has."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from server.described import errors
from server.described.completions import ChatCompletionChunk
from server.described.errors import Error, refusals

_ANSWERS = ("/v1/chat/completions", "/v1/responses")
_ABOUT = """\
Chat with a news archive: OpenAI's API, and some of our own beside it. The model `heise-archiv` answers from the
archive; the one listed beside it is the bare language model. Without keys, only this machine may ask.
"""


def install(app: FastAPI) -> None:
    """Give `app` its document, made when it is asked for."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    shapes = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own shape, which is never sent
        shapes.pop(unused, None)
    for model in (Error, ChatCompletionChunk):  # which no route names
        shape = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        shapes |= {**shape.pop("$defs"), model.__name__: shape}
    made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operation in _operations(made):
        responses = operation["responses"]
        for vague in ("422", "4XX"):
            responses.pop(vague, None)
        responses |= {status: told for status, told in _refusals(path, operation).items() if status not in responses}
        if not path.startswith("/health"):
            operation["security"] = [{"key": []}, {}]  # on loopback without keys none is needed
    return made


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _refusals(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    statuses = {500}
    if not path.startswith("/health"):
        statuses |= errors.GUARDED
    if "requestBody" in operation:
        statuses |= errors.WITH_BODY
    if "{name}" in path or (path.startswith(("/v1/", "/v2/")) and path != "/v1/search" and "requestBody" in operation):
        statuses |= errors.WITH_MODEL
    if "article" in path and "search" not in path:
        statuses |= errors.WITH_ARTICLE
    if path in _ANSWERS:
        statuses |= errors.WITH_ENGINE
    return refusals(*sorted(statuses))
