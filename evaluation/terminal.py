"""What the commands show while they work, on a terminal or in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

_LINE_EVERY = 10.0  # seconds between plain progress lines where no terminal shows a bar
_PLAIN_WIDTH = 140  # columns of a table where no terminal limits them


def open_console() -> Console:
    """Standard error, wide enough for tables where it is no terminal."""
    console = Console(stderr=True)
    return console if console.is_terminal else Console(stderr=True, width=_PLAIN_WIDTH)


@contextmanager
def progress(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows (done, total) of `what` as it is told: a bar, or in a log a line every few seconds."""
    from time import monotonic

    from rich.progress import Progress

    if console.is_terminal:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(what)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    last = monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        if done == total or monotonic() - last >= _LINE_EVERY:
            last = monotonic()
            console.print(f"{what}: {done:,} of {total:,}", highlight=False)

    yield line
