"""An engine behind LangChain's chat-model interface: Ollama, or any server that speaks OpenAI's API."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx
from langchain_core.language_models import BaseChatModel

from archive.errors import EngineTimeout, EngineUnavailable, GenerationError
from archive.settings import Settings
from server.generation import Message, Piece, Sampling, Usage, weights_of
from server.plain_chunks import PlainCompletions

_OLLAMA = "http://localhost:11434"  # its default; an engine of another kind always has an address
_CHECK_SECONDS = 3.0


class LangChainGenerator:
    """One engine at one address; `url` empty means the provider's own default."""

    def __init__(self, provider: str, model: str, settings: Settings, url: str = "") -> None:
        self.name = model
        self._provider, self._settings, self._url = provider, settings, url.rstrip("/")
        self.where = self._url or _OLLAMA
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
        if self._url:
            own["base_url"] = self._url
        model: Any = init_chat_model(self.name, model_provider=self._provider, **own)
        if self._provider == "openai":
            model.async_client = PlainCompletions(model.root_async_client)
        chat_model: BaseChatModel = model
        return chat_model

    async def check(self) -> None:
        """See Generator: the engine's own list of models tells."""
        path = "/api/version" if self._provider == "ollama" else "/models"
        key = self._settings.generator_key.get_secret_value() or "none"
        try:
            async with httpx.AsyncClient(timeout=_CHECK_SECONDS, trust_env=False) as client:
                answer = await client.get(f"{self.where}{path}", headers={"Authorization": f"Bearer {key}"})
        except (httpx.HTTPError, OSError) as error:
            raise self._unavailable() from error
        if answer.status_code >= 500:  # a model that is being loaded
            raise EngineUnavailable(f"{self._provider} at {self.where} says {answer.status_code}; wait, or look at it")

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
        """The answer in pieces. Raises EngineUnavailable, EngineTimeout or GenerationError.

        An answer without its end is none: where an engine dies, a connection without a length just closes.
        """
        turns = [(message.role, message.content) for message in messages]
        chunks: Any = self._model.astream(turns, **self._options(sampling))
        usage: Usage | None = None
        reason, begun, ended = "stop", False, False
        try:
            while True:
                try:
                    async with asyncio.timeout(self._silence):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    break
                usage = _usage(chunk) or usage
                reason = _finish_reason(chunk) or reason
                begun, ended = begun or bool(chunk.text), _is_last(chunk) or (ended and not chunk.text)
                if chunk.text:
                    yield Piece(str(chunk.text))
        except TimeoutError as error:
            raise EngineTimeout(
                f"{self.name}: silent for {self._silence:.0f} s; look at the engine or raise ARCHIVAR_ENGINE_TIMEOUT"
            ) from error
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:  # each provider has its own errors; all mean that the engine failed
            raise self._failure(error, begun) from error
        finally:
            await chunks.aclose()
        if not ended:
            raise GenerationError(
                f"{self._provider} at {self.where} broke off in the middle; look at it, and ask again"
            )
        yield Piece("", reason, usage)

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """See Generator: by what is said, since not every engine tells probabilities, or goes on from a beginning."""
        async with contextlib.aclosing(self.stream(messages, Sampling(4))) as pieces:
            return weights_of("".join([piece.text async for piece in pieces]), words)

    def _failure(self, error: Exception, begun: bool) -> GenerationError:
        text = " ".join(str(error).split())[:300]
        if _caused_by(error, _NO_CONNECTION):
            return self._unavailable()
        if not begun and (_caused_by(error, _BROKEN_OFF) or getattr(error, "status_code", 0) in _AWAY):
            return EngineUnavailable(
                f"{self._provider} at {self.where} can't answer now: {text or type(error).__name__}; look at the engine"
            )
        return GenerationError(
            f"{self._provider} at {self.where} failed for model {self.name}: {text or type(error).__name__}"
        )

    def _unavailable(self) -> EngineUnavailable:
        return EngineUnavailable(
            f"{self._provider} at {self.where} can't be reached; start it or set ARCHIVAR_GENERATOR_URL"
        )

    def count_tokens(self, text: str) -> int:
        """Estimated: German runs at about 3.2 characters to a token in today's vocabularies."""
        return int(len(text) / 3.2) + 1


# No connection came about; one that broke later, or an engine that says "connect", is something else.
_NO_CONNECTION = frozenset({"ConnectError", "ConnectTimeout", "ConnectionError", "ConnectionRefusedError"})
_BROKEN_OFF = frozenset({"RemoteProtocolError", "ReadError", "WriteError", "ConnectionResetError", "BrokenPipeError"})
_AWAY = frozenset({502, 503, 504})  # a model that is being loaded, or a proxy before an engine that is away


def _caused_by(error: BaseException | None, kinds: frozenset[str]) -> bool:
    """Whether an error, or what led to it, is one of these, by name: each client brings an HTTP library of its own."""
    while error is not None:
        if type(error).__name__ in kinds:
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_last(chunk: Any) -> bool:  # noqa: ANN401 - LangChain's chunk classes differ by version
    """Whether the engine says with it that its answer has ended: by a reason, or by usage without a word beside it."""
    told = getattr(chunk, "response_metadata", None) or {}
    counted = getattr(chunk, "usage_metadata", None) and not chunk.text
    return bool(told.get("finish_reason") or told.get("done") or counted)


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
