"""Responses of OpenAI's Responses API."""

from typing import Any, Literal

from server.described.answers import Extras, UrlCitation, event
from server.described.shape import Shape


class OutputCitation(UrlCitation):
    """A citation in the shape of the Responses API."""

    type: Literal["url_citation"]


class OutputText(Shape):
    """The text of a message."""

    type: Literal["output_text"]
    text: str
    annotations: list[OutputCitation]
    logprobs: list[Any]


class OutputMessage(Shape):
    """A message of a response."""

    id: str
    type: Literal["message"]
    status: Literal["completed", "incomplete"]
    role: Literal["assistant"]
    content: list[OutputText]


class OutputCall(Shape):
    """A call of a function that a response asks for."""

    id: str
    type: Literal["function_call"]
    status: Literal["completed"]
    call_id: str
    name: str
    arguments: str


class ResponseUsageShape(Shape):
    """Tokens that the engine read and wrote."""

    input_tokens: int
    input_tokens_details: dict[str, int]
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int


class Incomplete(Shape):
    """Why a response ended early."""

    reason: Literal["max_output_tokens"]


class Response(Extras):
    """OpenAI's response; what was asked is told again."""

    id: str
    object: Literal["response"]
    created_at: int
    model: str
    status: Literal["completed", "incomplete"]
    background: Literal[False]
    store: Literal[False]
    service_tier: Literal["default"]
    previous_response_id: None
    reasoning: dict[str, None]
    text: dict[str, Any]
    tools: list[Any]
    tool_choice: Any
    instructions: str | None
    metadata: dict[str, str]
    temperature: float
    top_p: float
    max_output_tokens: int | None
    truncation: str
    parallel_tool_calls: bool
    output: list[OutputMessage | OutputCall]
    error: None
    incomplete_details: Incomplete | None
    usage: ResponseUsageShape


EVENTS = event({"type": "object", "required": ["type", "sequence_number"]}, named=True)
