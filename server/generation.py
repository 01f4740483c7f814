"""Generation behind one small protocol: llama.cpp in this process, or engines at one or several addresses."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from archive.errors import SettingsError
from archive.models import ModelStore
from archive.settings import Settings

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called; `arguments` is what it wrote, JSON where it kept to it."""

    id: str
    name: str
    arguments: str

    @property
    def values(self) -> dict[str, Any]:
        """The arguments by name; none where they are no JSON object."""
        try:
            told = json.loads(self.arguments)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: an assistant's may call tools, a tool's answers the call `tool_call_id`."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""

    def as_openai(self, *, values: bool = False) -> dict[str, Any]:
        """As OpenAI's API has it; with `values` the arguments of calls are objects, as chat templates read them."""
        turn: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            turn["tool_calls"] = [
                {
                    "id": call.id, "type": "function",
                    "function": {"name": call.name, "arguments": call.values if values else call.arguments},
                }
                for call in self.tool_calls
            ]  # fmt: skip
        return turn | ({"tool_call_id": self.tool_call_id} if self.tool_call_id else {})


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to write. `answer_tokens` bounds the answer, `stop` ends it before any of these strings.

    `tools`, `tool_choice` and `response_format` are OpenAI's: a tool is {"type": "function", "function": ...}, a choice
    "none", "auto", "required" or a function by name, a format {"type": "json_object"} or one with a "json_schema".
    """

    answer_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: object = None
    response_format: Mapping[str, Any] | None = None

    @property
    def callable_tools(self) -> dict[str, Mapping[str, Any]]:
        """The functions that may be called, by name; one that is chosen by name is the only one."""
        if self.tool_choice == "none":
            return {}
        functions = {str(tool["function"]["name"]): tool["function"] for tool in self.tools}
        if isinstance(self.tool_choice, Mapping):
            chosen = self.tool_choice.get("function", {}).get("name")
            return {name: function for name, function in functions.items() if name == chosen}
        return functions

    @property
    def must_call(self) -> bool:
        """Whether the answer is to be a call and nothing else."""
        chosen = self.tool_choice == "required" or isinstance(self.tool_choice, Mapping)
        return chosen and bool(self.callable_tools)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; `cached_tokens` of the prompt were still in the KV cache."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer.

    The last one carries the reason for the end ("stop", "length" or "tool_calls"), all tools to be called, each whole,
    and usage where known.
    """

    text: str
    finish_reason: str | None = None
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()


class Generator(Protocol):
    """Writes answers. Closing the iterator frees the engine."""

    name: str

    async def check(self) -> None:
        """Raises EngineUnavailable where the engine can't be asked now; asks for no word."""
        ...

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        """The answer in pieces; raises GenerationError."""
        ...

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """How likely each of `words` is next in the answer: log-probabilities up to a common constant.

        `begun` is what the answer begins with, where an engine can be told. The words begin with different tokens.
        Raises GenerationError.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, estimated where the engine doesn't tell."""
        ...


_UNSAID = -4.0  # log-probability of what an engine could have said and did not, where it only tells what it says


def weights_of(text: str, words: Sequence[str]) -> list[float]:
    """What an answer says of `words` where only its text is known: the one that it begins with, or none of them."""
    said = text.lstrip(" *_\"'„“([\n")
    begun = [word for word in words if said.startswith(word)]
    longest = max(begun, key=len, default=None)
    return [0.0 if longest in (None, word) else _UNSAID for word in words]


def load_generators(settings: Settings, store: ModelStore) -> list[Generator]:
    """The generator that `settings.generator` names, once for each address of `settings.generator_url`.

    Raises SettingsError for a name without a known engine, ModelError where a local model can't be had.
    """
    provider, _, model = settings.generator.partition(":")
    if not model or provider not in ("llamacpp", "ollama", "openai"):
        raise SettingsError(
            f"ARCHIVAR_GENERATOR={settings.generator}: write llamacpp:<model>, ollama:<model> or openai:<model>"
        )
    if provider == "openai" and not settings.generator_urls:
        # There is no default: nothing leaves this machine by oversight.
        raise SettingsError("ARCHIVAR_GENERATOR=openai:... needs ARCHIVAR_GENERATOR_URL, the address of your engine")
    for url in settings.generator_urls:
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"ARCHIVAR_GENERATOR_URL={url}: write an address such as http://localhost:8080/v1")
    if provider == "llamacpp":
        from server.llamacpp import LlamaCppGenerator

        return [LlamaCppGenerator(model, store.path(model), settings)]
    if provider == "openai":
        from server.openai_generator import OpenAIGenerator

        return [OpenAIGenerator(model, settings, url) for url in settings.generator_urls]
    from server.langchain_generator import LangChainGenerator

    return [LangChainGenerator(model, settings, url) for url in settings.generator_urls or ("",)]
