"""The end of a server: running answers may end, within a limit; what still runs then is broken off readably."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from server.running import Runnings

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 2.0  # seconds beyond the limit, in which the last lines reach their readers


@contextmanager
def breaking_off(runnings: Runnings, seconds: float) -> Iterator[None]:
    """While it serves: `seconds` after the first signal to stop, all that still runs is broken off.

    uvicorn stops listening at the signal and waits for open connections; its own limit has to lie beyond ours, since
    it drops them, and a dropped stream looks like a whole answer. Only the main thread gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, kept = asyncio.get_running_loop(), dict[signal.Signals, Any]()

    def following(before: Any) -> Callable[[int, FrameType | None], None]:  # noqa: ANN401 - what signal() returns
        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(loop.call_later, seconds, runnings.break_off)
            if callable(before):
                before(number, frame)

        return handle

    for number in _SIGNALS:
        kept[number] = signal.getsignal(number)
        signal.signal(number, following(kept[number]))
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)
