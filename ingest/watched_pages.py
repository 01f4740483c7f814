"""Pages of watched articles: one visit, what came of it, and when the next one is due."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from archive.articles import Article
from archive.errors import BadArticle, SourceError
from archive.watched import Watch
from ingest.report import Found, Record, Reject, Visited
from ingest.sources.page import read_article
from ingest.sources.records import Origin
from ingest.web.visits import Fetched, Gone, Refused, Unchanged, Validators

_HOUR = 3600.0
# Seconds between visits that found the page: 1, 6, 24 and 48 hours after the first. News is corrected early or never.
_NEXT = (1 * _HOUR, 5 * _HOUR, 18 * _HOUR, 24 * _HOUR)
_RETRY = (_HOUR / 6, _HOUR, 6 * _HOUR, 24 * _HOUR)  # after a first, a second ... failure in a row
_MISSING = _HOUR  # after which a page that was not found is looked for again
_NEWS = timedelta(days=3)  # from publication, after which a page is visited only where its feed says that it changed
_SOON = timedelta(minutes=10)  # between visits to a page whose feed changes its words all the time

Visit = Callable[[str, Validators | None], Fetched | Unchanged | Gone]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a visit brought: records to take in, and the watch as it stands after it. `failed`: the server's fault."""

    watch: Watch
    records: tuple[Record, ...]
    failed: bool = False


def visit_page(watch: Watch, address: str, known: Validators | None, visit: Visit, now: datetime) -> Outcome:
    """Visit an article's page and read it; `known` are the validators of the version that is held."""
    try:
        page = visit(address, known)
        article = (
            read_article(page, Origin(address, address, now), lambda part: visit(part, None))
            if isinstance(page, Fetched)
            else None
        )
    except (BadArticle, SourceError) as error:
        return _failed(watch, address, error, now)
    if isinstance(page, Gone):
        return Outcome(replace(watch, failures=0).later(now, _MISSING), (page,))
    after = replace(watch, visits=watch.visits + 1, failures=0)
    if isinstance(page, Fetched) and article:
        addresses = tuple(dict.fromkeys((address, *page.passed, page.address)))
        records = (Found(article, address, addresses=addresses), Visited(address, page.validators))
        return Outcome(_again(after, article.published, now), records)
    return Outcome(_again(after, None, now), (Visited(address, known or Validators()),))


def _failed(watch: Watch, address: str, error: Exception, now: datetime) -> Outcome:
    refused = isinstance(error, Refused)
    retry = None if refused or watch.failures >= len(_RETRY) else _RETRY[watch.failures]
    # The same failure again is no news.
    rejects = () if watch.failures else (Reject(address, str(error).removeprefix(f"{address}: ")),)
    after = replace(watch, failures=watch.failures + 1).later(now, retry)
    return Outcome(after, rejects, failed=isinstance(error, SourceError) and not refused)


def _again(watch: Watch, published: datetime | None, now: datetime) -> Watch:
    old = published is not None and now - published > _NEWS
    return watch.later(now, None if old or watch.visits > len(_NEXT) else _NEXT[watch.visits - 1])


def watch_entry(article: Article, entry: str, before: Watch | None, visited: datetime | None, now: datetime) -> Watch:
    """The watch of an article whose feed says something new of it; `visited` is when its page was read last.

    Visited at once: one that never was, and one that its feed says has changed since.
    """
    watch = replace(before, entry=entry, failures=0) if before else Watch(article.id, entry)
    if visited is None or (article.modified and article.modified > visited):
        return replace(watch, due=now)
    if before is None:
        return _again(replace(watch, visits=1), article.published, visited)
    return replace(watch, due=max(now, visited + _SOON))
