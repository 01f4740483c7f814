"""Dated lists, composed from the articles themselves: each line is a sentence of its source, word for word.

No generator writes here, so a list is there at once and every line is borne out. Pure functions; nearness to the
question comes from the caller.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archive.articles import Article
from server.events import Source
from server.understanding import Language

# How near each of some sentences is to the question, in their order, on any scale; higher is nearer.
Relevance = Callable[[Sequence[str]], Sequence[float]]

MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class Report:
    """A source with its whole article."""

    source: Source
    article: Article


@dataclass(frozen=True, slots=True)
class Composed:
    """Markdown with citations, and the sources that it cites, numbered anew in the order of their first citation."""

    text: str
    sources: tuple[Source, ...]


def compose_timeline(
    reports: Sequence[Report], matter: str, relevance: Relevance, language: Language
) -> Composed | None:
    """One dated line for each event, oldest first; None where fewer than two of the reports are on the matter.

    `reports` come best first; `matter` is what the question is about (server.forms.matter_of).
    """
    raise NotImplementedError


def compose_overview(
    reports: Sequence[Report], matter: str, relevance: Relevance, language: Language
) -> Composed | None:
    """The newest state of affairs, dated, then what led to it, newest first; None as for compose_timeline()."""
    raise NotImplementedError


def superseded(cited: Sequence[Source], found: Sequence[Source], matter: str) -> Source | None:
    """The newest cited source, where one found is newer and on the same matter; None where the answer is up to date."""
    raise NotImplementedError
