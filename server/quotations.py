"""Verbatim quotations in news text, with who said them. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.timelines import Composed, Relevance, Report
from server.understanding import Language


@dataclass(frozen=True, slots=True)
class Quotation:
    """What stands between quotation marks, without them, and its speaker as the text names them, empty where unknown.

    `context` is the sentence or sentences that hold it.
    """

    text: str
    speaker: str
    context: str


def quotations(text: str) -> tuple[Quotation, ...]:
    """All verbatim quotations of at least four words, in order."""
    raise NotImplementedError


def compose_quotations(
    reports: Sequence[Report], speaker: str, matter: str, relevance: Relevance, language: Language
) -> Composed | None:
    """Quotations of `speaker` (of anyone where empty) on `matter`, best first; None where there is none."""
    raise NotImplementedError
