"""backfill(): a publisher's articles of a period, from its index pages into the archive."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime

from archive.archive import Archive
from archive.errors import SourceError
from archive.visits import Visits
from ingest.pipeline import WAIT, Progress, take
from ingest.report import Record, Reject, Report
from ingest.sources.crawl import Progress as Crawled
from ingest.sources.crawl import crawl
from ingest.sources.publishers.publisher import Publisher
from ingest.web.visitor import Visitor
from ingest.web.visits import Validators


def backfill(
    publisher: Publisher,
    start: date,
    end: date,
    archive: Archive,
    visitor: Visitor,
    *,
    again: bool = False,
    now: datetime | None = None,
    crawled: Crawled | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Bring in what a publisher brought out from `start` to `end`, both included; what is held whole is not fetched.

    With `again` it is asked for, too, whether it has changed or gone. A run that broke off goes on where it was: what
    it stored is known by then. `crawled` counts while it runs. Raises ArchiveLocked where another process goes on
    writing.
    """
    visits = Visits(archive.ledger)

    def is_known(article_id: str, address: str) -> bool:
        return any(is_whole(archive, name) for name in (article_id, *archive.ledger.at_addresses([address]).values()))

    records = crawl(
        publisher, start, end, visitor.visit, is_known, now or datetime.now(UTC),
        again=again, validators=lambda address: Validators(*visits.validators(address)), progress=crawled,
    )  # fmt: skip
    what = f"ingest {publisher.name} --from {start} --to {end}"
    return take(_to_the_end(records, publisher.name), archive, what=what, wait=WAIT, on_progress=on_progress)


def is_whole(archive: Archive, article_id: str) -> bool:
    """Whether all that is free to read of an article is held, or it was withdrawn."""
    held = archive.ledger.known([article_id]).get(article_id)
    return held is not None and (held.whole or held.withdrawn)


def _to_the_end(records: Iterable[Record], name: str) -> Iterator[Record]:
    """With a reject in place of the error that ended it, so that what came before is stored."""
    try:
        yield from records
    except SourceError as error:
        yield Reject(name, str(error).removeprefix(f"{name}: "))
