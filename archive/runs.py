"""Runs: what each ingest did, kept so that an operator can see how the archive is doing."""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from archive.ledger import Ledger
from archive.records import stamp


class Counted(Protocol):
    """What a run counts."""

    stored: int
    changed: int
    unchanged: int
    withdrawn: int
    passages: int

    @property
    def rejected(self) -> Sequence[object]:
        """One entry for each record that was left out."""


class Run:
    """One run in the ledger's table, counts as of its last batch; `ended` stays empty where it was broken off.

    A `quiet` run leaves no row where nothing came of it, as most of those that a watcher makes all day.
    """

    def __init__(self, ledger: Ledger, what: str, counted: Counted, *, quiet: bool = False) -> None:
        self._ledger, self._counted, self._quiet = ledger, counted, quiet
        started = "INSERT INTO runs (what, started) VALUES (?, ?)"
        self._number = ledger.db.execute(started, (what, stamp())).lastrowid

    def note(self, ended: str | None = None) -> None:
        """Write the counts as they stand."""
        counted = self._counted
        self._ledger.db.execute(
            """UPDATE runs SET stored = ?, changed = ?, unchanged = ?, withdrawn = ?, rejected = ?, passages = ?,
               ended = ? WHERE number = ?""",
            (
                counted.stored, counted.changed, counted.unchanged, counted.withdrawn, len(counted.rejected),
                counted.passages, ended, self._number,
            ),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        counted = self._counted
        if self._quiet and not (counted.stored or counted.changed or counted.withdrawn or counted.rejected):
            self._ledger.db.execute("DELETE FROM runs WHERE number = ?", (self._number,))
        elif kind is None:
            self.note(stamp())
