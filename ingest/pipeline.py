"""ingest(): the way of an article into the archive, read -> clean -> known? -> split -> embed -> add -> report."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter

from archive.archive import Archive
from archive.articles import Article
from archive.errors import BadArticle, SourceError
from archive.ledger import Ledger
from ingest.clean import clean
from ingest.report import Found, Reject, Report
from ingest.sources.reading import read
from ingest.split import split

BATCH = 500  # records that share one transaction; an interrupted run loses no more than these


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: records finished, passages indexed."""

    records: int
    passages: int


@dataclass(slots=True)
class _Tally:
    """What one run has counted so far, and the ids it has seen."""

    stored: int = 0
    changed: int = 0
    unchanged: int = 0
    passages: int = 0
    rejected: list[Reject] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @property
    def records(self) -> int:
        return self.stored + self.changed + self.unchanged + len(self.rejected)


def ingest(
    sources: Sequence[str],
    archive: Archive,
    *,
    publisher: str = "",
    now: datetime | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Store and index what `sources` (paths, folders, addresses) hold; what the archive already has costs little.

    A source that can't be read is one reject, and the others go on. `publisher` goes before what the sources name;
    `now` (aware, default: the clock) is what dates are held against. Raises ArchiveLocked where another process writes.
    """
    started, tally = perf_counter(), _Tally()
    with archive.writing():
        for batch in _batches(_read(sources, now or datetime.now(UTC), publisher)):
            before = tally.records
            news = _news(_clean(batch, tally), archive.ledger, tally)
            archive.ledger.store([(article, split(article)) for article in news])
            report = _reporter(on_progress, tally, before)
            tally.passages += archive.index_pending(report)  # embeds and adds
            report(1, 1)
    return Report(
        stored=tally.stored,
        changed=tally.changed,
        unchanged=tally.unchanged,
        rejected=tuple(tally.rejected),
        passages=tally.passages,
        seconds=perf_counter() - started,
    )


def _read(sources: Iterable[str], now: datetime, publisher: str) -> Iterator[Found | Reject]:
    for source in sources:
        try:
            yield from read(source, now, publisher)
        except SourceError as error:
            yield Reject(source, str(error).removeprefix(f"{source}: "))


def _batches(records: Iterator[Found | Reject]) -> Iterator[list[Found | Reject]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def _clean(batch: Iterable[Found | Reject], tally: _Tally) -> Iterator[Found]:
    for record in batch:
        if isinstance(record, Reject):
            tally.rejected.append(record)
            continue
        try:
            yield replace(record, article=clean(record.article))
        except BadArticle as error:
            tally.rejected.append(record.rejected(str(error)))


def _news(batch: Iterable[Found], ledger: Ledger, tally: _Tally) -> list[Article]:
    """Those that the archive has not, or not in this version; each id once."""
    best: dict[str, Found] = {}
    for found in batch:
        held = best.get(found.article.id)
        if held is None or _replaces(found, held.article, tally):
            tally.unchanged += held is not None  # the lesser of two versions in one batch is never news
            best[found.article.id] = found
    known = ledger.known(best)
    news = []
    for article_id, found in best.items():
        if article_id not in known:
            tally.stored += 1
            news.append(found.article)
        elif known[article_id].content_hash == found.article.content_hash:
            tally.unchanged += 1
        elif (kept := ledger.article(article_id)) and _replaces(found, kept, tally):
            tally.changed += 1
            news.append(found.article)
    tally.seen.update(best)
    return news


def _replaces(found: Found, held: Article, tally: _Tally) -> bool:
    """Whether this is a better version of what is held under its id; counts it where it is not."""
    article = found.article
    if article.source != held.source and article.title != held.title:
        ours, theirs = f"{held.title!r} ({held.source})", f"{article.title!r} ({article.source})"
        tally.rejected.append(found.rejected(f"id {article.id} belongs to {ours}, so it can't name {theirs}"))
        return False
    # Lists, feeds and pages name the same article with slightly different headlines. Within one run the first headline
    # stands, or each run would find "changes" again; a text is always taken in its last version.
    repeated = article.id in tally.seen and not article.text and _fullness(article) == _fullness(held)
    if article.content_hash == held.content_hash or _fullness(article) < _fullness(held) or repeated:
        tally.unchanged += 1
        return False
    return True


def _fullness(article: Article) -> tuple[bool, ...]:
    return bool(article.text), bool(article.teaser), bool(article.url), article.published is not None


def _reporter(on_progress: Callable[[Progress], None] | None, tally: _Tally, before: int) -> Callable[[int, int], None]:
    """Turns a batch's passages (done, total) into records and passages of the whole run."""

    def report(done: int, total: int) -> None:
        if on_progress is None:
            return
        finished = done >= total
        records = tally.records if finished else before + (tally.records - before) * done // total
        on_progress(Progress(records, tally.passages + (0 if finished else done)))

    return report
