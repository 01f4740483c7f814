"""Hits as numbered sources: one article, one number, however many of its passages were found."""

import re
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote

from archive.articles import Hit, german_date
from prompts import render
from server.events import Source
from server.understanding import Language
from server.wording import say

_GAP = " […] "
_PASSAGES = 2  # of one article in an answer


def shown(hits: Sequence[Hit], top_k: int, passages: int = _PASSAGES) -> list[Hit]:
    """The best `passages` of each of the first `top_k` articles: what is worth reading of a whole result."""
    kept: dict[str, list[Hit]] = {}
    for hit in hits:
        if hit.passage.article_id not in kept and len(kept) == top_k:
            break
        found = kept.setdefault(hit.passage.article_id, [])
        if len(found) < passages:
            found.append(hit)
    return [hit for found in kept.values() for hit in found]


def merge(hits: Sequence[Hit], base_url: str) -> tuple[Source, ...]:
    """Sources in the order of their best hit, each with its article's passages in reading order."""
    by_article: dict[str, list[Hit]] = {}
    for hit in hits:
        by_article.setdefault(hit.passage.article_id, []).append(hit)
    return tuple(_source(number, found, base_url) for number, found in enumerate(by_article.values(), 1))


def _source(number: int, found: Sequence[Hit], base_url: str) -> Source:
    best = found[0].passage
    in_order = sorted((hit.passage for hit in found), key=lambda passage: passage.position)
    text = in_order[0].text
    for before, passage in pairwise(in_order):
        text += ("\n" if passage.position == before.position + 1 else _GAP) + passage.text
    return Source(
        number=number, article_id=best.article_id, title=best.title,
        url=best.url or article_page(base_url, best.article_id),
        published=best.published, passage=text, score=found[0].score,
        twins=found[0].twins, newest=found[0].newest,
    )  # fmt: skip


def article_page(base_url: str, article_id: str) -> str:
    """Address of this server's own page for an article."""
    return f"{base_url}/articles/{quote(article_id, safe='')}"


def date_of(source: Source, language: Language) -> str:
    """The day of a source in words."""
    return german_date(source.published) if source.published else say("undated", language)


_MARKUP = re.compile(r"[\[\]*_`<>|#\\]")


def listed(sources: Sequence[Source], language: Language) -> str:
    """Sources as a Markdown list with their citations; markup in titles is dropped."""
    lines = (f"- {_MARKUP.sub('', source.title)}, {date_of(source, language)} [{source.number}]" for source in sources)
    return "\n".join(lines)


def passage_block(source: Source, language: Language) -> str:
    """A source as the model is shown it."""
    date = date_of(source, language)
    text = "" if source.excerpt == source.title else source.excerpt
    return render("passage", language, number=source.number, title=source.title, date=date, text=text).strip()
