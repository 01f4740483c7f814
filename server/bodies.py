"""Request bodies: JSON, read strictly and fast, and nothing but JSON."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic_core import from_json


class _JsonRequest(Request):
    """A request whose body has to be what RFC 8259 calls JSON: no NaN, no half surrogate pairs, 200 levels at most."""

    async def json(self) -> Any:  # noqa: ANN401 - whatever the client sends
        if not hasattr(self, "_json"):
            body = await self.body()
            try:
                self._json = from_json(body, allow_inf_nan=False)
            except ValueError as error:
                raise json.JSONDecodeError(str(error), "", 0) from error
        return self._json


class JsonRoute(APIRoute):
    """A route that takes JSON alone; another type of content is a 415. A browser's form can't send it unasked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See APIRoute."""
        handle, takes_body = super().get_route_handler(), self.body_field is not None

        async def strictly(request: Request) -> Response:
            if takes_body and not _is_json(request.headers.get("content-type", "")) and _has_body(request):
                raise HTTPException(415, "send JSON, with Content-Type: application/json")
            return await handle(_JsonRequest(request.scope, request.receive))

        return strictly


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
