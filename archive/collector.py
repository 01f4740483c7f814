"""Python's garbage collector, which has little to do where what is loaded stays, and would look through all of it."""

import contextlib
import ctypes
import gc


def rest() -> None:
    """Off while a program loads, till wake(): a twelfth of a server's start."""
    gc.disable()


def wake() -> None:
    """All is loaded: on again, and what loading took beyond what is kept goes back to the system."""
    gc.enable()
    with contextlib.suppress(OSError, AttributeError):  # only glibc can be asked for it
        ctypes.CDLL(None).malloc_trim(0)


def keep() -> None:
    """Never look again at what is there now.

    Each full collection would, and stops everything meanwhile (measured: for 150 ms).
    """
    gc.unfreeze()  # what was kept before and has gone since
    gc.collect()
    gc.freeze()
