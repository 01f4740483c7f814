"""ingest(): the way of an article into the archive, read -> clean -> known? -> split -> embed -> add -> report."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from archive.archive import Archive
from archive.errors import BadArticle, SourceError
from archive.runs import Run
from archive.visits import Visits
from ingest.clean import clean
from ingest.news import news
from ingest.report import Found, Record, Reject, Report, Tally, Visited
from ingest.sources.raw import shown
from ingest.sources.reading import read
from ingest.split import split
from ingest.twins import Recognition, catch_up
from ingest.web.visits import Gone

if TYPE_CHECKING:
    from ingest.web.visitor import Visitor

BATCH = 500  # records that share one transaction; an interrupted run loses no more than these
WAIT = 60.0  # seconds that a command waits for another writer: so long a watcher's batch takes at most
PATIENCE = 20.0  # seconds after which records that come one by one are taken in, so that they can soon be found
_MISSES = 2  # a page that was not found once may be back tomorrow


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: records finished, passages indexed."""

    records: int
    passages: int


def ingest(
    sources: Sequence[str],
    archive: Archive,
    *,
    publisher: str = "",
    now: datetime | None = None,
    visitor: "Visitor | None" = None,
    wait: float = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Store and index what `sources` (paths, folders, addresses) hold; what the archive already has costs little.

    A source that can't be read is one reject, and the others go on. `publisher` goes before what the sources name;
    `now` (aware, default: the clock) is what dates are held against; `visitor` fetches addresses. Raises ArchiveLocked
    where another process goes on writing for `wait` seconds.
    """
    with archive.writing(wait):
        records = _read(sources, now or datetime.now(UTC), publisher, visitor)
        return take(records, archive, what=shown(f"ingest {' '.join(sources)}"), on_progress=on_progress)


def take(
    records: Iterable[Record],
    archive: Archive,
    *,
    what: str,
    wait: float = 0,
    quiet: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Take records in, batch by batch as they come, and note the run as `what`; a `quiet` one only if it had news.

    The archive is locked while a batch is written and free while the next is waited for, unless the caller holds it.
    """
    started, tally = perf_counter(), Tally()
    with Run(archive.ledger, what, tally, quiet=quiet) as run:
        for batch in _batches(records):
            with archive.writing(wait):
                _take(batch, archive, tally, on_progress)
            run.note()
    return tally.report(perf_counter() - started)


def _take(
    batch: Sequence[Record], archive: Archive, tally: Tally, on_progress: Callable[[Progress], None] | None
) -> None:
    before = tally.records
    found = list(_clean(batch, tally))
    catch_up(archive.ledger)
    recognition = Recognition(archive.ledger)
    fresh = news(found, recognition, archive.ledger, tally)
    archive.ledger.store([(article, split(article)) for article in fresh])
    recognition.settle(fresh)
    _withdraw([record for record in batch if isinstance(record, Gone)], archive, tally)
    report = _reporter(on_progress, tally, before)
    tally.passages += archive.index_pending(report)  # embeds and adds
    _note_visits(batch, archive)
    report(1, 1)


def _read(sources: Iterable[str], now: datetime, publisher: str, visitor: "Visitor | None") -> Iterator[Record]:
    for source in sources:
        try:
            yield from read(source, now, publisher, visitor)
        except SourceError as error:
            yield Reject(shown(source), str(error).removeprefix(f"{shown(source)}: "))


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    began = monotonic()
    for record in records:
        batch.append(record)
        if len(batch) >= BATCH or monotonic() - began > PATIENCE:
            yield batch
            batch, began = [], monotonic()
    if batch:
        yield batch


def _clean(batch: Iterable[Record], tally: Tally) -> Iterator[Found]:
    for record in batch:
        if isinstance(record, Reject):
            tally.rejected.append(record)
        elif isinstance(record, Found):
            try:
                yield replace(record, article=clean(record.article))
            except BadArticle as error:
                tally.rejected.append(record.rejected(str(error)))


def _withdraw(gone: Iterable[Gone], archive: Archive, tally: Tally) -> None:
    for page in gone:
        article_id = archive.ledger.at_addresses([page.address]).get(page.address, "")
        record = archive.ledger.record(article_id)
        if record is None:
            tally.rejected.append(Reject(page.address, f"the server answers {page.status}; check the address"))
        elif record.article.url not in (None, page.address):
            continue  # it has another address now
        elif page.status == 410 or Visits(archive.ledger).missed(page.address) >= _MISSES:
            tally.withdrawn += archive.ledger.withdraw(article_id)


def _note_visits(batch: Iterable[Record], archive: Archive) -> None:
    visits = Visits(archive.ledger)
    for record in batch:
        if isinstance(record, Visited):
            visits.note(record.address, record.validators.etag, record.validators.last_modified)


def _reporter(on_progress: Callable[[Progress], None] | None, tally: Tally, before: int) -> Callable[[int, int], None]:
    """Turns a batch's passages (done, total) into records and passages of the whole run."""

    def report(done: int, total: int) -> None:
        if on_progress is None:
            return
        finished = done >= total
        records = tally.records if finished else before + (tally.records - before) * done // total
        on_progress(Progress(records, tally.passages + (0 if finished else done)))

    return report
