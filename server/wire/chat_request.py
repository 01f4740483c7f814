"""Requests of OpenAI's chat completions, checked. Source: OpenAI API reference, chat completions."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from archive.errors import BadRequest
from server.generation import Message, Sampling, ToolCall
from server.inquiry import Inquiry, checked_choice, how_to_write
from server.wire.fields import ArchiveOptions, Count, Fields, LongText, ModelName, Off, One, Whole, within_bounds
from server.wire.tools import MOST_TOOLS, CalledTool, CallId, Choice, Tool


class TextPart(Fields):
    """A part of a multi-part message; only text can be read here."""

    type: Literal["text"]
    text: LongText


class RefusalPart(Fields):
    """A part in which a model refused."""

    type: Literal["refusal"]
    refusal: LongText


Part = Annotated[TextPart | RefusalPart, Field(discriminator="type")]
Parts = Annotated[list[Part], Field(fail_fast=True, max_length=1000)]
Content = LongText | Parts


def _text(content: str | list[TextPart | RefusalPart] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part.text if isinstance(part, TextPart) else part.refusal for part in content)
    return content or ""


class GivenMessage(Fields):
    """What a person or a program says; `developer` is OpenAI's newer name of the system role."""

    role: Literal["system", "developer", "user"]
    content: Content


class AssistantMessage(Fields):
    """What the model said, or the tools that it wanted called."""

    role: Literal["assistant"]
    content: Content | None = None
    tool_calls: Annotated[list[CalledTool], Field(fail_fast=True, max_length=MOST_TOOLS)] | None = None


class ToolMessage(Fields):
    """What a tool returned."""

    role: Literal["tool"]
    content: Content
    tool_call_id: CallId


class FunctionMessage(Fields):
    """What a function returned, in the shape that OpenAI has given up; nothing here reads it."""

    role: Literal["function"]
    content: LongText | None
    name: str


ChatMessage = Annotated[
    GivenMessage | AssistantMessage | ToolMessage | FunctionMessage, Field(discriminator="role")
]  # fmt: skip


class StreamOptions(Fields):
    """`include_usage` asks for a last chunk with usage figures."""

    include_usage: bool | None = None


class TextFormat(Fields):
    """Plain text, the default."""

    type: Literal["text"]


class ObjectFormat(Fields):
    """Any JSON object."""

    type: Literal["json_object"]


class JsonSchema(Fields):
    """The schema of an answer."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: LongText | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class SchemaFormat(Fields):
    """JSON by a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]
StopString = Annotated[str, Field(min_length=1, max_length=500)]


ANYTHING = ArchiveOptions.model_validate({})


class ChatRequest(Fields):
    """POST /v1/chat/completions."""

    model: ModelName
    messages: Annotated[list[ChatMessage], Field(fail_fast=True, min_length=1, max_length=1000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    seed: Whole | None = None
    stop: StopString | Annotated[list[StopString], Field(fail_fast=True, max_length=4)] | None = None
    n: One | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: Annotated[dict[str, Any], Field(max_length=0)] | None = None
    logprobs: Off = None
    top_logprobs: int | None = Field(None, ge=0, le=0)
    modalities: Annotated[list[Literal["text"]], Field(fail_fast=True, max_length=10)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool], Field(fail_fast=True, max_length=MOST_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    functions: Annotated[list[Any], Field(fail_fast=True, max_length=0)] | None = Field(None, deprecated=True)
    archive: ArchiveOptions | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with usage figures."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def inquiry(self, limit: int, temperature: float) -> Inquiry:
        """What is asked for, with our own defaults; an answer is never longer than `limit` tokens.

        Raises BadRequest for what contradicts itself.
        """
        if self.stream_options is not None and not self.stream:
            raise BadRequest("stream_options needs stream: true; leave it out", "stream_options")
        messages = tuple(self._messages())
        within_bounds(sum(len(message.content) for message in messages), "messages")
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        most = self.max_completion_tokens or self.max_tokens
        tools = tuple(tool.model_dump(exclude_none=True) for tool in self.tools or ())
        written = how_to_write(
            limit, temperature, most_tokens=most, temperature=self.temperature, top_p=self.top_p, seed=self.seed
        )
        sampling = Sampling(
            **written, stop=stop, presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0, tools=tools,
            tool_choice=checked_choice(self._tool_choice(), tools), response_format=self._format(),
        )  # fmt: skip
        options = self.archive or ANYTHING
        return Inquiry(self.model, messages, sampling, most, options.period, options.top_k, options.now)

    def _messages(self) -> Iterator[Message]:
        for message in self.messages:
            match message:
                case GivenMessage(role="user"):
                    yield Message("user", _text(message.content))
                case GivenMessage():
                    yield Message("system", _text(message.content))
                case AssistantMessage():
                    calls = (ToolCall(call.id, call.function.name, call.function.arguments)
                             for call in message.tool_calls or ())  # fmt: skip
                    yield Message("assistant", _text(message.content), tuple(calls))
                case ToolMessage():
                    yield Message("tool", _text(message.content), tool_call_id=message.tool_call_id)

    def _tool_choice(self) -> object:
        return self.tool_choice.model_dump() if isinstance(self.tool_choice, Choice) else self.tool_choice

    def _format(self) -> dict[str, Any] | None:
        given = self.response_format
        return None if given is None or given.type == "text" else given.model_dump(by_alias=True, exclude_none=True)
