"""Keeping shelves at a size: the newest is closed when it is full, any other that overflows is split by date.

Every step can be repeated after a crash: new shelves are noted before they are filled, one transaction puts them in the
old one's place, and what is noted but not in use is dropped by the next writer.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from chromadb.errors import ChromaError

from archive.chroma import Chroma
from archive.entries import readable
from archive.shelves import Bounds, Shelf, Shelves, cut, next_month

log = logging.getLogger(__name__)

# Passages. A question without a period asks every shelf, about 4 ms each almost whatever it holds, so there should be
# few. But a split builds graphs anew, 0.8 ms a passage; a reader reads the newest anew after an ingest, 6 microseconds
# a passage; and the less a shelf holds beside a month, the sooner that month is searched.
FULL, OVERFULL = 80_000, 120_000
_NEWER = 0.5  # arrivals that only this share of the shelf is newer than come in the order of time
_PAGE = 1000
_NEVER: Bounds = (0, 0)


def fit(shelf: Shelf, arrived: Sequence[int], shelves: Shelves, chroma: Chroma) -> bool:
    """Close or split a shelf that has outgrown its limit by passages `arrived` (Unix seconds); whether it did."""
    held = chroma.collection(shelf.name).count()
    if held < FULL or not shelf.dated:
        return False
    if shelf.after is None and arrived and _in_order(shelf, min(arrived), shelves):
        close(shelf, shelves)
        return True
    return held >= OVERFULL and split(shelf, shelves, chroma)


def _in_order(shelf: Shelf, earliest: int, shelves: Shelves) -> bool:
    newer = shelves.articles_within((earliest, None))
    return newer <= _NEWER * shelves.articles_within((shelf.first, None))


def close(last: Shelf, shelves: Shelves) -> None:
    """Begin a new shelf with the next month; nothing needs to move."""
    after = next_month(shelves.newest())
    (successor,) = shelves.plan([((after, None), False)])
    shelves.close_at(last, after, successor)
    log.info("vectors of %s: full, a new shelf begins", last.name)


def split(shelf: Shelf, shelves: Shelves, chroma: Chroma) -> bool:
    """Share a shelf's passages out to two new ones, the undated to a third; False where all are of one day."""
    old = chroma.collection(shelf.name)
    moments = shelves.moments(old.get(include=[])["ids"])
    at = cut([moment for moment in moments.values() if moment is not None])
    if at is None:
        return False
    ranges = [((shelf.first, at), False), ((at, shelf.after), False), *([(_NEVER, True)] if shelf.undated else [])]
    new = shelves.plan(ranges)
    log.info("vectors of %s: splitting %d passages", shelf.name, len(moments))
    for target in new:
        copied = chroma.create(target.name)
        # Those that a pending change of date moves off this shelf fit none of the new ones; they come with that change.
        ids = [passage_id for passage_id, moment in moments.items() if target.holds(moment)]
        for start in range(0, len(ids), _PAGE):
            page = old.get(ids=ids[start : start + _PAGE], include=["embeddings", "metadatas"])
            copied.upsert(ids=page["ids"], embeddings=page["embeddings"], metadatas=page["metadatas"])
    shelves.switch(shelf, new)
    tidy(shelves, chroma)
    return True


def remake(shelf: Shelf, shelves: Shelves, chroma: Chroma, *, trusted: bool) -> tuple[Shelf, int]:
    """Put a new shelf in the place of a damaged one, with those of its vectors that can be read; returns how many.

    Of a graph that isn't `trusted` none are: where its files are cut off, Chroma reads what happens to be in memory.
    """
    (new,) = shelves.plan([((shelf.first, shelf.after), shelf.undated)])
    target, saved = chroma.create(new.name), 0
    for page in _readable(chroma, shelf.name) if trusted else ():
        target.upsert(**page)
        saved += len(page["ids"])
    shelves.switch(shelf, [new])
    tidy(shelves, chroma)
    return new, saved


def _readable(chroma: Chroma, name: str) -> Iterator[dict[str, Any]]:
    try:
        old = chroma.collection(name)
        ids = old.get(include=[])["ids"]
    except ChromaError:  # not even its ids
        return
    for start in range(0, len(ids), _PAGE):
        yield from readable(old, ids[start : start + _PAGE])


def tidy(shelves: Shelves, chroma: Chroma) -> None:
    """Drop what a split has left behind."""
    for shelf in shelves.unfinished():
        chroma.drop(shelf.name)
        shelves.forget(shelf)
