"""A benchmark's documents as articles of an archive, cleaned and split as the product does it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from archive.archive import Archive
from archive.articles import Article
from archive.errors import ArchiveError, BadArticle
from evaluation.beir import Document
from ingest.clean import clean
from ingest.split import split

_BATCH = 500  # documents that share one transaction; an interrupted run loses no more than these
_SOURCE = "benchmark"


def add_corpus(
    archive: Archive,
    documents: Sequence[Document],
    home: Path,
    *,
    keep: bool,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Store and index those documents that the archive lacks; returns {article id: document id}.

    `on_progress` gets (done, total) documents. Raises ArchiveError where the archive holds other articles and `keep`
    is False; nothing is changed then.
    """
    placed = _place(archive, documents)
    missing = [article for _, article, held in placed if not held]
    others = archive.ledger.counts().articles - (len(placed) - len(missing))
    if others and not keep:
        raise ArchiveError(
            f"{home} holds {others:,} other article{'' if others == 1 else 's'}: add --keep to measure among them, "
            "or set ARCHIVAR_HOME to a new folder"
        )
    if missing or archive.ledger.counts().pending:
        with archive.writing():
            for start in range(0, len(missing) or 1, _BATCH):
                batch = missing[start : start + _BATCH]
                archive.ledger.store([(article, split(article)) for article in batch])
                archive.index_pending()
                if on_progress:
                    on_progress(start + len(batch), len(missing))
    return {article.id: document for document, article, _ in placed}


def _place(archive: Archive, documents: Sequence[Document]) -> list[tuple[str, Article, bool]]:
    """(document id, article, whether the archive holds it) for each document.

    An article is called as its document; where another article has that id already, its content goes into the name, so
    that nothing in the archive is overwritten and a later run finds it again.
    """
    articles = {document.id: _article(document) for document in documents}
    own = {document: f"{document}-{article.content_hash[:12]}" for document, article in articles.items()}
    known = archive.ledger.known([*articles, *own.values()])
    placed = []
    for document, article in articles.items():
        taken = document in known and known[document].content_hash != article.content_hash
        named = replace(article, id=own[document]) if taken else article
        placed.append((document, named, named.id in known))
    return placed


def _article(document: Document) -> Article:
    article = Article(id=document.id, title=document.title, text=document.text, source=_SOURCE)
    try:
        return clean(article)
    except BadArticle:
        return article  # too short for news, yet it is in the corpus and so among what must be ranked
