"""Grammars that hold llama.cpp to a form: a response format, or the call of a tool that must be called."""

import json
from collections.abc import Mapping
from typing import Any

from llama_cpp import LlamaGrammar

from archive.errors import BadRequest
from server.generation import Sampling


def grammar_of(sampling: Sampling) -> LlamaGrammar | None:
    """The grammar of an answer; none where it is free. Raises BadRequest for a schema that can't be followed."""
    if sampling.must_call:
        calls = [_call_schema(name, tool) for name, tool in sampling.callable_tools.items()]
        return _grammar(calls[0] if len(calls) == 1 else {"anyOf": calls}, "tools")
    wanted = sampling.response_format or {}
    if wanted.get("type") == "json_object":
        return _grammar({"type": "object"}, "response_format")
    if wanted.get("type") == "json_schema":
        return _grammar((wanted.get("json_schema") or {}).get("schema") or {}, "response_format")
    return None


def _call_schema(name: str, tool: Mapping[str, Any]) -> dict[str, Any]:
    arguments = tool.get("parameters") or {"type": "object"}
    return {
        "type": "object", "properties": {"name": {"const": name}, "arguments": arguments},
        "required": ["name", "arguments"],
    }  # fmt: skip


def _grammar(schema: object, param: str) -> LlamaGrammar:
    try:
        return LlamaGrammar.from_json_schema(json.dumps(schema), verbose=False)
    except Exception as error:  # llama-cpp-python raises whatever its converter stumbles over
        raise BadRequest(f"{param}: its JSON schema can't be followed ({error}); simplify it", param) from error
