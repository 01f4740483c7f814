"""llama.cpp in this process: one engine thread, prompts kept in the KV cache and beside it, stop within a batch."""

import asyncio
import ctypes
import logging
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import numpy as np

from archive.errors import BadRequest, GenerationError, ModelError
from archive.settings import Settings
from server.answer_text import CALL_TAG, AnswerText
from server.engine_failures import only_thought
from server.generation import Message, Piece, Sampling, Usage
from server.grammars import grammar_of

try:
    import llama_cpp
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    from server.kept_prompts import KeptPrompts
except ImportError as error:
    raise ModelError(
        "llama-cpp-python is not installed; pip install 'archivar[llamacpp]' (needs a C compiler), "
        "or set ARCHIVAR_GENERATOR=ollama:<model>"
    ) from error

log = logging.getLogger(__name__)

Put = Callable[[Piece | Exception], None]

_PLAIN = Sampling(1)
_BATCH = 256  # tokens decoded at a time during prefill


def _log(_level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    # llama-cpp-python would print it; an error here is mostly a question that was given up
    log.debug("llama.cpp: %s", text.decode(errors="replace").strip())


_LOG = llama_cpp.llama_log_callback(_log)  # must outlive all that logs, so it is kept here


class LlamaCppGenerator:
    """A GGUF model, loaded once. Requests wait their turn in the order of their arrival."""

    def __init__(self, name: str, path: Path, settings: Settings) -> None:
        self.name = name
        self._threads = settings.threads or os.cpu_count() or 1
        llama_cpp.llama_log_set(_LOG, None)
        try:
            self._llama = llama_cpp.Llama(
                str(path), n_ctx=settings.context_tokens, n_batch=_BATCH, verbose=False,
                n_threads=self._threads, n_threads_batch=self._threads,
            )  # fmt: skip
        except (ValueError, RuntimeError, OSError) as error:
            raise ModelError(f"{path}: llama.cpp can't load it ({error}); run archivar models verify {name}") from error
        self._kept = KeptPrompts(self._llama)
        self._formatter = self._chat_formatter()
        self._stop = threading.Event()  # of the request that the engine thread is at
        # The callback must outlive the context that calls it, so it is kept here.
        self._abort = llama_cpp.ggml_abort_callback(self._should_abort)
        llama_cpp.llama_set_abort_callback(self._llama._ctx.ctx, self._abort, None)
        self._engine = ThreadPoolExecutor(1, thread_name_prefix="llama.cpp")

    def _should_abort(self, _data: ctypes.c_void_p) -> bool:
        return self._stop.is_set()

    def _chat_formatter(self) -> Jinja2ChatFormatter:
        template = self._llama.metadata.get("tokenizer.chat_template")
        if template is None:
            raise ModelError(f"{self.name}: its GGUF file has no chat template; take an instruct model")

        def text_of(token: int) -> str:
            return self._llama.detokenize([token], special=True).decode() if token >= 0 else ""

        return Jinja2ChatFormatter(
            template=template, eos_token=text_of(self._llama.token_eos()), bos_token=text_of(self._llama.token_bos())
        )

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` in the model's own vocabulary."""
        return len(self._llama.tokenize(text.encode(), add_bos=False))

    async def check(self) -> None:
        """See Generator: what is loaded can be asked."""

    async def stream(self, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Piece]:
        """The answer in pieces. Raises BadRequest beyond the context, GenerationError if llama.cpp fails."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Piece | Exception] = asyncio.Queue()

        def put(piece: Piece | Exception) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        # A request of its own stops nobody else's: the engine thread takes the next as soon as it has seen it.
        stop = threading.Event()
        loop.run_in_executor(self._engine, copy_context().run, self._write, messages, sampling, put, stop)
        try:
            while True:
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if piece.finish_reason:
                    return
        finally:
            stop.set()

    async def weigh(self, messages: Sequence[Message], words: Sequence[str], begun: str = "") -> Sequence[float]:
        """See Generator. The prompt stays in the KV cache, so one that begins alike is read sooner."""
        stop = threading.Event()
        loop, run = asyncio.get_running_loop(), copy_context().run  # what it logs belongs to the request
        work = loop.run_in_executor(self._engine, run, self._weights, messages, words, begun, stop)
        try:
            return await work
        finally:
            stop.set()

    def _weights(
        self, messages: Sequence[Message], words: Sequence[str], begun: str, stop: threading.Event
    ) -> list[float]:
        self._stop = stop
        prompt, _ = self._prompt(messages)
        prompt += self._llama.tokenize(begun.encode(), add_bos=False)
        llama = self._llama
        llama.n_tokens = min(self._kept.recall(prompt), len(prompt) - 1)
        try:
            llama.eval(prompt[llama.n_tokens :])
        except RuntimeError as error:  # given up, or llama.cpp failed
            if not stop.is_set():
                llama.reset()
            raise GenerationError(f"llama.cpp failed for {self.name}: {error}; ask again") from error
        logits = np.ctypeslib.as_array(llama._ctx.get_logits(), (llama.n_vocab(),))
        return [float(logits[llama.tokenize(word.encode(), add_bos=False)[0]]) for word in words]

    def _write(self, messages: Sequence[Message], sampling: Sampling, put: Put, stop: threading.Event) -> None:
        self._stop = stop
        if stop.is_set():  # given up before its turn
            return
        try:
            for piece in self._pieces(messages, sampling):
                put(piece)
                if stop.is_set():
                    break
        except (BadRequest, GenerationError) as error:
            put(error)
        except Exception as error:  # llama-cpp-python raises RuntimeError and ValueError alike
            # What was read before it was given up stays in the cache: its batches are whole.
            if not stop.is_set():
                self._llama.reset()
                log.exception("llama.cpp failed")
                put(GenerationError(f"llama.cpp failed for {self.name}: {error}; ask again"))

    def _pieces(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        prompt, own_stop = self._prompt(messages, sampling)
        grammar, answer = grammar_of(sampling), AnswerText(sampling.callable_tools)
        if sampling.must_call:
            answer.feed(CALL_TAG)  # with which the prompt ends
        room = self._llama.n_ctx() - len(prompt)
        cached = self._kept.recall(prompt)
        chunks = self._llama.create_completion(
            prompt, stream=True, max_tokens=min(sampling.answer_tokens, room), temperature=sampling.temperature,
            top_p=sampling.top_p, seed=sampling.seed, stop=[*own_stop, *sampling.stop], grammar=grammar,
            presence_penalty=sampling.presence_penalty, frequency_penalty=sampling.frequency_penalty,
        )  # fmt: skip
        reason = "stop"
        for chunk in chunks:
            choice = chunk["choices"][0]
            reason = choice["finish_reason"] or reason
            if choice["text"] and (text := answer.feed(choice["text"])):
                yield Piece(text)
        if text := answer.finish():
            yield Piece(text)
        if answer.has_thought and not (answer.has_answered or answer.calls):
            raise only_thought(self.name)
        written = max(self._llama.n_tokens - len(prompt), 0) + 1  # the token that ended it is never evaluated
        usage = Usage(len(prompt), written, min(cached, len(prompt)))
        yield Piece("", "tool_calls" if answer.calls else reason, usage, tuple(answer.calls))

    def _prompt(self, messages: Sequence[Message], sampling: Sampling = _PLAIN) -> tuple[list[int], list[str]]:
        """The tokens of a prompt, and what ends an answer to it. Raises BadRequest beyond the context."""
        tools: Any = (
            [{"type": "function", "function": tool} for tool in sampling.callable_tools.values()] if sampling else []
        )
        turns: Any = [message.as_openai(values=True) for message in messages]
        formatted = self._formatter(messages=turns, tools=tools or None)
        text = formatted.prompt + (CALL_TAG + "\n" if sampling.must_call else "")
        prompt = self._llama.tokenize(text.encode(), add_bos=False, special=True)
        if self._llama.n_ctx() - len(prompt) < 16:
            raise BadRequest(
                f"the conversation has {len(prompt)} tokens, {self.name} takes {self._llama.n_ctx()}; shorten it, "
                "or raise ARCHIVAR_CONTEXT_TOKENS",
                "messages",
            )
        return prompt, [formatted.stop] if isinstance(formatted.stop, str) else list(formatted.stop or ())

    def close(self) -> None:
        """Stop what is running and free the model."""
        self._stop.set()
        self._engine.shutdown(wait=True)
        self._llama.close()
