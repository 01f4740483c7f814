"""What readers yield and what an ingest says of itself: Found, Reject, Report."""

from dataclasses import dataclass

from archive.articles import Article


@dataclass(frozen=True, slots=True)
class Found:
    """An article and where it was read; `file` and `place` as in Reject."""

    article: Article
    file: str
    place: str = ""

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
class Report:
    """The sum of one ingest. Every record read is counted once: stored, changed, unchanged or rejected.

    `passages` were embedded and indexed in this run; that may include work an interrupted run left behind.
    """

    stored: int
    changed: int
    unchanged: int
    rejected: tuple[Reject, ...]
    passages: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 all stored or known, 1 nothing but rejects, 3 stored with rejects."""
        if not self.rejected:
            return 0
        return 3 if self.stored + self.changed + self.unchanged else 1
