"""What a client asks for, by whatever API it came."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypedDict

from archive.articles import Period
from archive.errors import BadRequest
from server.generation import Message, Sampling

_SEED_BITS = 0x7FFF_FFFF  # what every engine takes for a seed


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A conversation to be gone on with, and how.

    `messages` holds what every client sends, oldest first, blank ones too. `most_tokens` is None where a client sets no
    limit of its own; `period`, `top_k` and `today` mean something to the archive alone.
    """

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    most_tokens: int | None = None
    period: Period | None = None
    top_k: int | None = None
    today: date | None = None

    @property
    def spoken(self) -> tuple[Message, ...]:
        """The turns with text of a system, a person or the model. Raises BadRequest where nobody asks anything."""
        turns = tuple(
            Message(turn.role, turn.content) for turn in self.messages if turn.role != "tool" and turn.content.strip()
        )
        if not any(turn.role == "user" for turn in turns):
            raise BadRequest("messages holds no text of a user; send a question", "messages")
        return turns

    @property
    def wants_json(self) -> bool:
        """Whether the answer has to be a JSON object."""
        return self.sampling.response_format is not None

    def to_archive(self) -> "Inquiry":
        """As the archive takes it: without tools, which it doesn't call. Raises BadRequest for a shape of one's own."""
        asked = self.sampling.response_format
        if asked is not None and asked["type"] != "json_object":
            raise BadRequest(
                "the archive answers in words, or as {answer, sources} with json_object; ask the bare model for a "
                "schema of your own",
                "response_format",
            )
        return replace(self, sampling=replace(self.sampling, tools=(), tool_choice=None))


class HowToWrite(TypedDict):
    """The part of Sampling that both APIs spell alike."""

    answer_tokens: int
    temperature: float
    top_p: float
    seed: int | None


def how_to_write(
    limit: int, usual_temperature: float, *, most_tokens: int | None, temperature: float | None, top_p: float | None,
    seed: int | None = None,
) -> HowToWrite:  # fmt: skip
    """What a client asks for within our own limit.

    `top_p` of 0 leaves one word to choose from, which not every engine takes: a temperature of 0 says the same.
    """
    if top_p == 0:
        temperature, top_p = 0.0, 1.0
    return {
        "answer_tokens": min(most_tokens or limit, limit),
        "temperature": usual_temperature if temperature is None else temperature,
        "top_p": 1.0 if top_p is None else top_p,
        "seed": None if seed is None else seed & _SEED_BITS,
    }


def checked_choice(choice: object, tools: tuple[dict[str, Any], ...]) -> object:
    """A choice among `tools`, in the shape of chat completions. Raises BadRequest for one that isn't among them."""
    if choice is None or (not tools and choice in ("none", "auto")):
        return None
    if not tools:
        raise BadRequest("tool_choice needs tools; send them, or leave it out", "tool_choice")
    names = [tool["function"]["name"] for tool in tools]
    if isinstance(choice, dict) and choice["function"]["name"] not in names:
        raise BadRequest(f"tool_choice names none of the tools: {', '.join(names)[:300]}", "tool_choice")
    return choice
