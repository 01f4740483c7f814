"""Watcher: reads feeds again and again, brings in what is new, and looks after what it brought in.

A round reads the feeds that are due, takes their entries in at once as headline and teaser, and then visits pages that
are due. All that it has to know for the next round stands in the ledger, so that it may be ended at any moment.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from archive.archive import Archive
from archive.errors import ArchivarError, ArchiveLocked, SourceError
from archive.records import Known
from archive.visits import Visits
from archive.watched import Watch, Watched
from ingest.pipeline import take
from ingest.rejects import note_rejects
from ingest.report import Found, Record, Reject, Report
from ingest.sources.feed import read_feed
from ingest.sources.feed_pace import asked_pause
from ingest.sources.records import Origin
from ingest.stopping import Stopping
from ingest.watched_feeds import Entry, Feed, entries_of
from ingest.watched_pages import Outcome, visit_page, watch_entry
from ingest.web.exchange import Limits
from ingest.web.pacing import Clock
from ingest.web.visitor import Visitor
from ingest.web.visits import Fetched, Gone, Validators

log = logging.getLogger(__name__)

# A page that hangs must not keep the feeds waiting, and what fails is tried again by a later round, not by the visit.
LIMITS = Limits(connect=5, silence=10, total=20, tries=1, longest_wait=0)

_PAGES = 15.0  # seconds of one round for pages, after which what they hold is taken in
_MOST_PAGES = 100
_FAILING = 3  # pages in a row that can't be fetched, after which the server is left in peace
_LOCK_WAIT = 1.0  # seconds for one attempt at the archive's lock
_REST, _PAGES_REST, _LONGEST_REST = 5.0, 60.0, 900.0  # seconds after a round, or pages, that failed


class Watcher:
    """Watches feeds for one archive, until it is stopped. `what` is the name of its runs in the ledger."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        archive: Archive,
        visitor: Visitor,
        stopping: Stopping,
        *,
        what: str = "watch",
        clock: Clock | None = None,
    ) -> None:
        self._feeds = feeds
        self._archive, self._visitor, self._stopping = archive, visitor, stopping
        self._watched, self._visits = Watched(archive.ledger), Visits(archive.ledger)
        self._what, self._clock = what, clock or Clock()
        self._failures, self._whole = 0, False
        self._pages_failed, self._pages_after = 0, 0.0

    def run(self) -> None:
        """Round after round."""
        while True:
            self._sleep(self.attempt())

    def once(self) -> None:
        """Read each feed once and visit every page that is due. Raises SourceError where no feed can be read."""
        for feed in self._feeds:
            feed.due = 0.0
        self.round()
        while self._visit_pages():
            pass
        if all(feed.failures for feed in self._feeds):
            raise SourceError("; ".join(feed.trouble for feed in self._feeds))

    def attempt(self) -> float:
        """One round, whatever becomes of it; returns the seconds to the next."""
        try:
            self.round()
        except (ArchivarError, sqlite3.Error, OSError) as error:
            self._failures, self._whole = self._failures + 1, False
            rest = _doubled(_REST, self._failures)
            log.log(_level(self._failures), "nothing can be stored: %s; trying again in %.0f s", error, rest)
            return rest
        if self._failures:
            log.info("stored again, after %d attempts", self._failures)
        self._failures = 0
        return self._rest()

    def round(self) -> None:
        """Read the feeds that are due, then visit pages. Raises ArchiveError, or SQLite's, where nothing is stored."""
        if not self._whole:
            # First, so that nothing is fetched for an archive that takes nothing.
            self._write([], self._archive.index_pending)
            self._whole = True
        for feed in self._feeds:
            if feed.due <= self._clock.monotonic():
                self._read(feed)
        self._visit_pages()

    def _rest(self) -> float:
        """Seconds until something is due."""
        now, next_page = self._clock.monotonic(), self._watched.next()
        pause = min(feed.due for feed in self._feeds) - now
        if next_page is not None:
            waiting = (next_page - self._clock.now()).total_seconds()
            pause = min(pause, max(waiting, self._pages_after - now))
        return max(pause, 0.0)

    def _sleep(self, seconds: float) -> None:
        with self._stopping.interruptible():
            self._clock.sleep(seconds)

    def _read(self, feed: Feed) -> None:
        """Read a feed and take in what is new there."""
        started, known = self._clock.monotonic(), Validators(*self._visits.validators(feed.address))
        try:
            with self._stopping.interruptible():
                page = self._visitor.visit(feed.address, known)
            if isinstance(page, Gone):
                raise SourceError(f"{feed.address}: the server answers {page.status}; check the address")
            origin = Origin(feed.address, feed.address, self._clock.now())
            records = list(read_feed(page.data, origin)) if isinstance(page, Fetched) else []
        except SourceError as error:
            feed.failures, feed.trouble = feed.failures + 1, str(error)
            log.log(_level(feed.failures), "%s; trying again in %.0f s", error, feed.pause)
        else:
            if feed.failures:
                log.info("%s: can be read again, after %d attempts", feed.address, feed.failures)
            feed.failures, feed.trouble = 0, ""
            if isinstance(page, Fetched):
                self._take_entries(feed, records, page.validators if page.validators != known else None)
                feed.asked = asked_pause(page.data)
        feed.due = started + feed.pause

    def _take_entries(self, feed: Feed, records: Sequence[Found | Reject], validators: Validators | None) -> None:
        entries = entries_of(records, self._archive.ledger, self._watched)
        news = [entry for entry in entries if entry.is_news and entry.digest not in feed.turned_away]
        rejects = [one for one in records if isinstance(one, Reject) and one.reason not in feed.turned_away]

        def note() -> None:
            held = self._archive.ledger.known(entry.article.id for entry in news)
            taken = [entry for entry in news if _is_held(entry, held)]
            self._watched.note(self._watch(feed, entry) for entry in taken)
            feed.turn_away(records, {entry.digest for entry in news if entry not in taken})
            if validators:  # last: what is noted too early would never be read again
                self._visits.note(feed.address, validators.etag, validators.last_modified)

        if news or rejects:
            # Where the page was read, it says more than the feed.
            headlines = [entry.found for entry in news if not entry.was_read]
            self._write([*headlines, *rejects], note)
        else:
            note()

    def _watch(self, feed: Feed, entry: Entry) -> Watch:
        held = self._archive.ledger.record(entry.article.id)
        address = held.article.url if held else None
        if address is None or not feed.owns(address):
            return replace(entry.watch or Watch(entry.article.id, ""), entry=entry.digest, due=None)
        visited = self._visits.visited(address)
        return watch_entry(entry.article, entry.digest, entry.watch, visited, self._clock.now())

    def _visit_pages(self) -> bool:
        """Visit pages that are due, the longest waiting first, and take in what they hold; False where none is."""
        now = self._clock.monotonic()
        end, outcomes, failing = min(now + _PAGES, *(feed.due for feed in self._feeds)), list[Outcome](), 0
        due = self._watched.due(self._clock.now(), _MOST_PAGES) if now >= self._pages_after else []
        for watch, address in due:
            with self._stopping.interruptible():
                known = Validators(*self._visits.validators(address))
                outcomes.append(visit_page(watch, address, known, self._visitor.visit, self._clock.now()))
            failing = failing + 1 if outcomes[-1].failed else 0
            if failing == _FAILING or self._clock.monotonic() >= end:
                break
        if outcomes:
            self._write([record for one in outcomes for record in one.records], lambda: self._note(outcomes))
            self._leave_in_peace(failing)
        return bool(outcomes)

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        ids = [one.watch.article_id for one in outcomes]
        held = self._archive.ledger.known(ids)
        watches = (one.watch for one in outcomes if one.watch.article_id in held)
        self._watched.note(replace(one, due=None) if held[one.article_id].withdrawn else one for one in watches)

    def _leave_in_peace(self, failing: int) -> None:
        self._pages_failed = self._pages_failed + 1 if failing == _FAILING else 0
        if self._pages_failed:
            self._pages_after = self._clock.monotonic() + _doubled(_PAGES_REST, self._pages_failed)

    def _write(self, records: Sequence[Record], note: Callable[[], object]) -> None:
        """Take records in and note that it is done, while no other writes; another writer is waited for."""
        with ExitStack() as writing:
            self._begin(writing)
            report = take(records, self._archive, what=self._what, quiet=True) if records else None
            note()
        if report:
            note_rejects(report.rejected, self._archive.home)
            _tell(report)

    def _begin(self, writing: ExitStack) -> None:
        told = False
        while True:
            try:
                with self._stopping.interruptible():
                    writing.enter_context(self._archive.writing(_LOCK_WAIT))
                return
            except ArchiveLocked as error:
                log.log(logging.DEBUG if told else logging.INFO, "waiting, nothing is lost: %s", error)
                told = True


def _is_held(entry: Entry, held: dict[str, Known]) -> bool:
    """False where the archive has not taken it, or has another's article under its id."""
    known = held.get(entry.article.id)
    return known is not None and known.source == entry.article.source


def _doubled(seconds: float, failures: int) -> float:
    return min(seconds * 2.0 ** min(failures - 1, 20), _LONGEST_REST)


def _level(failures: int) -> int:
    """Told once, and not with every attempt."""
    return logging.WARNING if failures == 1 else logging.DEBUG


def _tell(report: Report) -> None:
    counts = {
        "new": report.stored, "changed": report.changed, "withdrawn": report.withdrawn,
        "rejected": len(report.rejected),
    }  # fmt: skip
    line = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if report.rejected:
        line += f" ({report.rejected[0]}{' and others' if len(report.rejected) > 1 else ''})"
    log.log(logging.INFO if line else logging.DEBUG, "%s", line or "nothing new")
