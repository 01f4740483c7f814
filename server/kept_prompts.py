"""What llama.cpp's KV cache held before another prompt took its place: kept in memory, and brought back.

Of two who talk by turns each would have all read anew that the model has read of its talk before. llama.cpp's server
keeps such states, too (`--cache-ram`). Measured for 200 tokens: 17 ms to keep, and to bring back; 1.3 s to read.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import llama_cpp
import numpy as np
from numpy.typing import NDArray

_LEAST = 32  # tokens: what begins alike for less is read again, 0.2 s on two cores
_MOST_BYTES = 128 * 2**20  # of all that is kept: about 4,700 tokens of the default model


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    tokens: NDArray[np.intc]
    data: NDArray[np.uint8]


class KeptPrompts:
    """States of the one sequence of a context; for the thread that the model belongs to."""

    def __init__(self, llama: llama_cpp.Llama) -> None:
        self._llama = llama
        self._states: list[_State] = []  # what was used last comes last

    def recall(self, prompt: Sequence[int]) -> int:
        """Have the cache hold as much of the prompt's beginning as is known; returns how many tokens that is."""
        llama = self._llama
        held = llama.longest_token_prefix(llama._input_ids, prompt)
        if held >= _LEAST:
            return int(held)
        alike = {state: int(llama.longest_token_prefix(state.tokens, prompt)) for state in self._states}
        best = max(alike, key=lambda state: alike[state], default=None)
        if best is None or alike[best] < _LEAST:
            self._keep()
            return int(held)
        self._states.remove(best)  # it is kept again, with what is read behind it, when it has to leave
        self._keep()
        return alike[best] if self._bring_back(best) else 0

    def _keep(self) -> None:
        llama, context = self._llama, self._llama._ctx.ctx
        if llama.n_tokens < _LEAST:
            return
        llama._ctx.kv_cache_seq_rm(-1, llama.n_tokens, -1)  # of a prompt that was given up
        data = np.empty(llama_cpp.llama_state_seq_get_size(context, 0), np.uint8)
        llama_cpp.llama_state_seq_get_data(context, _pointer(data), len(data), 0)
        self._states.append(_State(llama._input_ids.copy(), data))
        while sum(len(state.data) for state in self._states) > _MOST_BYTES:
            del self._states[0]

    def _bring_back(self, state: _State) -> bool:
        llama = self._llama
        if not llama_cpp.llama_state_seq_set_data(llama._ctx.ctx, _pointer(state.data), len(state.data), 0):
            llama.reset()
            return False
        llama.n_tokens = len(state.tokens)
        llama.input_ids[: llama.n_tokens] = state.tokens
        llama._requires_eval = True  # the last logits are another prompt's
        return True


def _pointer(data: NDArray[np.uint8]) -> "ctypes._Pointer[ctypes.c_uint8]":
    return data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
