"""Functions that a model may call, as chat completions describe them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from server.wire.fields import Fields, LongText

FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,128}$")]
CallId = Annotated[str, Field(max_length=500)]
MOST_TOOLS = 128


class Function(Fields):
    """What a model is told of a function; `parameters` is a JSON Schema."""

    name: FunctionName
    description: LongText | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Fields):
    """A tool; functions are the only kind that an engine here can be told of."""

    type: Literal["function"]
    function: Function


class Named(Fields):
    """A function by its name."""

    name: FunctionName


class Choice(Fields):
    """The one function that has to be called."""

    type: Literal["function"]
    function: Named


class Called(Fields):
    """A function as it was called; `arguments` is JSON as text, as the model wrote it."""

    name: str = Field(max_length=500)
    arguments: LongText = ""


class CalledTool(Fields):
    """A call that the model made earlier."""

    id: CallId
    type: Literal["function"] = "function"
    function: Called
