"""Two matters joined by "und" in one question: "Wie alt wurden Rainier von Monaco und der Lyriker Rühmkorf?".

What "und" joins is mostly told together ("Was beschlossen Merkel und Macron?"), and the question is one. Only where
different reports tell of the two are they two questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.articles import Hit
from server.grounding.mentions import Mentions
from server.grounding.names import names
from server.subquestions import joined


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
    said, before, after = names(question), question[: found[0].start], question[found[1].stop :]
    both = tuple(
        Conjunct(
            " ".join(f"{before}{question[side]}{after}".split()),
            frozenset(name.key for name in said if side.start <= name.start < side.stop),
        )
        for side in found
    )
    return both if all(one.names for one in both) else ()


def told_apart(both: Sequence[Conjunct], hits: Sequence[Hit]) -> bool:
    """Whether of the articles that were found some tell of either, and none of both."""
    texts: dict[str, str] = {}
    for hit in hits:
        passage = hit.passage
        texts[passage.article_id] = f"{texts.get(passage.article_id, passage.title)}\n{passage.text}"
    articles = [Mentions(text) for text in texts.values()]
    told = [{at for at, mentions in enumerate(articles) if one.told_in(mentions)} for one in both]
    return all(told) and bool(told) and not set.intersection(*told)
