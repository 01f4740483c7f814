"""An OpenAI-compatible engine that plays a model with tools: it searches, reads what was found first, and answers."""

import json
import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

_ID = re.compile(r'\\?"id\\?":\s*\\?"([^"\\]+)')


class ToolModel:
    """The engine's application and what it was asked, background tasks left out."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.app = FastAPI()
        self.app.get("/v1/models")(self._models)
        self.app.post("/v1/chat/completions")(self._complete)

    @property
    def last_prompt(self) -> str:
        """All that it was told at last."""
        return "\n".join(str(message["content"]) for message in self.asked[-1]["messages"])

    def _models(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "gespielt", "object": "model", "created": 1, "owned_by": "tests"}]}

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        if request.headers.get("x-owui-task"):
            message = {"role": "assistant", "content": "{}"}
            return JSONResponse({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        self.asked.append(body)
        return StreamingResponse(_lines(_next(body)), media_type="text/event-stream")


def _next(body: dict[str, Any]) -> dict[str, Any]:
    """The delta that such a model would answer with."""
    tools = [tool["function"]["name"] for tool in body.get("tools", [])]
    results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    if tools and not results:
        question = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
        return _call(tools, "search_archive", {"query": question, "top_k": 2, "from": ""})
    if tools and len(results) == 1:
        found = _ID.search(str(results[0]))
        return _call(tools, "get_article", {"id": found[1] if found else "nichts"})
    return {"content": f"Gelesen: {results[-1]}" if results else "Nach den Quellen [1]."}


def _call(tools: list[str], name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": next(each for each in tools if each.endswith(name)), "arguments": json.dumps(arguments)}
    return {"tool_calls": [{"index": 0, "id": f"call_{name}", "type": "function", "function": function}]}


def _lines(delta: dict[str, Any]) -> Iterator[str]:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gespielt"}
    finish = "tool_calls" if "tool_calls" in delta else "stop"
    for part, reason in (({"role": "assistant", **delta}, None), ({}, finish)):
        yield f"data: {json.dumps({**head, 'choices': [{'index': 0, 'delta': part, 'finish_reason': reason}]})}\n\n"
    yield "data: [DONE]\n\n"
