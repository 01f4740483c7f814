"""What answers share, whole or streamed, in either API; and what is ours in them."""

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
