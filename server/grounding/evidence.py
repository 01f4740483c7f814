"""The evidence for an answer: what was found in a source, and its sentences with the facts and words in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from server.grounding import datings, quantities
from server.grounding.claims import Word, far_forms, near_forms
from server.grounding.identifiers import identifiers, spelling_of
from server.grounding.mentions import Mentions
from server.grounding.names import Name

_KINDRED = 0.75  # what a word earns by a kindred one: a part of a compound, a synonym
_NUMBER_BEHIND = re.compile(r"(?<=[^\W\d_]-)\d{1,4}\b")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One source of an answer: what its text is headed by, when it was published, and what was found of it."""

    title: str
    published: datetime | None
    text: str


class Sentence:
    """One sentence of a source, as facts and words are looked up in it."""

    def __init__(self, text: str, published: date | None, year: int | None) -> None:
        self.text = quantities.with_clock(text)
        self.datings = datings.held_datings(self.text, published, year)
        plain = datings.blanked(self.text, [(found.start, found.end) for found in self.datings if found.end])
        named = identifiers(plain)
        figures = quantities.quantities(datings.blanked(plain, [(start, end) for start, end, _ in named]))
        self.quantities = [*figures, *_bare(match[0] for match in _NUMBER_BEHIND.finditer(plain))]
        self.quantities += _bare(str(found.year) for found in self.datings if found.only_year)
        self.lowered = self.text.lower()
        self._identifiers = {spelling for _, _, spelling in named}
        self.mentions = Mentions(self.text)
        self.words = self.mentions.words
        self.near = frozenset(form for word in self.words for form in near_forms(word))
        self.far = frozenset(form for word in self.words for form in far_forms(word))

    def credit(self, word: Word) -> float:
        """1 for the word or a form of it, less for a kindred one, 0 for none."""
        if word.key in self.words or near_forms(word.key) & self.near:
            return 1.0
        return _KINDRED if far_forms(word.key) & self.far else 0.0

    def names(self, name: Name) -> bool:
        """Whether a name stands here; for a word that may be a noun, a kindred one will do."""
        return self.mentions.hold(name.key) or (not name.sure and self.credit(Word(name.key, 0.0)) > 0)

    def holds(self, identifier: str) -> bool:
        """Whether a squeezed identifier stands here in any spelling."""
        return identifier in self._identifiers or bool(spelling_of(identifier).search(self.lowered))


def _bare(figures: Iterable[str]) -> list[quantities.Quantity]:
    return [quantities.Quantity(frozenset({float(figure)}), "", figure, 0, 0) for figure in figures]
