"""Requests of OpenAI's Responses API, checked: the part that a server without a memory can answer.

Source: OpenAI API reference, responses; open_webui/routers/openai.py of Open WebUI 0.12.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from archive.errors import BadRequest
from server.generation import Message, Role, Sampling, ToolCall
from server.inquiry import Inquiry, checked_choice, how_to_write
from server.wire.chat_request import ANYTHING, ObjectFormat, RefusalPart, TextFormat
from server.wire.fields import ArchiveOptions, Count, Fields, LongText, Metadata, ModelName, Off, within_bounds
from server.wire.tools import MOST_TOOLS, CallId, Function, Named


class TextPart(Fields):
    """A part of a message; only text can be read here."""

    type: Literal["input_text", "output_text", "text"]
    text: LongText


Part = Annotated[TextPart | RefusalPart, Field(discriminator="type")]
Parts = Annotated[list[Part], Field(fail_fast=True, max_length=1000)]


class MessageItem(Fields):
    """A message, given or written."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: LongText | Parts


class CallItem(Fields):
    """A function that the model wanted called."""

    type: Literal["function_call"]
    call_id: CallId
    name: str = Field(max_length=500)
    arguments: LongText


class OutputItem(Fields):
    """What a function returned."""

    type: Literal["function_call_output"]
    call_id: CallId
    output: LongText | Parts


class ReasoningItem(Fields):
    """What a model thought; it is not sent to the engine again."""

    type: Literal["reasoning"]


def _kind(item: object) -> str | None:
    """What an item is: a message need not say so."""
    if isinstance(item, dict):
        kind = item.get("type", "message")
        return kind if isinstance(kind, str) else None
    return getattr(item, "type", None)


Item = Annotated[
    Annotated[MessageItem, Tag("message")]
    | Annotated[CallItem, Tag("function_call")]
    | Annotated[OutputItem, Tag("function_call_output")]
    | Annotated[ReasoningItem, Tag("reasoning")],
    Discriminator(_kind),
]


class FunctionTool(Function):
    """A function that the model may call."""

    type: Literal["function"]


class FunctionChoice(Named):
    """The one function that has to be called."""

    type: Literal["function"]


class SchemaFormat(Fields):
    """JSON by a schema."""

    type: Literal["json_schema"]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    description: LongText | None = None
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


Format = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]


class TextOptions(Fields):
    """The shape of the text."""

    format: Format | None = None


class ResponsesRequest(Fields):
    """POST /v1/responses. Nothing is kept, so nothing that was said before can be named by its id."""

    model: ModelName
    input: (
        Annotated[str, Field(min_length=1, max_length=200_000)]
        | Annotated[list[Item], Field(fail_fast=True, min_length=1, max_length=1000)]
    )
    instructions: LongText | None = None
    stream: bool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_output_tokens: Count | None = None
    text: TextOptions | None = None
    tools: Annotated[list[FunctionTool], Field(fail_fast=True, max_length=MOST_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | FunctionChoice | None = None
    parallel_tool_calls: bool | None = None
    metadata: Metadata | None = None
    truncation: Literal["auto", "disabled"] | None = None
    background: Off = None
    previous_response_id: None = None
    conversation: None = None
    prompt: None = None
    archive: ArchiveOptions | None = None

    @field_validator("previous_response_id", "conversation", "prompt", mode="before")
    @classmethod
    def _nothing_kept(cls, given: object) -> object:
        if given is not None:
            raise PydanticCustomError("invalid_value", "nothing is kept here; send the whole talk as input")
        return given

    def inquiry(self, limit: int, temperature: float) -> Inquiry:
        """What is asked for, with our own defaults; an answer is never longer than `limit` tokens.

        Raises BadRequest for what contradicts itself.
        """
        messages = self._messages()
        within_bounds(sum(len(message.content) for message in messages), "input")
        if not any(message.role == "user" and message.content.strip() for message in messages):
            raise BadRequest("input holds no text of a user; send a question", "input")
        tools = tuple(
            {"type": "function", "function": tool.model_dump(exclude_none=True, exclude={"type"})}
            for tool in self.tools or ()
        )
        choice = self.tool_choice
        named = (
            {"type": "function", "function": {"name": choice.name}} if isinstance(choice, FunctionChoice) else choice
        )
        written = how_to_write(
            limit, temperature, most_tokens=self.max_output_tokens, temperature=self.temperature, top_p=self.top_p
        )
        sampling = Sampling(
            **written, tools=tools, tool_choice=checked_choice(named, tools), response_format=self._format()
        )
        options = self.archive or ANYTHING
        most = self.max_output_tokens
        return Inquiry(self.model, tuple(messages), sampling, most, options.period, options.top_k, options.now)

    def _messages(self) -> list[Message]:
        messages = [Message("system", self.instructions)] if self.instructions else []
        if isinstance(self.input, str):
            return [*messages, Message("user", self.input)]
        for item in self.input:
            match item:
                case MessageItem():
                    role: Role = "system" if item.role == "developer" else item.role
                    messages.append(Message(role, _text(item.content)))
                case CallItem():
                    call = ToolCall(item.call_id, item.name, item.arguments)
                    if messages and messages[-1].role == "assistant":  # engines know calls as parts of a message
                        said = messages.pop()
                        messages.append(replace(said, tool_calls=(*said.tool_calls, call)))
                    else:
                        messages.append(Message("assistant", "", (call,)))
                case OutputItem():
                    messages.append(Message("tool", _text(item.output), tool_call_id=item.call_id))
        return messages

    def _format(self) -> dict[str, Any] | None:
        given = self.text.format if self.text else None
        if given is None or given.type == "text":
            return None
        dumped = given.model_dump(by_alias=True, exclude_none=True)
        if given.type == "json_object":
            return dumped
        return {"type": dumped.pop("type"), "json_schema": dumped}


def _text(content: str | list[TextPart | RefusalPart]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text if isinstance(part, TextPart) else part.refusal for part in content)
