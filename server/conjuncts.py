"""Two matters joined by "und" in one question: "Wie alt wurden Rainier von Monaco und der Lyriker Rühmkorf?".

What "und" joins is mostly told together ("Was beschlossen Merkel und Macron?"), and the question is one. Only where
different reports tell of the two are they two questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.articles import Hit
from server.grounding.mentions import Mentions
from server.grounding.names import names
from server.subquestions import each_alone, joined
from server.told import mentions


@dataclass(frozen=True, slots=True)
class Conjunct:
    """One of the two: the question with it alone, and its names, folded."""

    question: str
    names: frozenset[str]

    def told_in(self, text: Mentions) -> bool:
        """Whether a text has one of its names."""
        return any(text.hold(name) for name in self.names)


def conjuncts(question: str) -> tuple[Conjunct, ...]:
    """The two things that "und" joins; none where not both have names."""
    if (found := joined(question)) is None:
        return ()
    said = names(question)
    both = tuple(
        Conjunct(alone, frozenset(name.key for name in said if side.start <= name.start < side.stop))
        for side, alone in zip(found, each_alone(question, found), strict=True)
    )
    return both if all(one.names for one in both) else ()


def told_apart(both: Sequence[Conjunct], hits: Sequence[Hit]) -> bool:
    """Whether of the articles that were found some tell of either, and none of both."""
    articles = list(mentions(hits)) if both else []
    told = [{at for at, text in enumerate(articles) if one.told_in(text)} for one in both]
    return all(told) and bool(told) and not set.intersection(*told)
