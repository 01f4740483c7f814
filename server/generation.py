"""Generation: any LangChain chat model, or llama.cpp in this process, behind one small protocol."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langchain_core.language_models import BaseChatModel

from archive.errors import EngineTimeout, EngineUnavailable, GenerationError, SettingsError
from archive.models import ModelStore
from archive.settings import Settings

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to write. `answer_tokens` bounds the answer, `stop` ends it before any of these strings."""

    answer_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; `cached_tokens` of the prompt were still in the KV cache."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer. The last one carries the reason for the end ("stop" or "length"), and usage where known."""

    text: str
    finish_reason: str | None = None
    usage: Usage | None = None


class Generator(Protocol):
    """Writes answers. Closing the iterator frees the engine."""

    name: str

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


class LangChainGenerator:
    """An engine behind LangChain's chat-model interface: Ollama, or any server that speaks OpenAI's API."""

    def __init__(self, provider: str, model: str, settings: Settings) -> None:
        self.name = model
        self._provider, self._settings = provider, settings
        self._silence = settings.engine_timeout
        # One chat model for the plain settings; a request with its own makes a light copy around the same client.
        self._model = self._chat_model()

    def _chat_model(self) -> BaseChatModel:
        from langchain.chat_models import init_chat_model

        settings = self._settings
        if self._provider == "ollama":
            own: dict[str, Any] = {"num_ctx": settings.context_tokens, "keep_alive": -1, "reasoning": False}
        else:
            key = settings.generator_key.get_secret_value() or "none"  # local servers want some key, and ignore it
            own = {"api_key": key, "max_retries": 1, "timeout": self._silence, "stream_usage": True}
            own["stream_chunk_timeout"] = None  # LangChain's own 120 s would undercut engine_timeout
        if settings.generator_url:
            own["base_url"] = settings.generator_url.rstrip("/")
        model: BaseChatModel = init_chat_model(self.name, model_provider=self._provider, **own)
        return model

    def _options(self, sampling: Sampling) -> dict[str, Any]:
        stop = list(sampling.stop) or None
        if self._provider == "ollama":
            # `options` takes the place of all that langchain-ollama would send, the stop strings too
            own = {"temperature": sampling.temperature, "top_p": sampling.top_p, "num_predict": sampling.answer_tokens}
            seed = {} if sampling.seed is None else {"seed": sampling.seed}
            return {"options": {**own, **seed, "stop": stop, "num_ctx": self._settings.context_tokens}}
        # In the extra body, or LangChain renames it to max_completion_tokens, which not every local server knows.
        length = {"max_tokens": sampling.answer_tokens}
        options = {"temperature": sampling.temperature, "top_p": sampling.top_p, "extra_body": length}
        return {"stop": stop, **options, **({} if sampling.seed is None else {"seed": sampling.seed})}

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        """The answer in pieces. Raises EngineUnavailable, EngineTimeout or GenerationError."""
        turns = [(message.role, message.content) for message in messages]
        chunks: Any = self._model.astream(turns, **self._options(sampling))
        usage: Usage | None = None
        reason = "stop"
        try:
            while True:
                try:
                    async with asyncio.timeout(self._silence):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    break
                usage = _usage(chunk) or usage
                reason = _finish_reason(chunk) or reason
                if chunk.text:
                    yield Piece(str(chunk.text))
        except TimeoutError as error:
            raise EngineTimeout(
                f"{self.name}: silent for {self._silence:.0f} s; look at the engine or raise ARCHIVAR_ENGINE_TIMEOUT"
            ) from error
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:  # each provider has its own errors; all mean that the engine failed
            raise self._failure(error) from error
        finally:
            await chunks.aclose()
        yield Piece("", reason, usage)

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """See Generator: by what is said, since not every engine tells probabilities, or goes on from a beginning."""
        async with contextlib.aclosing(self.stream(messages, Sampling(4))) as pieces:
            return weights_of("".join([piece.text async for piece in pieces]), words)

    def _failure(self, error: Exception) -> GenerationError:
        where = self._settings.generator_url or {"ollama": "http://localhost:11434"}.get(self._provider, "the engine")
        text = " ".join(str(error).split())[:300]
        if _unreached(error):
            return EngineUnavailable(
                f"{self._provider} at {where} can't be reached; start it or set ARCHIVAR_GENERATOR_URL"
            )
        return GenerationError(
            f"{self._provider} at {where} failed for model {self.name}: {text or type(error).__name__}"
        )

    def count_tokens(self, text: str) -> int:
        """Estimated: German runs at about 3.2 characters to a token in today's vocabularies."""
        return int(len(text) / 3.2) + 1


_NO_CONNECTION = frozenset({"ConnectError", "ConnectTimeout", "ConnectionError", "ConnectionRefusedError"})


def _unreached(error: BaseException | None) -> bool:
    """Whether no connection came about; one that broke later, or an engine that says "connect", is something else.

    By class name, since Ollama's and OpenAI's clients bring different HTTP libraries.
    """
    while error is not None:
        if type(error).__name__ in _NO_CONNECTION:
            return True
        error = error.__cause__ or error.__context__
    return False


def _usage(chunk: Any) -> Usage | None:  # noqa: ANN401 - LangChain's chunk classes differ by version
    told = getattr(chunk, "usage_metadata", None)
    if not told:
        return None
    cached = (told.get("input_token_details") or {}).get("cache_read") or 0
    return Usage(told["input_tokens"], told["output_tokens"], cached)


def _finish_reason(chunk: Any) -> str | None:  # noqa: ANN401
    told = getattr(chunk, "response_metadata", None) or {}
    reason = told.get("finish_reason") or told.get("done_reason")
    return reason if reason in ("stop", "length") else None


def load_generator(settings: Settings, store: ModelStore) -> Generator:
    """The generator that `settings.generator` names.

    Raises SettingsError for a name without a known engine, ModelError where a local model can't be had.
    """
    provider, _, model = settings.generator.partition(":")
    if not model or provider not in ("llamacpp", "ollama", "openai"):
        raise SettingsError(
            f"ARCHIVAR_GENERATOR={settings.generator}: write llamacpp:<model>, ollama:<model> or openai:<model>"
        )
    if provider == "openai" and not settings.generator_url:
        # LangChain would ask OpenAI's cloud; nothing leaves this machine by oversight.
        raise SettingsError("ARCHIVAR_GENERATOR=openai:... needs ARCHIVAR_GENERATOR_URL, the address of your engine")
    if provider == "llamacpp":
        from server.llamacpp import LlamaCppGenerator

        return LlamaCppGenerator(model, store.path(model), settings)
    return LangChainGenerator(provider, model, settings)
