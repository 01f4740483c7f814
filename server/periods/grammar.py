"""Expressions of time, found in a question by the rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from server.periods.meaning import Known, Reading, Words
from server.periods.rules import RULES
from server.periods.words import spelled_pattern

_PATTERNS = {name: re.compile(spelled_pattern(rf"(?<!\w)(?:{rule.pattern})(?!\w)")) for name, rule in RULES.items()}


@dataclass(frozen=True, slots=True)
class Moment:
    """An expression at `start` to `end` of a question; `words` are the named groups of its rule, in lower case."""

    start: int
    end: int
    rule: str
    words: Words

    def read(self, known: Known) -> Reading | None:
        """The days, or None where the expression says too little or names days that don't exist."""
        return RULES[self.rule].read(self.words, known)

    @property
    def undated(self) -> bool:
        """Whether a neighbour's year, month or week could complete it."""
        return not self.words.keys() & {"year", "near", "short", "back"}

    @property
    def weak(self) -> bool:
        """Whether it needs a preposition to be a time at all."""
        told = {"year", "near", "back", "part"} | ({"short"} if self.rule != "short date" else set())
        return RULES[self.rule].weak and not self.words.keys() & told

    @property
    def bare_year(self) -> bool:
        """Whether it is just four digits."""
        return self.rule == "year"

    @property
    def reported_later(self) -> bool:
        """Whether its figures ("Umsatz im ersten Quartal") are news when it is over."""
        return self.rule in ("year", "quarter", "half", "q", "year q")

    @property
    def topical(self) -> bool:
        """Whether its words say what the question is about, besides when."""
        return RULES[self.rule].topical


def lower(text: str) -> str:
    """Lower case that keeps every character at its place; `str.lower` makes two of some."""
    if len(whole := text.lower()) == len(text):
        return whole
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def find_moments(question: str) -> list[Moment]:
    """All expressions of time, in their order; where several overlap, the one that starts first, then the longest."""
    found = sorted(_matches(lower(question)), key=lambda moment: (moment.start, -moment.end))
    moments: list[Moment] = []
    for moment in found:
        if not moments or moment.start >= moments[-1].end:
            moments.append(moment)
    return moments


def _matches(text: str) -> Iterator[Moment]:
    for name, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            words = {group: word for group, word in match.groupdict().items() if word is not None}
            yield Moment(match.start(), match.end(), name, words)
