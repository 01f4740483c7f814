"""Which articles of a batch the archive holds already under another id, and which of them resemble one another.

A page that has moved brings another address, and so another id; an agency's story comes from many publishers. The first
is one article, the others are linked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from archive.articles import Article
from archive.ledger import Ledger
from archive.links import Links
from archive.records import Known
from archive.sketches import Resemblance, Sketch, Sketches, resemblance, sketch_of
from ingest.likeness import TWIN_DAYS, is_at_its_address, is_moved, is_near_equal, is_twin
from ingest.report import Found

_BATCH = 500  # articles of an older archive that are caught up with in one transaction


class Recognition:
    """What is recognized in one batch: `identify` before its articles are stored, `settle` afterwards."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sketches = Sketches(ledger)
        self._fresh: dict[str, Article] = {}  # of this batch, by id
        self._by_band: dict[int, set[str]] = defaultdict(set)
        self._by_address: dict[str, str] = {}
        self._led: dict[str, set[str]] = defaultdict(set)
        self._twins: dict[str, dict[str, float]] = {}
        self._known_sketches: dict[tuple[str, datetime | None], Sketch | None] = {}

    def identify(self, batch: Sequence[Found]) -> list[Found]:
        """The batch, in its order, under the ids that its articles are held by; what is unchanged costs little.

        An article at one of its former addresses, with nothing new in its text, becomes the one that is held: two
        addresses that both lead to it would replace each other for ever.
        """
        known = self._ledger.known(found.article.id for found in batch)
        changed = [_is_changed(found.article, known) for found in batch]
        news = [found for found, is_changed in zip(batch, changed, strict=True) if is_changed]
        at = self._ledger.at_addresses(address for found in news for address in _addresses(found))
        identified = []
        for found, is_changed in zip(batch, changed, strict=True):
            if is_changed:
                found = replace(found, article=self._identified(found, found.article.id in known, at))
            if found.addresses:
                self._led[found.article.id].update(found.addresses)
            identified.append(found)
        return identified

    def settle(self, stored: Iterable[Article]) -> None:
        """Keep what was recognized: sketches and links of what is stored now, and the addresses that led to it."""
        stored = list(stored)
        self._sketches.add((article.id, self._sketch(article)) for article in stored)
        Links(self._ledger).replace({article.id: self._twins.get(article.id, {}) for article in stored})
        for article_id, addresses in self._led.items():
            if record := self._ledger.record(article_id):
                self._ledger.note_addresses(article_id, addresses - {record.article.url})

    def compare(self, article: Article) -> list[tuple[Article, Resemblance]]:
        """Other articles, held or of this batch, whose text may resemble it, and how much it does."""
        sketch = self._sketch(article)
        if sketch is None:
            return []
        near = [article_id for article_id, _ in self._sketches.near(sketch, TWIN_DAYS)]
        near += [article_id for band in sketch.bands for article_id in self._by_band.get(band, ())]
        found = []
        for article_id in dict.fromkeys(near):
            other = self._article(article_id) if article_id != article.id else None
            if other is not None and (other_sketch := self._sketch(other)) is not None:
                found.append((other, resemblance(sketch, other_sketch)))
        return sorted(found, key=lambda pair: -pair[1].jaccard)

    def remember(self, article: Article, compared: Sequence[tuple[Article, Resemblance]]) -> None:
        """The article stands for comparison from now on, and its twins are those of the compared."""
        if (sketch := self._sketch(article)) is not None:
            for band in sketch.bands:
                self._by_band[band].add(article.id)
        self._fresh[article.id] = article
        if article.url:
            self._by_address[article.url] = article.id
        self._twins[article.id] = {
            other.id: round(found.contained, 3)
            for other, found in compared
            if other.id != article.id and is_twin(article, other, found)
        }

    def _identified(self, found: Found, is_known: bool, at: Mapping[str, str]) -> Article:
        article = found.article
        compared = self.compare(article)
        if not is_known and article.id not in self._fresh:
            held_id = self._at_address(found, at) or self._moved(article, compared)
            article = replace(article, id=held_id or article.id)
        held = self._article(article.id)
        if held is not None and held.url and held.url != article.url:
            if held.source != article.source and held.title != article.title:
                return article  # two articles that claim one id
            if self._is_former(found, held) and self._says_the_same(article, held):
                return held
            self._led[held.id].update(url for url in (held.url, article.url) if url)
        self.remember(article, compared)
        return article

    def _at_address(self, found: Found, at: Mapping[str, str]) -> str | None:
        article = found.article
        for address in _addresses(found):
            held_id = at.get(address) or self._by_address.get(address)
            other = self._article(held_id) if held_id else None
            if other is not None:
                shared = self._resemblance(article, other)
                if is_at_its_address(article, other, shared, was_led=address in found.addresses):
                    return other.id
        return None

    @staticmethod
    def _moved(article: Article, compared: Iterable[tuple[Article, Resemblance]]) -> str | None:
        return next((other.id for other, found in compared if is_moved(article, other, found)), None)

    def _is_former(self, found: Found, held: Article) -> bool:
        """Whether it was found where the article was before, unless its present address led back there."""
        return held.url not in found.addresses and found.article.url in self._ledger.addresses_of(held.id)

    def _says_the_same(self, one: Article, other: Article) -> bool:
        shared = self._resemblance(one, other)
        return shared is not None and is_near_equal(shared)

    def _resemblance(self, one: Article, other: Article) -> Resemblance | None:
        sketch, other_sketch = self._sketch(one), self._sketch(other)
        return resemblance(sketch, other_sketch) if sketch and other_sketch else None

    def _article(self, article_id: str) -> Article | None:
        if article_id in self._fresh:
            return self._fresh[article_id]
        record = self._ledger.record(article_id)
        return record.article if record else None

    def _sketch(self, article: Article) -> Sketch | None:
        key = (article.text, article.published)
        if key not in self._known_sketches:
            self._known_sketches[key] = sketch_of(article)
        return self._known_sketches[key]


def catch_up(ledger: Ledger) -> int:
    """Sketch and link what an archive holds from before there were sketches; returns how many articles that were.

    Once done it costs one look. To be called by whoever holds the lock for writing.
    """
    sketches = Sketches(ledger)
    if sketches.complete:
        return 0
    missing = sketches.missing()
    for start in range(0, len(missing), _BATCH):
        recognition = Recognition(ledger)
        records = [ledger.record(article_id) for article_id in missing[start : start + _BATCH]]
        articles = [record.article for record in records if record]
        for article in articles:
            recognition.remember(article, recognition.compare(article))
        recognition.settle(articles)
    sketches.note_complete()
    return len(missing)


def _is_changed(article: Article, known: Mapping[str, Known]) -> bool:
    return article.id not in known or known[article.id].content_hash != article.content_hash


def _addresses(found: Found) -> tuple[str, ...]:
    """Those that led to its page before its own, which says less: a page may show another thing each day."""
    return (*found.addresses, found.article.url) if found.article.url else found.addresses
