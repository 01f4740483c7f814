"""The end of a server: running answers may end, within a limit; what still runs then is broken off readably."""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import FrameType
from typing import Any

from server.running import Runnings

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 2.0  # seconds beyond the limit, in which the last lines reach their readers


def exit_cleanly() -> None:
    """Make an end by SIGTERM no failure: uvicorn raises the signal again for whoever had it before."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


@contextmanager
def breaking_off(runnings: Runnings, seconds: float) -> Iterator[None]:
    """While it serves: `seconds` after the first signal to stop, all that still runs is broken off.

    uvicorn stops listening at the signal and waits for open connections; its own limit has to lie beyond ours, since
    it drops them, and a dropped stream looks like a whole answer. A second signal breaks off at once; uvicorn, which
    would drop them for it, hears of a third. Only the main thread gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, kept, heard = asyncio.get_running_loop(), dict[signal.Signals, Any](), count(1)

    def following(before: Any) -> Callable[[int, FrameType | None], None]:  # noqa: ANN401 - what signal() returns
        def handle(number: int, frame: FrameType | None) -> None:
            time = next(heard)
            loop.call_soon_threadsafe(loop.call_later, seconds if time == 1 else 0, runnings.break_off)
            if callable(before) and time != 2:
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
