"""Understand a question: its language, which time it means, and what it is searched with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from archive.articles import Period
from server import followups
from server.conjuncts import Conjunct, conjuncts
from server.function_words import ENGLISH, GERMAN
from server.generation import Message
from server.periods import Leaning, Timing, names_part_of_year, understand_time, with_day_after
from server.subquestions import subquestions

Language = Literal["de", "en"]

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question as retrieval takes it.

    `text` is what the user typed; `search` is what is searched, completed by the talk for a follow-up. `variants` say
    the same otherwise, and their results count beside those of `search`, by half all together. `parts` are questions
    within the question, and each has a right to places of its own. `conjuncts` are what may be two questions, as the
    archive tells.
    """

    text: str
    search: str
    language: Language
    timing: Timing
    is_followup: bool = False
    variants: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    conjuncts: tuple[Conjunct, ...] = ()

    @property
    def searches(self) -> tuple[str, ...]:
        """All that is searched: the whole question, its variants, its parts, in this order."""
        return (self.search, *self.variants, *self.parts)

    @property
    def period(self) -> Period | None:
        """The period that is meant, None where the question leaves time open or names a year only in passing."""
        return self.timing.period if self.timing.firm else None

    @property
    def published(self) -> Period | None:
        """The period that filters: what happened on a day is reported on that day or the next."""
        return with_day_after(self.period) if self.period else None

    @property
    def leaning(self) -> Leaning | None:
        """Which end of the relevant articles is asked for."""
        return self.timing.leaning


def language_of(text: str, default: Language = "de") -> Language:
    """German or English, by function words; `default` where they don't tell.

    Capitals within a sentence are names ("The Document Foundation"), and "was" begins German questions only.
    """
    first, *rest = _WORD.findall(text) or [""]
    words = [first.lower(), *(word for word in rest if word.islower() and word != "was")]
    english = sum(word in ENGLISH and word not in GERMAN for word in words)
    german = sum(word in GERMAN and (word not in ENGLISH or word == "was") for word in words)
    if english == german:
        return default
    return "en" if english > german else "de"


def understand(history: Sequence[Message], question: str, today: date, language: Language = "de") -> Question:
    """Read the time that a question means, complete it by the talk where it leans back, and find its parts.

    `history` comes oldest first. The time of the talk stays a hint for a follow-up, which may ask for what came later;
    only one that puts another matter in the place of the last ("Und bei Google?") keeps it as its own.
    """
    timing = understand_time(question, today)
    talk = [turn for turn in history if turn.role != "system"]
    is_followup = any(turn.role == "user" for turn in talk) and followups.leans_back(timing.query, timing.firm)
    search, *variants = followups.searches(talk, timing.query) if is_followup else (timing.query,)
    if is_followup and timing.period is not None:
        timing = _in_the_year_of(talk, question, timing, today)
    elif is_followup and timing.leaning is None:
        timing = _inherited(talk, question, timing, today)
    parts = () if is_followup else subquestions(timing.query)
    return Question(
        question, search, language_of(question, language), timing, is_followup, tuple(variants),
        parts, () if is_followup or parts else conjuncts(timing.query),
    )  # fmt: skip


def _inherited(talk: Sequence[Message], question: str, timing: Timing, today: date) -> Timing:
    """The timing with the period of the last question, firm only where another matter takes its place."""
    last = next(turn.content for turn in reversed(talk) if turn.role == "user")
    said = understand_time(last, today)
    if said.period is None:
        return timing
    return replace(said, firm=said.firm and followups.takes_the_place(question), query=timing.query)


def _in_the_year_of(talk: Sequence[Message], question: str, timing: Timing, today: date) -> Timing:
    """The timing with a month or season in the year that the last question spoke of ("Und im Juni?")."""
    last = next(turn.content for turn in reversed(talk) if turn.role == "user")
    said = understand_time(last, today)
    if said.period is None or said.period.end is None or not names_part_of_year(timing.phrase):
        return timing
    return understand_time(question, min(today, date(said.period.end.year, 12, 31)))
