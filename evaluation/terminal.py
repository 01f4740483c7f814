"""What the commands take from the command line, and show while they work, on a terminal or in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console

from archive.errors import SettingsError

_LINE_EVERY = 10.0  # seconds between plain progress lines where no terminal shows a bar
_PLAIN_WIDTH = 140  # columns of a table where no terminal limits them


def open_console() -> Console:
    """Standard error, wide enough for tables where it is no terminal."""
    console = Console(stderr=True)
    return console if console.is_terminal else Console(stderr=True, width=_PLAIN_WIDTH)


@contextmanager
def progress(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows (done, total) of `what` as it is told: a bar, or in a log a line every few seconds."""
    from rich.progress import Progress

    if console.is_terminal:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(what)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    line = sparse_lines(console)
    yield lambda done, total: line(f"{what}: {done:,} of {total:,}", done == total)


def sparse_lines(console: Console) -> Callable[[str, bool], None]:
    """Prints (line, whether it is due at once): others only every few seconds."""
    last = monotonic()

    def show(line: str, is_due: bool) -> None:
        nonlocal last
        if is_due or monotonic() - last >= _LINE_EVERY:
            last = monotonic()
            console.print(line, highlight=False)

    return show


def whole_numbers(option: str, text: str, *, least: int, example: str) -> list[int]:
    """The numbers of an option, with commas between, in order. Raises SettingsError."""
    try:
        numbers = sorted({int(part.replace("_", "")) for part in text.split(",")})
    except ValueError as error:
        raise SettingsError(f"{option} {text}: no numbers; write for example {example}") from error
    if numbers[0] < least:
        raise SettingsError(f"{option} {text}: {numbers[0]} is too few to measure; ask for {least} at least")
    return numbers
