"""Ollama, behind LangChain's chat-model interface."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx
from langchain_core.language_models import BaseChatModel

from archive.errors import EngineTimeout, EngineUnavailable, GenerationError
from archive.settings import Settings
from server.answer_text import AnswerText
from server.engine_failures import broke_off, only_thought, refusal, unreachable
from server.generation import Message, Piece, Sampling, ToolCall, Usage, weights_of

_OLLAMA = "http://localhost:11434"  # its own default
_CHECK_SECONDS = 3.0


class LangChainGenerator:
    """One engine at one address; `url` empty means its own default."""

    def __init__(self, model: str, settings: Settings, url: str = "") -> None:
        self.name = model
        self._settings = settings
        self.where = url.rstrip("/") or _OLLAMA
        self._silence = settings.engine_timeout
        # One chat model for the plain settings; a request with its own makes a light copy around the same client.
        self._model = self._chat_model()

    def _chat_model(self) -> BaseChatModel:
        from langchain.chat_models import init_chat_model

        own: dict[str, Any] = {"num_ctx": self._settings.context_tokens, "keep_alive": -1, "reasoning": False}
        model: BaseChatModel = init_chat_model(self.name, model_provider="ollama", base_url=self.where, **own)
        return model

    async def check(self) -> None:
        """See Generator."""
        try:
            async with httpx.AsyncClient(timeout=_CHECK_SECONDS, trust_env=False) as client:
                answer = await client.get(f"{self.where}/api/version")
        except (httpx.HTTPError, OSError) as error:
            raise unreachable("ollama", self.where) from error
        if answer.status_code >= 500:
            raise refusal("ollama", self.where, self.name, answer.status_code, answer.text)

    def _options(self, sampling: Sampling) -> dict[str, Any]:
        # `options` takes the place of all that langchain-ollama would send, the stop strings too
        own = {"temperature": sampling.temperature, "top_p": sampling.top_p, "num_predict": sampling.answer_tokens}
        own |= {"presence_penalty": sampling.presence_penalty, "frequency_penalty": sampling.frequency_penalty}
        seed = {} if sampling.seed is None else {"seed": sampling.seed}
        stop = list(sampling.stop) or None
        options = {"options": {**own, **seed, "stop": stop, "num_ctx": self._settings.context_tokens}}
        if tools := [{"type": "function", "function": tool} for tool in sampling.callable_tools.values()]:
            options["tools"] = tools  # type: ignore[assignment]
        if wanted := _format(sampling):
            options["format"] = wanted
        return options

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        """The answer in pieces. Raises EngineUnavailable, EngineTimeout or GenerationError.

        An answer without its end is none: where an engine dies, a connection without a length just closes.
        """
        chunks: Any = self._model.astream([_turn(message) for message in messages], **self._options(sampling))
        usage: Usage | None = None
        reason, begun, ended = "stop", False, False
        answer, called = AnswerText(sampling.callable_tools), list[ToolCall]()
        try:
            while True:
                try:
                    async with asyncio.timeout(self._silence):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    break
                usage = _usage(chunk) or usage
                reason = _finish_reason(chunk) or reason
                called += _calls(chunk)
                begun, ended = begun or bool(chunk.text), _is_last(chunk) or (ended and not chunk.text)
                if chunk.text and (text := answer.feed(str(chunk.text))):
                    yield Piece(text)
        except TimeoutError as error:
            raise EngineTimeout(
                f"{self.name}: silent for {self._silence:.0f} s; look at the engine or raise ARCHIVAR_ENGINE_TIMEOUT"
            ) from error
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:  # LangChain's and Ollama's own errors alike mean that the engine failed
            raise self._failure(error, begun) from error
        finally:
            await chunks.aclose()
        if not ended:
            raise broke_off("ollama", self.where, begun, "")
        if text := answer.finish():
            yield Piece(text)
        called += answer.calls
        if answer.has_thought and not answer.has_answered and not called:
            raise only_thought(self.name)
        yield Piece("", "tool_calls" if called else reason, usage, tuple(called))

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """See Generator: by what is said, since it tells no probabilities, and does not go on from a beginning."""
        async with contextlib.aclosing(self.stream(messages, Sampling(4))) as pieces:
            return weights_of("".join([piece.text async for piece in pieces]), words)

    def _failure(self, error: Exception, begun: bool) -> GenerationError:
        text = " ".join(str(error).split())[:300] or type(error).__name__
        if _caused_by(error, _NO_CONNECTION):
            return unreachable("ollama", self.where)
        if _caused_by(error, _BROKEN_OFF):
            return broke_off("ollama", self.where, begun, text)
        if status := getattr(error, "status_code", 0):
            failed = refusal("ollama", self.where, self.name, status, text)
            return GenerationError(str(failed)) if begun and isinstance(failed, EngineUnavailable) else failed
        return GenerationError(f"ollama at {self.where} failed for model {self.name}: {text}")

    def count_tokens(self, text: str) -> int:
        """Estimated: German runs at about 3.2 characters to a token in today's vocabularies."""
        return int(len(text) / 3.2) + 1


# No connection came about; one that broke later, or an engine that says "connect", is something else.
_NO_CONNECTION = frozenset({"ConnectError", "ConnectTimeout", "ConnectionError", "ConnectionRefusedError"})
_BROKEN_OFF = frozenset({"RemoteProtocolError", "ReadError", "WriteError", "ConnectionResetError", "BrokenPipeError"})


def _caused_by(error: BaseException | None, kinds: frozenset[str]) -> bool:
    """Whether an error, or what led to it, is one of these, by name: its client brings an HTTP library of its own."""
    while error is not None:
        if type(error).__name__ in kinds:
            return True
        error = error.__cause__ or error.__context__
    return False


def _turn(message: Message) -> Any:  # noqa: ANN401 - a pair, or LangChain's own message
    from langchain_core.messages import AIMessage, ToolMessage

    if message.role == "tool":
        return ToolMessage(message.content, tool_call_id=message.tool_call_id)
    if message.tool_calls:
        calls = [
            {"type": "tool_call", "id": call.id, "name": call.name, "args": call.values} for call in message.tool_calls
        ]
        return AIMessage(message.content, tool_calls=calls)
    return message.role, message.content


def _format(sampling: Sampling) -> Any:  # noqa: ANN401 - "json" or a schema, as Ollama takes it
    wanted = sampling.response_format or {}
    if wanted.get("type") == "json_schema":
        return wanted["json_schema"]["schema"]
    return "json" if wanted.get("type") == "json_object" else None


def _calls(chunk: Any) -> list[ToolCall]:  # noqa: ANN401 - LangChain's chunk classes differ by version
    told = getattr(chunk, "tool_calls", None) or ()
    return [ToolCall(str(call["id"]), call["name"], json.dumps(call["args"], ensure_ascii=False)) for call in told]


def _is_last(chunk: Any) -> bool:  # noqa: ANN401
    """Whether the engine says with it that its answer has ended."""
    return bool((getattr(chunk, "response_metadata", None) or {}).get("done"))


def _usage(chunk: Any) -> Usage | None:  # noqa: ANN401
    told = getattr(chunk, "usage_metadata", None)
    return Usage(told["input_tokens"], told["output_tokens"]) if told else None


def _finish_reason(chunk: Any) -> str | None:  # noqa: ANN401
    reason = (getattr(chunk, "response_metadata", None) or {}).get("done_reason")
    return reason if reason in ("stop", "length") else None
