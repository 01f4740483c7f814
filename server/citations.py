"""Citations, checked while the answer streams: sentence by sentence, each number against the passage it names.

A model cites the wrong number now and then, or none. A sentence's support in a passage is the share of its content
(words and, counted more, figures and names) that the passage holds. A cited number that is clearly less supported than
another passage is put right, a missing one is added, one without a source is dropped. A sentence that no passage
supports, or whose figures stand in none, is marked as not borne out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.content import content, coverage
from server.sentences import sentence_end

_BRACKETED = re.compile(r"\s*[\[【]\s*(?:Quelle|Meldung|Source|Report)?\s*#?(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*[\]】]")
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s+")
_BEFORE_END = re.compile(r"[.!?:]+$")
ENOUGH = 0.5  # share of a sentence's content that earns a passage a citation the model forgot
CLEARLY = 0.2  # lead over the cited passage that moves a citation
LEAST = 0.34  # share below which a sentence isn't borne out by a passage


@dataclass(slots=True)
class Grounding:
    """What became of an answer's sentences."""

    supported: int = 0
    corrected: int = 0
    unsupported: list[str] = field(default_factory=list)


class CitationChecker:
    """Checks one answer.

    `passages` are what was found, in the order of their numbers from 1; `question` may lend its figures; `mark`
    follows a sentence that isn't borne out.
    """

    def __init__(self, passages: Sequence[str], question: str = "", mark: str = "") -> None:
        self._passages = [content(passage) for passage in passages]
        self._figures = [set(_FIGURE.findall(passage)) for passage in passages]
        self._asked = set(_FIGURE.findall(question))
        self._mark = f" {mark}" if mark else ""
        self._buffer = ""
        self.grounding = Grounding()

    def feed(self, text: str) -> str:
        """Take a piece of the answer, give back the checked sentences that it completes; "" while one is open."""
        self._buffer += text
        released = ""
        while (end := sentence_end(self._buffer)) is not None:
            released += self._checked(self._buffer[:end])
            self._buffer = self._buffer[end:]
        return released

    def finish(self) -> str:
        """The checked rest, at the end of the answer."""
        rest, self._buffer = self._buffer, ""
        return self._checked(rest) if rest.strip() else ""

    def _checked(self, sentence: str) -> str:
        groups = _BRACKETED.findall(sentence)
        cited = dict.fromkeys(int(number) for group in groups for number in re.split(r"\s*[,;]\s*", group))
        body = _BRACKETED.sub("", sentence)
        claimed = content(body)
        if not claimed or body.rstrip().endswith(":"):  # nothing is claimed, or only a list announced
            return body
        supports = [self._support(body, claimed, number) for number in range(len(self._passages))]
        marks = self._verdict(supports, [number - 1 for number in cited if 1 <= number <= len(supports)])
        if marks is None:
            self.grounding.unsupported.append(body.strip())
            marks = self._mark
        return _before_end(body, marks)

    def _support(self, body: str, claimed: dict[str, float], number: int) -> float:
        """The share of a sentence's content that a passage holds; 0 where it has a figure that the passage hasn't."""
        figures = set(_FIGURE.findall(_LIST_NUMBER.sub("", body))) - self._asked
        return coverage(claimed, self._passages[number]) if figures <= self._figures[number] else 0.0

    def _verdict(self, supports: Sequence[float], cited: Sequence[int]) -> str | None:
        """The citations that a sentence keeps or gets, None where no passage bears it out."""
        best = max(range(len(supports)), key=supports.__getitem__, default=None)
        if best is None or supports[best] < LEAST:
            return None
        held = [number for number in cited if supports[number] >= LEAST]
        if held and max(supports[number] for number in held) >= supports[best] - CLEARLY:
            self.grounding.supported += 1
            return " " + "".join(f"[{number + 1}]" for number in held)
        if supports[best] < ENOUGH:
            return None
        self.grounding.corrected += 1
        return f" [{best + 1}]"


def _before_end(body: str, marks: str) -> str:
    """`body` with its citations before the mark that ends the sentence."""
    text = body.rstrip()
    end = _BEFORE_END.search(text)
    at = end.start() if end else len(text)
    return f"{text[:at].rstrip()}{marks}{text[at:]}{body[len(text) :]}"
