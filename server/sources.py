"""Hits as numbered sources: one article, one number, however many of its passages were found."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from urllib.parse import quote

from archive.archive import Archive
from archive.articles import Hit, day_of
from archive.errors import NotFound, Withdrawn
from archive.records import Record
from prompts import render
from server.escaping import markdown, one_line, web_address
from server.events import Source
from server.instructions import addresses_model, without_instructions
from server.sentences import sentences
from server.understanding import Language
from server.wording import day_in_words, say

PageOf = Callable[[str], str]  # an article's id -> the address of this server's own page for it

GAP = " […] "
_PASSAGES = 2  # of one article in an answer
_NO_TITLE = "…"
_BRACKETED = re.compile(r"\s*[\[【]\s*\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*[\]】]")


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


def merge(hits: Sequence[Hit], page_of: PageOf) -> tuple[Source, ...]:
    """Sources in the order of their best hit, each with its article's passages in reading order."""
    by_article: dict[str, list[Hit]] = {}
    for hit in hits:
        by_article.setdefault(hit.passage.article_id, []).append(hit)
    return tuple(_source(number, found, page_of) for number, found in enumerate(by_article.values(), 1))


def _source(number: int, found: Sequence[Hit], page_of: PageOf) -> Source:
    best = found[0].passage
    in_order = sorted((hit.passage for hit in found), key=lambda passage: passage.position)
    text = in_order[0].text
    for before, passage in pairwise(in_order):
        text += ("\n" if passage.position == before.position + 1 else GAP) + passage.text
    return Source(
        number=number, article_id=best.article_id, title=one_line(best.title),
        url=web_address(best.url) or page_of(best.article_id),
        published=best.published, passage=text, score=found[0].score,
        twins=found[0].twins, newest=found[0].newest,
    )  # fmt: skip


def stored(archive: Archive, article_id: str) -> Record:
    """The article of that id with its history. Raises NotFound, and Withdrawn where it was taken down."""
    record = archive.ledger.record(article_id)
    if record is None:
        raise NotFound(f"article {article_id} is not in the archive", "article_not_found")
    if record.withdrawn:
        noticed = day_of(record.withdrawn).isoformat()
        raise Withdrawn(f"article {article_id} was withdrawn by its publisher, noticed {noticed}", "article_withdrawn")
    return record


def article_page(base_url: str, article_id: str) -> str:
    """Address of this server's own page for an article."""
    return f"{base_url}/articles/{quote(article_id, safe='')}"


def date_of(source: Source, language: Language) -> str:
    """The day of a source in words."""
    if source.published is None:
        return say("undated", language)
    return day_in_words(day_of(source.published), language)


def listed(sources: Sequence[Source], language: Language) -> str:
    """Sources as a Markdown list with their citations; titles show as they are spelled."""
    lines = (f"- {markdown(source.title)}, {date_of(source, language)} [{source.number}]" for source in sources)
    return "\n".join(lines)


def readable_title(title: str) -> str:
    """A headline without what speaks to a model in it."""
    return " ".join(part for part in sentences(title) if not addresses_model(part)) or _NO_TITLE


def readable(source: Source) -> Source:
    """The source with only what a model may read of it: no sentence that speaks to a model."""
    return replace(
        source, title=readable_title(source.title), passage=without_instructions(source.passage),
        excerpt=without_instructions(source.excerpt),
    )  # fmt: skip


def is_suspicious(source: Source) -> bool:
    """Whether something in the source speaks to a model."""
    return any(addresses_model(part) for text in (source.title, source.passage) for part in sentences(text))


def passage_block(source: Source, language: Language) -> str:
    """A source as the model is shown it; numbers in brackets that it brings along cite nothing here."""
    read = readable(source)
    text = "" if source.excerpt == source.title else _BRACKETED.sub("", read.excerpt)
    title = _BRACKETED.sub("", read.title)
    return render("passage", language, number=source.number, title=title, date=date_of(source, language), text=text)
