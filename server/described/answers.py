"""Answers, and what is ours in them."""

from typing import Any, Literal

from pydantic import Field

from server.described.shape import Shape


def answered(shape: type[Shape], event: dict[str, Any]) -> dict[str, Any]:
    """The response of an operation that answers whole or as a stream, `event` being the schema of one of its events."""
    # OpenAPI 3.2's key; other readers take a stream for any text.
    return {"model": shape, "description": "The answer", "content": {"text/event-stream": {"itemSchema": event}}}


def event(data: dict[str, Any], *, named: bool) -> dict[str, Any]:
    """The schema of an event whose data is JSON by the schema `data`; without names, `[DONE]` comes after the last."""
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    properties = (
        {"data": text, "event": {"type": "string"}} if named else {"data": {"anyOf": [{"const": "[DONE]"}, text]}}
    )
    return {"type": "object", "required": list(properties), "properties": properties}


class SourceShape(Shape):
    """A source of an answer; `cited` counts the sentences that cite it."""

    number: int
    article_id: str
    title: str
    url: str
    published: str | None
    passage: str
    score: float
    twins: list[str]
    newest: bool
    cited: int


class Understood(Shape):
    """What was understood of a question; empty where the archive was not asked."""

    query: str | None = None
    language: Literal["de", "en"] | None = None
    form: str | None = None
    followup: bool | None = None
    parts: list[str] | None = None
    leaning: Literal["newer", "older"] | None = None
    from_: str | None = Field(None, alias="from")
    to: str | None = None
    loosened: bool | None = None
    abstained: bool | None = None


class GroundingShape(Shape):
    """What the sources say of an answer's sentences."""

    supported: int
    corrected: int
    unsupported: list[str]
    withheld: list[str]
    unquoted: list[str]


class Extras(Shape):
    """Our keys beside OpenAI's; `timings` are milliseconds."""

    sources: list[SourceShape]
    timings: dict[str, float]
    archive: Understood
    grounding: GroundingShape | None = None


class UrlCitation(Shape):
    """Where in the text which source is cited."""

    start_index: int
    end_index: int
    url: str
    title: str


class Annotation(Shape):
    """A citation in OpenAI's shape."""

    type: Literal["url_citation"]
    url_citation: UrlCitation


class CalledFunction(Shape):
    """A function as it is to be called."""

    name: str
    arguments: str


class ToolCallShape(Shape):
    """A call that the model asks for."""

    id: str
    type: Literal["function"]
    function: CalledFunction


class CompletionMessage(Shape):
    """The answer; `content` is null where tools are called instead."""

    role: Literal["assistant"]
    content: str | None
    refusal: None
    annotations: list[Annotation]
    tool_calls: list[ToolCallShape] | None = None


class CompletionChoice(Shape):
    """The one choice."""

    index: Literal[0]
    message: CompletionMessage
    logprobs: None
    finish_reason: Literal["stop", "length", "tool_calls"]


class PromptDetails(Shape):
    """Of the prompt's tokens."""

    cached_tokens: int
    audio_tokens: int


class CompletionDetails(Shape):
    """Of the answer's tokens."""

    reasoning_tokens: int
    audio_tokens: int
    accepted_prediction_tokens: int
    rejected_prediction_tokens: int


class CompletionUsage(Shape):
    """Tokens that the engine read and wrote."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class ChatCompletion(Extras):
    """OpenAI's chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    service_tier: Literal["default"]
    system_fingerprint: str
    choices: list[CompletionChoice] = Field(min_length=1, max_length=1)
    usage: CompletionUsage


class CalledPart(ToolCallShape):
    """A call of a stream, whole."""

    index: int


class Delta(Shape):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: None = None
    tool_calls: list[CalledPart] | None = None
    annotations: list[Annotation] | None = None


class ChunkChoice(Shape):
    """The one choice of a chunk."""

    index: Literal[0]
    delta: Delta
    logprobs: None
    finish_reason: Literal["stop", "length", "tool_calls"] | None


class WebuiEvent(Shape):
    """What Open WebUI shows; other clients are not sent it."""

    type: Literal["status", "source"]
    data: dict[str, Any]


class ChatCompletionChunk(Shape):
    """A chunk of a stream, which ends with `[DONE]`; our keys are in the last one."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    service_tier: Literal["default"]
    system_fingerprint: str
    choices: list[ChunkChoice] = Field(max_length=1)
    usage: CompletionUsage | None = None
    event: WebuiEvent | None = None
    sources: list[SourceShape] | None = None
    timings: dict[str, float] | None = None
    archive: Understood | None = None
    grounding: GroundingShape | None = None


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


CHUNKS = event({"$ref": "#/components/schemas/ChatCompletionChunk"}, named=False)
EVENTS = event({"type": "object", "required": ["type", "sequence_number"]}, named=True)
