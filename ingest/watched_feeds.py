"""Feeds that are watched: when each is read next, and which of its entries are news."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from archive.articles import Article
from archive.ledger import Ledger
from archive.watched import Watch, Watched
from ingest.report import Found, Reject
from ingest.sources.publishers import publisher
from ingest.web.addresses import is_address, parsed, same_site

# An article is to be found within a minute of its entry: that leaves a third of it to read the feed and to write. What
# it costs a publisher is a request without a body each time, 2,160 a day; a page opened in a browser makes a hundred.
PAUSE = 40.0
LONGEST_PAUSE = 900.0  # seconds between two attempts to read a feed that fails


@dataclass(slots=True)
class Feed:
    """A feed; `owns` tells which pages are its publisher's own, `every` is the pause that the user wants, in seconds.

    `due` is on the monotonic clock. `turned_away` are entries that the archive would not take: they are told of once.
    """

    address: str
    owns: Callable[[str], bool]
    every: float | None = None
    asked: float | None = None
    due: float = 0.0
    failures: int = 0
    trouble: str = ""
    turned_away: set[str] = field(default_factory=set)

    @property
    def pause(self) -> float:
        """Seconds to the next reading: what the user says, else what the feed asks for; longer while it fails."""
        usual = self.every or max(PAUSE, self.asked or 0.0)
        return max(usual, min(usual * 2.0 ** min(self.failures, 20), LONGEST_PAUSE)) if self.failures else usual

    def turn_away(self, records: Sequence[Found | Reject], entries: set[str]) -> None:
        """Remember `entries` that weren't taken, and rejects, as long as the feed goes on to hold them."""
        digests = {digest(record.article) for record in records if isinstance(record, Found)}
        reasons = {record.reason for record in records if isinstance(record, Reject)}
        self.turned_away = (self.turned_away & digests) | entries | reasons


def feeds_of(names: Iterable[str], every: float | None) -> list[Feed]:
    """The feeds that publishers' names and addresses stand for. Raises SourceError for any other name."""
    feeds = []
    for name in names:
        if is_address(name):
            parsed(name)
            feeds.append(Feed(name, _on_site_of(name), every))
        else:
            known = publisher(name)
            feeds += [Feed(address, known.owns, every) for address in known.feeds]
    return list({feed.address: feed for feed in feeds}.values())


def _on_site_of(feed: str) -> Callable[[str], bool]:
    return lambda address: same_site(parsed(feed), parsed(address))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a feed under the id that its article is held by; `watch` is the one that is noted, if any."""

    found: Found
    digest: str
    watch: Watch | None

    @property
    def article(self) -> Article:
        """What the feed says of the article."""
        return self.found.article

    @property
    def is_news(self) -> bool:
        """Whether the feed says something else of the article than it did before."""
        return self.watch is None or self.watch.entry != self.digest

    @property
    def was_read(self) -> bool:
        """Whether the article's own page was read."""
        return self.watch is not None and self.watch.visits > 0


def entries_of(records: Sequence[Found | Reject], ledger: Ledger, watched: Watched) -> list[Entry]:
    """The entries of a feed that are articles, each article once."""
    found = [record for record in records if isinstance(record, Found)]
    held = ledger.at_addresses(one.article.url for one in found if one.article.url)
    named = dict[str, Entry]()
    for one in found:
        # A page may be held by another address than the one its feed gives it, and so under another id.
        article_id = held.get(one.article.url or "", one.article.id)
        under = replace(one, article=replace(one.article, id=article_id))
        named.setdefault(article_id, Entry(under, digest(one.article), None))
    watches = watched.of(named)
    return [replace(entry, watch=watches.get(article_id)) for article_id, entry in named.items()]


def digest(article: Article) -> str:
    """Over what a feed says of an article, but for what changes all day, such as the number of comments."""
    said = f"{article.content_hash} {article.modified and article.modified.isoformat()}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]
