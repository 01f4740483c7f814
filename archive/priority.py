"""Who goes first where processors are scarce."""

import os

_NICENESS = 10  # a tenth of the processor time of a server that wants it, all of it where none does


def step_back() -> None:
    """Let those go first who ask the archive something; for a command that writes to it."""
    if hasattr(os, "nice"):
        os.nice(max(0, _NICENESS - os.nice(0)))
