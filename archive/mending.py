"""mend(): makes vectors and words agree with the ledger again, which decides what there is.

It can be broken off anywhere: shelves that are made anew take the old one's place in one transaction, and what is to be
indexed again is noted before anything is taken out.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from archive.articles import TIME_ZONE
from archive.checking import Comparison
from archive.differences import Differences
from archive.errors import ArchiveError
from archive.index import Index
from archive.ledger import Ledger
from archive.splitting import remake

log = logging.getLogger(__name__)

_BATCH = 500


def mend(
    differences: Differences, comparison: Comparison, ledger: Ledger, index: Index, rebuild_words: Callable[[], int]
) -> Iterator[str]:
    """Mend what a comparison found, for the one who holds the write lock; yields what was done, in a few words each.

    What is to be embedded again is noted in the ledger, for Archive.index_pending.
    """
    yield from _remade(differences, index)
    noted, strays = _noted(differences, ledger), _discarded(differences, index)
    if noted:
        yield f"{noted:,} passages are indexed again"
    if strays:
        yield f"{strays:,} entries were taken out that belong to nothing in the ledger or lay on the wrong shelf"
    if any(finding.part == "words" and finding.kind == "unreadable" for finding in comparison.findings):
        yield f"the words of {rebuild_words():,} passages were made anew"


def _remade(differences: Differences, index: Index) -> Iterator[str]:
    shelves, chroma = index.vectors.parts
    for name, wrong in list(differences.torn.items()):
        log.warning("vectors: shelf %s is damaged (%s) and is made anew", name, wrong)
        old = next(shelf for shelf in shelves.serving() if shelf.name == name)
        with chroma.errors():
            new, saved = remake(old, shelves, chroma, trusted=not chroma.torn(name))
        index.vectors.reload()
        differences.replace_shelf(name, index.vectors, new)
        yield f"shelf {name} was made anew, {saved:,} of its vectors could be kept"


def _noted(differences: Differences, ledger: Ledger) -> int:
    count = 0
    for part in ("vectors", "words"):
        for kind in ("missing", "stale", "double", "misplaced"):
            ids = differences.ids(part, kind)
            while page := list(islice(ids, _BATCH)):
                ledger.notes.again(page)
                count += len(page)
    return count


def _discarded(differences: Differences, index: Index) -> int:
    count = 0
    for part in ("vectors", "words"):
        for kind in ("stray", "double", "misplaced"):
            ids = differences.ids(part, kind)
            while page := list(islice(ids, _BATCH)):
                index.discard(page)
                count += len(page)
    return count


def set_aside(home: Path, name: str) -> Path:
    """Rename a damaged part of an archive, so that it is made anew; returns where it lies now."""
    now = datetime.now(TIME_ZONE).strftime("%Y-%m-%d-%H%M%S")
    place = home / f"{name}-damaged-{now}"
    try:
        (home / name).rename(place)
    except OSError as error:
        raise ArchiveError(f"{home / name}: {error.strerror}; check the folder's rights") from error
    return place
