"""news(): which of the articles of a batch the archive has not, or not in this version."""

from collections.abc import Sequence

from archive.articles import Article
from archive.forgetting import Forgotten
from archive.ledger import Ledger
from ingest.report import Found, Tally
from ingest.twins import Recognition


def news(batch: Sequence[Found], recognition: Recognition, ledger: Ledger, tally: Tally) -> list[Article]:
    """The articles to store, each id once, under the ids that they are held by; counts the others."""
    best: dict[str, Found] = {}
    for found in recognition.identify(_remembered(batch, ledger, tally)):
        held = best.get(found.article.id)
        if held is None or _replaces(found, held.article, tally):
            tally.unchanged += held is not None  # the lesser of two versions in one batch is never news
            best[found.article.id] = found
    known = ledger.known(best)
    fresh = []
    for article_id, found in best.items():
        if article_id not in known:
            tally.stored += 1
            fresh.append(found.article)
        elif known[article_id].withdrawn:
            # Lists and old files name it still; only where its own page is there again has it come back.
            tally.changed += bool(found.addresses)
            tally.unchanged += not found.addresses
            fresh += [found.article] if found.addresses else []
        elif known[article_id].content_hash == found.article.content_hash:
            tally.unchanged += 1
        elif (kept := ledger.article(article_id)) and _replaces(found, kept, tally):
            tally.changed += 1
            fresh.append(found.article)
    tally.seen.update(best)
    return fresh


def _remembered(batch: Sequence[Found], ledger: Ledger, tally: Tally) -> list[Found]:
    """Without what was removed on request."""
    forgotten = Forgotten(ledger).among(found.article for found in batch)
    kept = [found for found in batch if found.article.id not in forgotten]
    tally.forgotten += len(batch) - len(kept)
    return kept


def _replaces(found: Found, held: Article, tally: Tally) -> bool:
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
