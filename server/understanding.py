"""Understand a question: its language, whether it leans on the talk before it, and which time it means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from archive.articles import Period
from server.function_words import ENGLISH, FUNCTION_WORDS, GERMAN, POINTING
from server.generation import Message
from server.periods import Timing, understand_time

Language = Literal["de", "en"]

_WORD = re.compile(r"[^\W\d_]+")
_OPENING = re.compile(r"^\s*(?:und|aber|also|oder|and|but|so|then|ok(?:ay)?)\b[\s,]", re.IGNORECASE)
_TURNS = 2  # earlier questions that a follow-up may lean on


@dataclass(frozen=True, slots=True)
class Question:
    """A question as retrieval takes it.

    `text` is what the user typed; `search` is what is searched, completed by earlier questions for a follow-up.
    """

    text: str
    search: str
    language: Language
    timing: Timing
    is_followup: bool = False

    @property
    def period(self) -> Period | None:
        """The period that filters, None where the question leaves time open or names a year only in passing.

        What happened on a day is reported on that day or the next, so a single day takes in the one after it.
        """
        period = self.timing.period if self.timing.firm else None
        if period and period.start and period.start == period.end:
            return Period(period.start, period.start + timedelta(days=1))
        return period


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


def leans_back(question: str) -> bool:
    """Whether a question is about the talk before it: it opens with "und", points back, or names no topic."""
    words = _WORD.findall(question)
    topics = [word for word in words if word.lower() not in FUNCTION_WORDS]
    names = [word for word in topics[1:] if word[0].isupper()]
    pointing = any(word.lower() in POINTING for word in words)
    if _OPENING.match(question) or not topics or _pronoun_comes_first(words):
        return True
    return (pointing and len(topics) <= 4) or len(topics) <= 1 or (len(topics) <= 2 and not names)


def _pronoun_comes_first(words: Sequence[str]) -> bool:
    """Whether a pronoun stands before any name or noun of the question that it could mean ("Wie teuer wurde sie?")."""
    for word in words[1:]:
        if word in POINTING:
            return True
        if word[0].isupper():
            return False
    return False


def understand(history: Sequence[Message], question: str, today: date, language: Language = "de") -> Question:
    """Complete a follow-up by the questions before it and read the time it means; `history` comes oldest first."""
    earlier = [turn.content for turn in history if turn.role == "user"][-_TURNS:]
    timing = understand_time(question, today)
    # Without the words that say when: "diese Woche" points to no talk.
    is_followup = bool(earlier) and leans_back(timing.query)
    search = timing.query
    if is_followup:
        before = [understand_time(text, today) for text in earlier]
        search = " ".join([*(said.query for said in before), search])
        if timing.period is None and timing.leaning is None:
            timing = next((said for said in reversed(before) if said.period), timing)
    return Question(question, search, language_of(question, language), timing, is_followup)
