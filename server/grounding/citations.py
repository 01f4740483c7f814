"""Citations, checked while the answer streams: sentence by sentence, each number against the passage it names.

A model cites the wrong number now and then, or none. A sentence keeps the citations that bear it out; where another
passage clearly does, its number takes their place, and where none was cited it is added. A sentence that no passage
bears out is marked or withheld. Text in quotation marks that its source doesn't hold word by word loses the marks.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from server.escaping import tame
from server.grounding.claims import Claim, claim_of
from server.grounding.evidence import Evidence
from server.grounding.quotation_marks import Quotation, is_open, quotations, verbatim, without_marks
from server.grounding.silence import claims_nothing
from server.grounding.support import Asked, Passage
from server.sentences import sentence_end

_BRACKETED = re.compile(
    r"[^\S\n]*[\[【]\s*(?:Quelle|Meldung|Source|Report)?\s*#?(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*[\]】](?!\()"
)
_BEFORE_END = re.compile(r"[.!?:]+[\"“”»«)]*$")
_LONGEST_QUOTATION = 600  # characters that may wait for a closing mark
LEAST = 0.6  # support below which a sentence isn't borne out by a passage that it cites
ENOUGH = 0.65  # support that earns a passage a citation the model forgot or got wrong
CLEARLY = 0.25  # lead over the cited passage that moves a citation

Unsupported = Literal["mark", "withhold"]


@dataclass(slots=True)
class Grounding:
    """What became of an answer's sentences; `cited` counts them by the number of the source that they cite."""

    supported: int = 0
    corrected: int = 0
    unsupported: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    unquoted: list[str] = field(default_factory=list)
    cited: Counter[int] = field(default_factory=Counter)

    @property
    def borne_out(self) -> bool:
        """Whether any sentence of the answer is borne out by a source."""
        return self.supported + self.corrected > 0

    @property
    def tells(self) -> bool:
        """Whether the answer says anything, if only marked."""
        return self.borne_out or bool(self.unsupported)


class CitationChecker:
    """Checks one answer.

    `passages` come in the order of their numbers from 1. `question` may lend what it says, but that proves nothing.
    `mark` follows a sentence that isn't borne out, unless `unsupported` says to withhold it. An answer in a `foreign`
    language, whose words can't be compared, is judged by its facts alone.
    """

    def __init__(
        self,
        passages: Sequence[Evidence],
        *,
        question: str = "",
        mark: str = "",
        unsupported: Unsupported = "mark",
        foreign: bool = False,
    ) -> None:
        self._passages = [Passage(evidence) for evidence in passages]
        self._asked = Asked(question)
        self._mark = f" {mark}" if mark else ""
        self._withholds = unsupported == "withhold"
        self._foreign = foreign
        self._buffer = ""
        self._begun = False
        self.grounding = Grounding()

    def feed(self, text: str) -> str:
        """Take a piece of the answer, give back the checked sentences that it completes; "" while one is open."""
        self._buffer += text
        released = ""
        while (end := _end(self._buffer)) is not None:
            released += self._checked(self._buffer[:end])
            self._buffer = self._buffer[end:]
        return self._trimmed(released)

    def finish(self) -> str:
        """The checked rest, at the end of the answer."""
        rest, self._buffer = self._buffer, ""
        return self._trimmed(self._checked(rest)) if rest.strip() else ""

    def _trimmed(self, released: str) -> str:
        """Where the first sentences are withheld, the answer begins with the next."""
        if self._withholds and not self._begun:
            released = released.lstrip()
        self._begun = self._begun or bool(released)
        return released

    def _checked(self, sentence: str) -> str:
        groups = _BRACKETED.findall(sentence)
        numbers = dict.fromkeys(int(number) for group in groups for number in re.split(r"\s*[,;]\s*", group))
        cited = [number - 1 for number in numbers if 1 <= number <= len(self._passages)]
        body = _BRACKETED.sub("", sentence)
        claim = claim_of(body)
        if claim.empty or claims_nothing(body, claim, self._asked):
            return tame(self._unquoted(body, quotations(body), range(len(self._passages))))
        quoted = quotations(body)
        chosen = self._chosen(claim, cited, quoted)
        body = self._unquoted(body, quoted, chosen or range(len(self._passages)))
        if not chosen:
            return self._unsupported(body)
        self.grounding.cited.update(number + 1 for number in chosen)
        return _before_end(tame(body), " " + "".join(f"[{number + 1}]" for number in chosen))

    def _chosen(self, claim: Claim, cited: Sequence[int], quoted: Sequence[Quotation]) -> list[int]:
        """The passages that a sentence is left with, best those that hold its quotations; none where it has no hold."""
        supports = self._supports(claim, cited)
        holding = [all(self._holds(number, quotation) for quotation in quoted) for number in range(len(supports))]
        exact = [score if holds else 0.0 for score, holds in zip(supports, holding, strict=True)]
        return self._verdict(exact, cited) or (self._verdict(supports, cited) if quoted else [])

    def _supports(self, claim: Claim, cited: Sequence[int]) -> list[float]:
        """The support in each passage. Where a cited one leaves no room for a better, the others aren't looked at."""
        if self._foreign:
            return [passage.facts(claim, self._asked).score for passage in self._passages]
        supports = [0.0] * len(self._passages)
        for number in cited:
            supports[number] = self._passages[number].support(claim, self._asked).score
        if max(supports, default=0.0) < 1 - CLEARLY:
            for number in set(range(len(supports))).difference(cited):
                supports[number] = self._passages[number].support(claim, self._asked, answering=claim.bare).score
        return supports

    def _verdict(self, supports: Sequence[float], cited: Sequence[int]) -> list[int]:
        best = max(range(len(supports)), key=supports.__getitem__, default=None)
        if best is None or supports[best] < LEAST:
            return []
        kept = [number for number in cited if supports[number] >= LEAST]
        if kept and max(supports[number] for number in kept) >= supports[best] - CLEARLY:
            self.grounding.supported += 1
            return kept
        if supports[best] < ENOUGH:
            return []
        self.grounding.corrected += 1
        return [best]

    def _holds(self, number: int, quotation: Quotation) -> bool:
        evidence = self._passages[number].evidence
        return quotation.closed and verbatim(quotation.text, f"{evidence.title}\n{evidence.text}")

    def _unquoted(self, body: str, quoted: Sequence[Quotation], numbers: Sequence[int]) -> str:
        """The sentence without the marks of what these passages don't hold word by word."""
        dropped = [quotation for quotation in quoted if not any(self._holds(number, quotation) for number in numbers)]
        self.grounding.unquoted += [quotation.text.strip() for quotation in dropped]
        return without_marks(body, dropped)

    def _unsupported(self, body: str) -> str:
        if self._withholds:
            self.grounding.withheld.append(body.strip())
            return ""
        self.grounding.unsupported.append(body.strip())
        return _before_end(tame(body), self._mark)


def _end(text: str) -> int | None:
    """Where the first sentence ends; one with an open quotation goes on to its closing mark, within its line."""
    end = sentence_end(text)
    while end is not None and end < _LONGEST_QUOTATION and "\n" not in text[:end] and is_open(text[:end]):
        end = sentence_end(text, end)
    return end


def _before_end(body: str, marks: str) -> str:
    """`body` with its citations before the mark that ends the sentence."""
    text = body.rstrip()
    end = _BEFORE_END.search(text)
    at = end.start() if end else len(text)
    return f"{text[:at].rstrip()}{marks}{text[at:]}{body[len(text) :]}"
