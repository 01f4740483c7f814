"""remove(): the right to be forgotten, by id, by address, by words or by source."""

from collections.abc import Sequence

from archive.archive import Archive
from archive.articles import Article
from archive.forgetting import Forgotten


def named(archive: Archive, names: Sequence[str]) -> tuple[list[Article], list[str]]:
    """The articles that ids or addresses name, withdrawn ones too, and the names that none has."""
    held = archive.ledger.at_addresses(names)
    records = [archive.ledger.record(name) or archive.ledger.record(held.get(name, "")) for name in names]
    found = {record.article.id: record.article for record in records if record}
    return list(found.values()), [name for name, record in zip(names, records, strict=True) if record is None]


def holding(archive: Archive, words: str) -> list[Article]:
    """Every article that holds `words` literally, a name as a rule: in this order, in whatever case."""
    quoted = f'"{words.replace(chr(34), " ")}"'
    most = max(archive.ledger.counts().passages, 1)
    passages = archive.ledger.passages(name for name, _ in archive.index.search_words(quoted, most))
    found = (archive.ledger.article(article_id) for article_id in {p.article_id: None for p in passages.values()})
    return [article for article in found if article]


def of_source(archive: Archive, source: str) -> list[Article]:
    """Every article of a source, withdrawn ones too."""
    records = (archive.ledger.record(article_id) for article_id in archive.ledger.ids_of_source(source))
    return [record.article for record in records if record]


def remove(archive: Archive, articles: Sequence[Article], wait: float = 0) -> None:
    """Delete articles from ledger and indexes, and let none of them come in again.

    The words are made anew: Tantivy keeps what it has deleted in its files until it merges them. Raises ArchiveLocked
    where another process goes on writing for `wait` seconds.
    """
    with archive.writing(wait):
        forgotten = Forgotten(archive.ledger)
        for article in articles:
            forgotten.forget(article, archive.ledger.addresses_of(article.id))
        archive.index_pending()
        archive.rebuild_words()
        archive.ledger.shrink()
