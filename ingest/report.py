"""What readers yield and what an ingest says of itself: Found, Reject, Visited, Report."""

from dataclasses import dataclass, field

from archive.articles import Article
from ingest.web.visits import Gone, Validators


@dataclass(frozen=True, slots=True)
class Found:
    """An article and where it was read; `file` and `place` as in Reject.

    `addresses` led to its own page, which was fetched just now: those that redirected and the last one.
    """

    article: Article
    file: str
    place: str = ""
    addresses: tuple[str, ...] = ()

    def rejected(self, reason: str) -> "Reject":
        """The same record, left out after all."""
        return Reject(self.file, reason, self.place)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record, or a whole file, that did not become an article.

    `file` is the path or address as the user gave it, `place` where in it (`line 12`, `entry 3`), empty for all of it.
    """

    file: str
    reason: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: {self.reason}" if self.place else f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Visited:
    """After all that one address of the web held: what to ask it with the next time, once all of that is stored."""

    address: str
    validators: Validators


Record = Found | Reject | Gone | Visited
"""What comes out of a source. Gone: a visit to an address that found nothing there (any more)."""


@dataclass(frozen=True, slots=True)
class Report:
    """The sum of one ingest. Every article read is counted once: stored, changed, unchanged, forgotten or rejected.

    `forgotten` were left out since they had been removed on request. `withdrawn` are articles that are gone from where
    they were published. `passages` were embedded and indexed in this run; that may include work that an interrupted run
    left behind.
    """

    stored: int
    changed: int
    unchanged: int
    rejected: tuple[Reject, ...]
    passages: int
    seconds: float
    withdrawn: int = 0
    forgotten: int = 0

    @property
    def exit_code(self) -> int:
        """0 all stored or known, 1 nothing but rejects, 3 stored with rejects."""
        if not self.rejected:
            return 0
        return 3 if self.stored + self.changed + self.unchanged else 1


@dataclass(slots=True)
class Tally:
    """What one run has counted so far, and the ids it has seen."""

    stored: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    forgotten: int = 0
    passages: int = 0
    rejected: list[Reject] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @property
    def records(self) -> int:
        """Records that are finished."""
        return self.stored + self.changed + self.unchanged + self.withdrawn + self.forgotten + len(self.rejected)

    def report(self, seconds: float) -> Report:
        """The sum at the end."""
        return Report(
            self.stored, self.changed, self.unchanged, tuple(self.rejected), self.passages, seconds, self.withdrawn,
            self.forgotten,
        )  # fmt: skip
