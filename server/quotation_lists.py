"""Answers that are quotations: who said what to a matter, word by word, with day and source. Pure functions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from archive.german import normalized, stem, terms
from prompts import render
from server.escaping import inline_markdown
from server.events import Source
from server.function_words import FUNCTION_WORDS
from server.quotations import Quotation, quotations
from server.reports import Report, on_the_matter
from server.sources import date_of
from server.timelines import Composed, moment_of
from server.understanding import Language

# How near each of some sentences is to the question, in their order, on any scale; higher is nearer.
Relevance = Callable[[Sequence[str]], Sequence[float]]

_MOST = 8
_MOST_OF_ONE = 3  # quotations from one article


def compose_quotations(
    reports: Sequence[Report], speaker: str, matter: str, relevance: Relevance, language: Language
) -> Composed | None:
    """Quotations of `speaker` (of anyone where empty) on `matter`, oldest first; None where the reports hold none.

    What its own sentence names no one for is left out. `relevance` is asked about quotations with the sentences that
    hold them.
    """
    surname = _surname(speaker)
    held = reports if surname else on_the_matter(reports, matter)
    found = [(report, quotation) for report in held for quotation in quotations(report.article.text)]
    spoken = [(report, quotation) for report, quotation in found if _is_by(quotation, surname)]
    if not spoken:
        return None
    scores = relevance([f"{report.article.title}: {quotation.context}" for report, quotation in spoken])
    ranked = [each for _, each in sorted(zip(scores, spoken, strict=True), key=lambda scored: -scored[0])]
    chosen: list[tuple[Report, Quotation]] = []
    for report, quotation in ranked:
        of_article = [other for other, _ in chosen if other is report]
        is_known = any(_is_within(quotation.text, other.text) for _, other in chosen)
        if len(chosen) < _MOST and len(of_article) < _MOST_OF_ONE and not is_known:
            chosen.append((report, quotation))
    chosen.sort(key=lambda each: (moment_of(each[0].source), each[0].article.id, each[1].start))
    return _composed(chosen, language)


def _composed(chosen: Sequence[tuple[Report, Quotation]], language: Language) -> Composed:
    sources: dict[str, Source] = {}
    lines: list[str] = []
    for report, quotation in chosen:
        known = sources.get(report.article.id)
        source = known or replace(report.source, number=len(sources) + 1, excerpt="")
        sources[report.article.id] = replace(source, excerpt=f"{source.excerpt} {quotation.context}".strip())
        lines.append(
            render(
                "quotation",
                language,
                quote=inline_markdown(quotation.text),
                speaker=inline_markdown(quotation.speaker),
                date=date_of(source, language),
                citations=f"[{source.number}]",
            )
        )
    return Composed("\n".join(lines), tuple(sources.values()))


def _surname(speaker: str) -> str:
    """The stem of the last word of a name: "kanzlerin merkel" and "Angela Merkels" are Merkel; empty for none."""
    named = [word for word in re.findall(r"[^\W\d_]+", speaker) if word.lower() not in FUNCTION_WORDS]
    return stem(named[-1].lower()) if named else ""


def _is_by(quotation: Quotation, surname: str) -> bool:
    """Whether it may be printed as that speaker's: only where its own sentence names who speaks."""
    if not quotation.speaker or quotation.speaker not in quotation.context:
        return False
    return not surname or surname in terms(normalized(quotation.speaker))


def _is_within(one: str, other: str) -> bool:
    return one in other or other in one
