"""The right to be forgotten (GDPR, article 17): what was removed stays out, and the list of it tells nothing."""

import hashlib
from collections.abc import Iterable

from archive.articles import Article
from archive.ledger import Ledger
from archive.records import stamp


class Forgotten:
    """Marks of removed articles, by id and by address, as SHA-256."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def forget(self, article: Article, addresses: Iterable[str] = ()) -> None:
        """Delete the article from the ledger, note its passages for removal, and let it never come in again."""
        now = stamp()
        names = _names(article, addresses)
        with self._ledger.transaction() as db:
            db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", [(mark(name), now) for name in names])
            db.executemany("DELETE FROM visits WHERE url = ?", [(name,) for name in names])
        self._ledger.remove(article.id)

    def among(self, articles: Iterable[Article]) -> set[str]:
        """Ids of those articles that are to stay out."""
        named = {mark(name): article.id for article in articles for name in _names(article)}
        rows = self._ledger.select("SELECT mark FROM forgotten WHERE mark IN ({})", named)
        return {named[row["mark"]] for row in rows}


def _names(article: Article, addresses: Iterable[str] = ()) -> list[str]:
    return [name for name in (article.id, article.url, *addresses) if name]


def mark(name: str) -> str:
    """What stands for an id or an address in the list."""
    return hashlib.sha256(name.encode()).hexdigest()
