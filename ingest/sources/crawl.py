"""crawl(): what a publisher brought out in a period, from its index pages to its articles."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from archive.articles import Article, day_of
from archive.errors import BadArticle, SourceError
from ingest.dates import parse_date
from ingest.report import Found, Record, Reject, Visited
from ingest.sources.ids import article_id
from ingest.sources.links import IndexPage, Link
from ingest.sources.page import read_article
from ingest.sources.parts import first_part
from ingest.sources.publishers.publisher import Archive, Publisher
from ingest.sources.records import Origin, article_from
from ingest.sources.tree import parsed
from ingest.web.visits import Fetched, Gone, Refused, Unchanged, Validators

ConditionalVisit = Callable[[str, Validators | None], Fetched | Unchanged | Gone]

_MOST_PAGES = 20_000  # index pages of one crawl, more than thirty years have days; what goes on longer has no end
_MOST_FAILURES = 10  # pages in a row that can't be fetched, after which the server is left in peace


@dataclass(slots=True)
class Progress:
    """How far a crawl is, counted while it runs.

    `links` are those of the period found so far, each article once: the sum grows with each index page. Each of them
    ends as one of `ends`: `fetched`, `known` (and not asked for), `unchanged`, `gone`, `failed`, or `elsewhere` (of
    another publisher, its headline taken). `repeats` are index pages that listed the same as one before.
    """

    index_pages: int = 0
    repeats: int = 0
    links: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        """Links that are dealt with."""
        return self.ends.total()


def crawl(
    publisher: Publisher,
    start: date,
    end: date,
    visit: ConditionalVisit,
    is_known: Callable[[str, str], bool],
    now: datetime,
    *,
    again: bool = False,
    validators: Callable[[str], Validators | None] = lambda address: None,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Articles of a period, first and last day included; each index page and each article is fetched once.

    `is_known` tells by id and address whether the archive holds all there is of an article: its text, or a paid one's
    teaser. Such articles are asked for only `again`, and then with the `validators` noted for their address. An article
    whose page can't be read is a Reject; where it is not known, its headline comes with it.

    Raises SourceError where the publisher has no archive by date, and where page after page can't be fetched.
    """
    if publisher.archive is None:
        raise SourceError(f"{publisher.name}: has no archive by date; its feed is {publisher.feeds[0]}")
    way = _Crawl(publisher, publisher.archive, start, end, visit, now, progress if progress is not None else Progress())
    for found in way.links():
        if isinstance(found, Link):
            known = is_known(_id(found), found.address)
            if known and not again:
                way.progress.ends["known"] += 1
            else:
                yield from way.article(found, known, validators(found.address) if known else None)
        else:
            yield found
        if way.failures >= _MOST_FAILURES:
            raise SourceError(f"{publisher.name}: {way.failures} pages in a row can't be fetched; run it again later")


@dataclass(slots=True)
class _Crawl:
    publisher: Publisher
    archive: Archive
    start: date
    end: date
    visit: ConditionalVisit
    now: datetime
    progress: Progress
    failures: int = 0

    def links(self) -> Iterator[Link | Reject]:
        """Links of the period, each article once, and a reject for each index page that can't be used."""
        pages, asked = deque(self.archive.pages(self.start, self.end)), set[str]()
        articles, lists = set[str](), set[tuple[Link, ...]]()
        while pages and len(asked) < _MOST_PAGES:
            if (address := pages.popleft()) in asked:
                continue
            asked.add(address)
            self.progress.index_pages += 1
            try:
                index = self._index(address)
            except (BadArticle, SourceError) as error:
                yield _reject(address, error)
                continue
            if index.links in lists:  # and what it leads to would repeat itself too
                self.progress.repeats += 1
                continue
            lists.add(index.links)
            pages.extendleft(reversed(index.more))
            wanted = [link for link in index.links if self._wants(link)]
            if not wanted:
                yield Reject(address, f"none of its {len(index.links)} links is to an article of the time asked for")
            for link in wanted:
                if (id_ := _id(link)) not in articles:
                    articles.add(id_)
                    self.progress.links += 1
                    yield link

    def article(self, link: Link, known: bool, conditions: Validators | None) -> Iterator[Record]:
        """What becomes of a link."""
        if not self.publisher.owns(link.address):
            self.progress.ends["elsewhere"] += 1
            yield self._headline(link)
            return
        try:
            page = self._visited(link.address, conditions)
            article = self._read(page, link) if isinstance(page, Fetched) else None
        except (BadArticle, SourceError) as error:
            self.progress.ends["failed"] += 1
            yield _reject(link.address, error)
            if not known:
                yield self._headline(link)
            return
        if isinstance(page, Fetched) and article:
            self.progress.ends["fetched"] += 1
            yield Found(article, link.address, addresses=(*page.passed, page.address))
            yield Visited(link.address, page.validators)
        elif isinstance(page, Gone):
            self.progress.ends["gone"] += 1
            yield page
        else:
            self.progress.ends["unchanged"] += 1

    def _index(self, address: str) -> IndexPage:
        page = self._visited(address, None)
        if not isinstance(page, Fetched):
            raise BadArticle("no index page is there; its publisher may have no list of that time")
        return self.archive.read(parsed(page.data)[1], page.address)

    def _visited(self, address: str, conditions: Validators | None = None) -> Fetched | Unchanged | Gone:
        try:
            page = self.visit(address, conditions)
        except Refused:
            self.failures = 0  # the answer of a server in good health
            raise
        except SourceError:
            self.failures += 1
            raise
        self.failures = 0
        return page

    def _read(self, page: Fetched, link: Link) -> Article:
        """The page's article, with what only the list told of it."""
        article = read_article(page, Origin(link.address, link.address, self.now), self._visited)
        comments = int(link.comments) if link.comments.isdecimal() else 0
        return replace(
            article,
            id=link.number if link.number and first_part(page.address) == link.address else article.id,
            comments=max(article.comments or 0, comments) if link.comments else article.comments,
            paid=article.paid or link.paid,
        )

    def _headline(self, link: Link) -> Found | Reject:
        try:
            return Found(self._listed(link), link.address)
        except BadArticle as error:
            return _reject(link.address, error)

    def _listed(self, link: Link) -> Article:
        return article_from(link.record(), Origin(link.address, link.address, self.now))

    def _wants(self, link: Link) -> bool:
        """Within the period, or of no date that can be told: then its page has one."""
        if link.advertisement:
            return False
        try:
            moment = parse_date(link.published, self.now)
        except BadArticle:
            return True
        return moment is None or self.start <= day_of(moment) <= self.end


def _id(link: Link) -> str:
    return article_id(given=link.number, url=link.address, feed_id="", source="", title=link.title, published=None)


def _reject(address: str, error: Exception) -> Reject:
    return Reject(address, str(error).removeprefix(f"{address}: "))
