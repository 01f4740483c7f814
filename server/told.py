"""Hits by article, and what each of the articles names in the passages that were found."""

from collections.abc import Iterator, Sequence

from archive.articles import Hit
from server.grounding.mentions import Mentions


def by_article(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    """The hits of each article, in the order in which they come."""
    articles: dict[str, list[Hit]] = {}
    for hit in hits:
        articles.setdefault(hit.passage.article_id, []).append(hit)
    return articles


def mentions(hits: Sequence[Hit]) -> Iterator[Mentions]:
    """What each article names, in its headline and all its passages among the hits, in the order of by_article()."""
    for found in by_article(hits).values():
        yield Mentions("\n".join([found[0].passage.title, *(hit.passage.text for hit in found)]))
