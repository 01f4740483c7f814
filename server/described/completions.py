"""OpenAI's chat completions and the chunks of their streams."""

from typing import Any, Literal

from pydantic import Field

from server.described.answers import Extras, GroundingShape, SourceShape, Understood, UrlCitation, event
from server.described.shape import Shape


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


CHUNKS = event({"$ref": "#/components/schemas/ChatCompletionChunk"}, named=False)
