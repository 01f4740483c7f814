"""The line that answers a question: chosen by the generator, said in the archive's own words.

A model too small to write a sentence that holds can still tell which of some lines answers a question: it reads them
once, and the probabilities of their letters as its next word are its choice (the letters' log-probabilities, as in
multiple-choice evaluation; Robinson and Wingate, "Leveraging Large Language Models for Multiple Choice Question
Answering", 2023). Nothing is generated, so nothing can be invented, and the answer is there when the prompt is read.
"""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np

from prompts import render
from server.escaping import inline_markdown
from server.events import Source
from server.excerpts import Line, located
from server.sources import date_of
from server.timelines import LEANING
from server.understanding import Language
from server.wording import say

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ENDS: Mapping[Language, tuple[str, str]] = {"de": ("„", "“"), "en": ("“", "”")}
_SINGLE = str.maketrans("„“”»«", "‚‘‘›‹")
# Weight of the logarithm of the model's choice beside the relevance of a line.
_CHOICE = 0.02
# Characters of a quotation: the line with about two sentences after it, and one before. On 53 questions whose answer
# stood in a source it stood in the line with its headline for 66 of 100, with those after for 77, and before for 79.
_LONGEST, _LONGEST_WITH_BEFORE = 360, 440
_LEAST = 1e-3  # below this probability, differences of the choice are noise
# How much less relevant than the best line one of another source may be and still be chosen, or stand beside it. Of 84
# questions of our own the smallest limit that costs none: what lies further below is mostly beside the matter.
BESIDE = 0.02


def lettered(lines: Sequence[Line], sources: Sequence[Source], language: Language) -> str:
    """The lines as the model reads them, each source's headed by its headline with its date."""
    text = ""
    for letter, line in zip(LETTERS, lines, strict=False):
        head = line.position < 0
        date = f" ({date_of(sources[line.source], language)})" if head else ""
        text += ("\n\n" if head else "\n") + f"({letter}) {line.text}{date}"
    return text.strip()


def choose(
    lines: Sequence[Line], weights: Sequence[float], used: Container[int] = (), *, beside: float = BESIDE
) -> Line:
    """The line that answers; `weights` are log-probabilities of the letters, in the order of the lines.

    Lines of sources that are `used` already are not chosen, unless there are no others, nor those of a source that are
    less relevant than the best line by more than `beside`.
    """
    odds = np.array(weights, np.float64)
    chances = np.exp(odds - np.logaddexp.reduce(odds)).tolist()
    pairs = list(zip(lines, chances, strict=False))
    open_to_choice = [pair for pair in pairs if pair[0].source not in used] or pairs
    best = max((line for line, _ in open_to_choice), key=lambda line: line.relevance)
    near = [pair for pair in open_to_choice if is_beside(pair[0], best, beside)]
    return max(near, key=lambda pair: pair[0].relevance + _CHOICE * log(pair[1] + _LEAST))[0]


def is_beside(line: Line, best: Line, beside: float = BESIDE) -> bool:
    """Whether a line may stand beside the best one, or in its place."""
    return line.source == best.source or line.relevance >= best.relevance - beside


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is printed of a source, word by word: sentences that follow each other, or nothing but its headline.

    A line break stands where the source begins a new paragraph, as after its teaser.
    """

    source: Source
    text: str

    @property
    def is_headline(self) -> bool:
        """Whether there is no more than the headline."""
        return self.text == self.source.title


def quoted(line: Line, sources: Sequence[Source]) -> Quoted:
    """A line with the sentences that explain it: what comes after, and what it leans on ("Er ...").

    A chosen headline stands for how its article begins. What comes before is taken in where there is room for it.
    """
    source = sources[line.source]
    at = located(source.passage)
    position = line.position if line.position >= 0 else min(at, default=-1)
    if position not in at or (line.position < 0 and at[position] == source.title and position + 1 not in at):
        return Quoted(source, source.title)
    text, before = at[position], at.get(position - 1, "")
    leans = bool(before) and bool(LEANING.match(text))
    taken = [before, text] if leans else [text]
    while (following := at.get(position := position + 1)) and _length(taken) + len(following) < _LONGEST:
        taken.append(following)
    if before and not leans and len(before) + _length(taken) < _LONGEST_WITH_BEFORE:
        taken = [before, *taken]
    return Quoted(source, _as_printed(taken, source.passage))


def _length(sentences: Sequence[str]) -> int:
    return sum(map(len, sentences)) + len(sentences) - 1


def _as_printed(sentences: Sequence[str], passage: str) -> str:
    """Sentences that follow each other in a passage, with a line break where it has one."""
    text = sentences[0]
    for before, after in pairwise(sentences):
        parted = re.search(rf"{re.escape(before)}\s*\n\s*{re.escape(after)}", passage)
        text += ("\n" if parted else " ") + after
    return text


def said(found: Quoted, language: Language, *, certain: bool = True) -> str:
    """What the archive says, with headline, day and citation; or that it is only what comes nearest."""
    source = found.source
    date = say("of_day", language, date=date_of(source, language)) if source.published else ""
    citation = f"[{source.number}]"
    begins, ends = _ENDS[language]
    if found.is_headline:
        text = render("headline", language, title=inline_markdown(_inner(source.title)), date=date, citation=citation)
    else:
        text = render(
            "evidence",
            language,
            title=inline_markdown(_inner(source.title)),
            text=f"{ends} {citation} {begins}".join(inline_markdown(_inner(part)) for part in found.text.split("\n")),
            date=date,
            citation=citation,
        )
    return text if certain else f"{render('unsure', language)} {text}"


def _inner(text: str) -> str:
    """A text as it stands within quotation marks: its own marks become single ones (Duden, rule 12)."""
    return text.translate(_SINGLE)
