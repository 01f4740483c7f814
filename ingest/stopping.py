"""Stopping: how a command that runs for months ends within a moment and leaves nothing half done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """The wish to stop, raised where it may break something off. No Exception, so that no library takes it for one."""


class Stopping:
    """SIGINT and SIGTERM as one wish: waits and visits end at once, what is being written ends first.

    A second signal ends that, too: what is written survives it as it survives a crash.
    """

    def __init__(self) -> None:
        self._asked = False
        self._open = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals; for the main thread. Ends quietly where the block was stopped."""
        before = {number: signal.signal(number, self._ask) for number in STOPPING}
        try:
            yield
        except Stopped:
            pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that the wish to stop may break off anywhere. Raises Stopped, at once where it came before."""
        self._open = True
        try:
            if self._asked:
                raise Stopped
            yield
        finally:
            self._open = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        before, self._asked = self._asked, True
        if self._open or before:
            raise Stopped
