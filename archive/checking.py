"""compare(): whether the indexes hold what the ledger does, by id and content hash."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

from archive.differences import SAMPLES, Differences, Finding
from archive.errors import ArchiveError
from archive.ledger import Ledger
from archive.ledger_faults import RESTORE
from archive.vectors import Vectors
from archive.words import Words


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    `pending` is work still to be done, and `unhashed` entries were made by an older version of the program, which noted
    no hash: neither is damage.
    """

    articles: int
    passages: int
    vectors: int
    words: int
    pending: int
    unhashed: int
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether nothing is damaged."""
        return not self.findings


def compare(
    ledger: Ledger, vectors: Vectors | str, words: Words | str, only: Iterable[str] | None = None
) -> Comparison:
    """Compare all three, for the one who holds the write lock. A part that can't be opened is what is wrong with it.

    Of the vectors, `only` those on these shelves are read and not only listed. Raises ArchiveError where the ledger
    can't be read.
    """
    with Differences() as differences:
        return compared(differences, ledger, vectors, words, only)


def compared(
    differences: Differences,
    ledger: Ledger,
    vectors: Vectors | str,
    words: Words | str,
    only: Iterable[str] | None = None,
) -> Comparison:
    """compare(), with the ids left in `differences`."""
    started = perf_counter()
    findings: list[Finding] = []
    try:
        findings += differences.read_ledger(ledger)
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise ArchiveError(f"the ledger can't be read ({error}); {RESTORE}") from error
    findings += _of_vectors(differences, vectors, only)
    findings += _of_words(differences, words)
    if ledger.fact("embedder") is None and differences.count("vectors") + differences.count("words"):
        findings = [Finding("ledger", "lost", 1, ("it was deleted or cut off",))]
    counts = ledger.counts()
    return Comparison(
        articles=counts.articles,
        passages=differences.count("ledger"),
        vectors=differences.count("vectors"),
        words=differences.count("words"),
        pending=differences.count("noted"),
        unhashed=differences.count("vectors", "hash IS NULL"),
        findings=tuple(findings),
        seconds=perf_counter() - started,
    )


def _of_vectors(differences: Differences, vectors: Vectors | str, only: Iterable[str] | None) -> list[Finding]:
    if isinstance(vectors, str):
        return [Finding("vectors", "unreadable", 1, (vectors,))]
    _, chroma = vectors.parts
    if wrong := chroma.damage():
        return [Finding("vectors", "unreadable", 1, (wrong,))]
    try:
        differences.read_vectors(vectors, only)
    except ArchiveError as error:
        return [Finding("vectors", "unreadable", 1, (str(error.__cause__ or error),))]
    found = list(differences.findings("vectors"))
    if differences.torn:
        samples = tuple(f"{name}: {wrong}" for name, wrong in differences.torn.items())
        found.insert(0, Finding("vectors", "torn", len(samples), samples[:SAMPLES]))
    return found


def _of_words(differences: Differences, words: Words | str) -> list[Finding]:
    wrong = words if isinstance(words, str) else words.torn()
    if wrong is None and not isinstance(words, str):
        try:
            differences.read_words(words)
        except ArchiveError as error:
            wrong = str(error.__cause__ or error)
    return [Finding("words", "unreadable", 1, (wrong,))] if wrong else list(differences.findings("words"))
