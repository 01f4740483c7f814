"""Answers that are lists: chronologies, overviews, quotations, composed of the articles that were found."""

from collections.abc import Sequence
from dataclasses import replace

from archive.archive import Archive
from archive.articles import Article, Hit
from prompts import render
from server.events import Source
from server.forms import Form, Wanted, matter_of
from server.instructions import without_instructions
from server.quotation_lists import compose_quotations
from server.reports import reports_of
from server.sources import PageOf, date_of, readable_title
from server.timelines import Composed, compose_overview, compose_timeline, superseded
from server.understanding import Question

LISTS: frozenset[Form] = frozenset({"timeline", "overview", "quotations"})


def compose(
    form: Wanted, question: Question, hits: Sequence[Hit], archive: Archive, page_of: PageOf
) -> Composed | None:
    """The list that is asked for; None where a list is not asked for, or the articles make none."""
    if form.form not in LISTS:
        return None
    reports = reports_of(hits, lambda article_id: _readable(archive.ledger.article(article_id)), page_of)
    matter = matter_of(question.search)
    if form.form == "timeline":
        return compose_timeline(reports, matter, question.language)
    if form.form == "overview":
        return compose_overview(reports, matter, question.language)

    def relevance(texts: Sequence[str]) -> list[float]:
        embedder = archive.embedder
        query = embedder.embed_queries([matter])[0]
        scores: list[float] = (embedder.embed_passages(list(texts)) @ query).tolist()
        return scores

    return compose_quotations(reports, form.speaker, matter, relevance, question.language)


def _readable(article: Article | None) -> Article | None:
    """An article without what speaks to a model: a list shows what it is given."""
    if article is None:
        return None
    return replace(
        article,
        title=readable_title(article.title),
        teaser=without_instructions(article.teaser),
        text=without_instructions(article.text),
    )


def superseding(
    cited: Sequence[Source], question: Question, hits: Sequence[Hit], archive: Archive, page_of: PageOf
) -> str:
    """A line that dates an answer from the `cited` sources, where a later report on the matter was found; else ""."""
    old = superseded(cited, reports_of(hits, archive.ledger.article, page_of), question.search)
    return "\n\n" + render("as_of", question.language, date=date_of(old, question.language)) if old else ""
