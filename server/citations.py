"""Citations, checked while the answer streams: sentence by sentence, each number against the passage it names.

A model cites the wrong number now and then, or none. A sentence's support in a passage is the share of its content
(words and, counted more, figures and names) that the passage holds. A cited number that is clearly less supported than
another passage is put right, a missing one is added, one without a source is dropped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.function_words import FUNCTION_WORDS

_BRACKETED = re.compile(r"\s*[\[【]\s*(?:Quelle|Meldung|Source|Report)?\s*#?(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\s*[\]】]")
# A sentence ends at its mark, with the citations that follow it, before the start of another one. A single letter or a
# figure before the full stop is an abbreviation or an ordinal ("z. B.", "3. Mai") and ends nothing.
_END = re.compile(
    r"(?:(?<![\s.(]\w)(?<!^\w)(?<!\d)[.!?:]|(?<=\d\d\d\d)\.)"  # the mark
    r"[\"“”»«)]*(?:\s*[\[【][^\]】\n]{1,20}[\]】])*"  # what belongs to it
    r"(?=\s+[^\s\[【a-zäöü]|\n)"  # the start of another sentence
    r"|\n"
)
_ABBREVIATED = re.compile(
    r"\b(?:Dr|Prof|Nr|Mio|Mrd|ca|bzw|usw|etc|St|Abs|Art|vgl|Inc|Corp|Ltd|Co|Jr|Mr|Mrs|Ms|vs|No)\.$"
)
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")
_STEM = 6  # letters that tell German word forms of one word from another word well enough
_FOLD = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})
ENOUGH = 0.5  # share of a sentence's content that earns a passage a citation the model forgot
CLEARLY = 0.2  # lead over the cited passage that moves a citation


@dataclass(slots=True)
class Grounding:
    """What became of an answer's sentences."""

    supported: int = 0
    corrected: int = 0
    unsupported: list[str] = field(default_factory=list)


def _content(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for token in _TOKEN.findall(text):
        low = token.lower()
        if low not in FUNCTION_WORDS:
            weights[low.translate(_FOLD)[:_STEM]] = 2.0 if token[0].isdigit() else 1.5 if token[0].isupper() else 1.0
    return weights


class CitationChecker:
    """Checks one answer. `passages` are what the model was shown, in the order of their numbers from 1."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = [_content(passage) for passage in passages]
        self._buffer = ""
        self.grounding = Grounding()

    def feed(self, text: str) -> str:
        """Take a piece of the answer, give back the checked sentences that it completes; "" while one is open."""
        self._buffer += text
        released = ""
        while (end := self._sentence_end()) is not None:
            released += self._checked(self._buffer[:end])
            self._buffer = self._buffer[end:]
        return released

    def finish(self) -> str:
        """The checked rest, at the end of the answer."""
        rest, self._buffer = self._buffer, ""
        return self._checked(rest) if rest.strip() else ""

    def _sentence_end(self) -> int | None:
        for match in _END.finditer(self._buffer):
            if not _ABBREVIATED.search(self._buffer[: match.end()]):
                return match.end()
        return None

    def supports(self, sentence: str) -> list[float]:
        """Support of a sentence by each passage, 0 to 1."""
        content = _content(_BRACKETED.sub("", sentence))
        total = sum(content.values())
        if not total:
            return [0.0] * len(self._passages)
        return [sum(weight for key, weight in content.items() if key in held) / total for held in self._passages]

    def _checked(self, sentence: str) -> str:
        cited = list(dict.fromkeys(
            int(number) for group in _BRACKETED.findall(sentence) for number in re.split(r"\s*[,;]\s*", group)
        ))  # fmt: skip
        body = _BRACKETED.sub("", sentence)
        if not _content(body):
            return body
        numbers = self._verdict(body, [number for number in cited if 1 <= number <= len(self._passages)])
        return _with_citations(body, numbers)

    def _verdict(self, body: str, cited: list[int]) -> list[int]:
        supports = self.supports(body)
        best = max(range(len(supports)), key=supports.__getitem__, default=None)
        if best is None:
            return []
        if cited and max(supports[number - 1] for number in cited) >= supports[best] - CLEARLY:
            self.grounding.supported += 1
            return cited
        if supports[best] >= ENOUGH:
            self.grounding.corrected += 1
            return [best + 1]
        self.grounding.unsupported.append(body.strip())
        return cited


def _with_citations(body: str, numbers: Sequence[int]) -> str:
    """`body` with its citations before the mark that ends the sentence."""
    if not numbers:
        return body
    marks = "".join(f"[{number}]" for number in numbers)
    text = body.rstrip()
    end = re.search(r"[.!?:]+$", text)
    at = end.start() if end else len(text)
    return f"{text[:at].rstrip()} {marks}{text[at:]}{body[len(text) :]}"
