"""An engine that speaks OpenAI's API: llama.cpp's server, vLLM, LM Studio, koboldcpp and many others.

Without OpenAI's client or LangChain's chat model: those build and check a dozen objects for each token, which is what
decides how many streams a core carries, and they don't tell whether a stream ended or broke off.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import aiohttp

from archive.errors import EngineTimeout, GenerationError
from archive.settings import Settings
from server.answer_text import AnswerText
from server.engine_failures import broke_off, only_thought, refusal, unreachable
from server.engine_stream import CallAssembler, EventReader, Reported, Said, Unreadable, read_chunks
from server.generation import Message, Piece, Sampling, Usage, weights_of

_CHECK_SECONDS = 3.0
_CONNECT_SECONDS = 5.0
_PATIENCE = 5  # how many times `engine_timeout` an engine may send nothing but signs of life
_DONE = "[DONE]"
_OPENING = " *_\"'„“([\n"
# Fields that help where an engine knows them; one that names such a field in a refusal is not sent it again.
_OPTIONAL = ("chat_template_kwargs", "stream_options", "top_logprobs", "logprobs", "seed")


class OpenAIGenerator:
    """One engine at one address."""

    def __init__(self, model: str, settings: Settings, url: str) -> None:
        self.name = model
        self.where = url.rstrip("/")
        self._silence = settings.engine_timeout
        self._key = settings.generator_key.get_secret_value()
        self._headers = {"Authorization": f"Bearer {self._key or 'none'}"}  # local servers want some key, and ignore it
        self._unknown: set[str] = set()  # of _OPTIONAL
        self._thinks_at_once = False
        self._tells_ends = False  # whether it was heard to say how an answer ended
        self._asked, self._is_silent = 0, False  # requests on their way, and whether the last was given up for silence

    async def check(self) -> None:
        """See Generator: the engine's own list of models tells; an engine that refuses the key is told, too.

        One that is at an answer isn't asked: llama-cpp-python's server lets the list wait, and breaks off the answer.
        """
        if self._asked and not self._is_silent:
            return
        try:
            async with (
                self._session(aiohttp.ClientTimeout(total=_CHECK_SECONDS)) as session,
                session.get(f"{self.where}/models") as response,
            ):
                body = self._told(await response.content.read(100_000))
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable("openai", self.where) from error
        if response.status >= 500 or response.status in (401, 403, 429):
            raise refusal("openai", self.where, self.name, response.status, body)

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        """The answer in pieces. Raises EngineUnavailable, EngineTimeout or GenerationError.

        An answer without its end is none: where an engine dies, a connection without a length just closes.
        """
        answer, calls = AnswerText(sampling.callable_tools, thinks_at_once=self._thinks_at_once), CallAssembler()
        usage: Usage | None = None
        reason = "stop"
        async with contextlib.aclosing(self._said(_request(messages, sampling))) as chunks:
            async for said in chunks:
                calls.add(said.calls)
                usage, reason = said.usage or usage, said.reason or reason
                if said.text and (text := answer.feed(said.text)):
                    yield Piece(text)
        if text := answer.finish():
            yield Piece(text)
        if answer.ended_late:
            self._thinks_at_once = True
            raise GenerationError(f"{self.name} thinks without saying where that begins; ask again")
        called = (*calls, *answer.calls)
        if answer.has_thought and not answer.has_answered and not called:
            raise only_thought(self.name)
        # One that the length cut short is told as such: its arguments may be no JSON.
        yield Piece("", "tool_calls" if called and reason != "length" else reason, usage, called)

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """See Generator: by the probabilities that the engine tells of the first of `words`, or by what it says."""
        request = _request(messages, Sampling(4)) | {"logprobs": True, "top_logprobs": 20}
        tokens, text = list[Any](), ""
        async with contextlib.aclosing(self._said(request)) as chunks:
            async for said in chunks:
                tokens += said.logprobs
                text += said.text
                if weights := _weights(tokens, words):
                    return weights  # what it would say behind the word is not waited for
        return weights_of(text, words)

    def count_tokens(self, text: str) -> int:
        """Estimated: German runs at about 3.2 characters to a token in today's vocabularies."""
        return int(len(text) / 3.2) + 1

    async def _said(self, request: dict[str, Any]) -> AsyncGenerator[Said]:
        """What the engine says, to its end; each failure as the error that it means."""
        begun = ended = False
        self._asked += 1
        try:
            async with (
                self._answer({"model": self.name, **request}) as response,
                contextlib.aclosing(_events(response, self._silence)) as events,
            ):
                async for values in events:
                    self._is_silent = False
                    is_done = _DONE in values
                    for said in read_chunks(values[: values.index(_DONE)] if is_done else values):
                        begun, ended = begun or bool(said.text), said.is_last or (ended and not said.text)
                        self._tells_ends = self._tells_ends or said.reason is not None
                        yield said
                    if is_done:
                        # llama-cpp-python's server says the same of an answer that it breaks off for another.
                        ended = ended or not self._tells_ends
                        break
        except (aiohttp.ClientError, OSError, Unreadable, Reported) as error:
            raise self._failure(error, begun) from error
        finally:
            self._asked -= 1
        if not ended:
            raise broke_off("openai", self.where, begun, "")

    def _failure(self, error: Exception, begun: bool) -> GenerationError:
        match error:
            case aiohttp.ConnectionTimeoutError() | aiohttp.ClientConnectorError():
                return unreachable("openai", self.where)
            case TimeoutError():
                self._is_silent = True
                mend = "look at the engine or raise ARCHIVAR_ENGINE_TIMEOUT"
                return EngineTimeout(f"{self.name}: silent for {self._silence:.0f} s; {mend}")
            case Reported():
                return GenerationError(f"openai at {self.where} failed for model {self.name}: {error}")
            case aiohttp.ClientPayloadError():  # its words are of chunks and lengths
                return broke_off("openai", self.where, begun, "")
        return broke_off("openai", self.where, begun, str(error))

    @contextlib.asynccontextmanager
    async def _session(self, timeout: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientSession]:
        """A connection of its own: 0.3 ms on loopback, and one kept open may be closed just when it is used."""
        try:
            connector = aiohttp.TCPConnector(force_close=True)
            async with aiohttp.ClientSession(connector=connector, headers=self._headers, timeout=timeout) as session:
                yield session
        finally:
            await asyncio.sleep(0)  # aiohttp closes its sockets in the loop's next round

    @contextlib.asynccontextmanager
    async def _answer(self, request: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The engine's answer, once it has taken the request, without what it does not know."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._silence)
        async with self._session(timeout) as session:
            while True:
                known = {name: value for name, value in request.items() if name not in self._unknown}
                async with session.post(f"{self.where}/chat/completions", json=known) as response:
                    if response.status == 200:
                        yield response
                        return
                    body = self._told(await response.content.read(100_000))
                    named = {name for name in _OPTIONAL if name in body and name in known}
                    if not named or response.status not in (400, 422, 500, 501):
                        raise refusal("openai", self.where, self.name, response.status, body)
                    self._unknown |= named

    def _told(self, body: bytes) -> str:
        """A whole body; some engines repeat a key that is wrong, and errors are told to whoever asks."""
        text = body.decode(errors="replace")
        return text.replace(self._key, "***") if self._key else text


async def _events(response: aiohttp.ClientResponse, silence: float) -> AsyncGenerator[list[str]]:
    """The events of a stream, those that came together at once; of an engine that does not stream, its answer.

    Raises Unreadable, and TimeoutError where for long nothing comes but signs of life.
    """
    if response.content_type == "application/json":
        yield [(await response.content.read()).decode(errors="replace")]
        return
    reader, heard = EventReader(), time.monotonic()
    async for data in response.content.iter_any():
        if values := reader.feed(data):
            heard = time.monotonic()
            yield values
        elif time.monotonic() - heard > _PATIENCE * silence:
            raise TimeoutError
    if values := reader.finish():
        yield values


def _request(messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
    request = {
        "messages": [message.as_openai() for message in messages],
        "stream": True, "stream_options": {"include_usage": True},
        # max_completion_tokens is OpenAI's newer name, which not every local server knows
        "max_tokens": sampling.answer_tokens, "temperature": sampling.temperature, "top_p": sampling.top_p,
        "seed": sampling.seed, "stop": list(sampling.stop), "tools": list(sampling.tools),
        "presence_penalty": sampling.presence_penalty or None, "frequency_penalty": sampling.frequency_penalty or None,
        "tool_choice": sampling.tool_choice if sampling.tools else None, "response_format": sampling.response_format,
        # of the templates of models that think before they answer; other templates don't read it
        "chat_template_kwargs": {"enable_thinking": False},
    }  # fmt: skip
    return {name: value for name, value in request.items() if value is not None and value != []}


def _weights(tokens: Sequence[Any], words: Sequence[str]) -> list[float]:
    """Log-probabilities of `words` where the first of them was said; none where none was, or nothing is told."""
    for token in tokens:
        told: dict[str, float] = {}
        for other in (token, *(token.get("top_logprobs") or ())):
            word = str(other.get("token", "")).strip(_OPENING)
            told[word] = max(told.get(word, -100.0), float(other.get("logprob", -100.0)))
        if str(token.get("token", "")).strip(_OPENING) in words and len(told) > 1:
            least = min(told.values())
            return [told.get(word, least) for word in words]
    return []
