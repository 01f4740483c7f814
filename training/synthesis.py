"""Questions that the generator writes for passages of the archive, each with its answer.

A small generator writes many a question that its passage doesn't answer; one whose answer stands in the passage word
for word mostly is, and the answer tells the line. They are kept in a file as they come, so that an interrupted run
goes on. Sources: GPL (Wang et al. 2022), InPars (Bonifacio et al. 2022); extractive answers: Alberti et al. 2019.
"""

import asyncio
import contextlib
import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from archive.articles import Passage
from archive.ledger import Ledger
from prompts import render
from server.generation import Generator, Message, Sampling
from server.sentences import sentences
from training.examples import Example

_QUESTIONS = 3  # for each passage: with more, a small generator repeats itself
_SHORTEST, _LONGEST = 150, 450  # characters; what is shorter answers nothing, what is longer takes long to read
_SAMPLING = Sampling(answer_tokens=80, temperature=0.3, seed=7)
_LEAST, _MOST = 20, 200  # characters of a question
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")


def choose_passages(ledger: Ledger, count: int, left_out: frozenset[str], seed: int = 0) -> list[Passage]:
    """Up to `count` passages, each of another article, drawn by `seed`; none of the articles in `left_out`."""
    articles = [article.id for article in ledger.articles() if article.id not in left_out]
    random.Random(seed).shuffle(articles)
    chosen: list[Passage] = []
    for article_id in articles:
        if len(chosen) == count:
            break
        fitting = [one for one in ledger.passages_of(article_id) if _SHORTEST <= len(one.text) <= _LONGEST]
        if fitting:
            chosen.append(random.Random(f"{seed} {article_id}").choice(fitting))
    return chosen


@dataclass(frozen=True, slots=True)
class Written:
    """A question that was written for a passage, and the words of the passage that answer it."""

    question: str
    answer: str


def read_written(told: str, text: str) -> list[Written]:
    """The questions of what a model told of a passage's `text`, one a line with its answer behind a bar.

    Lines that are none are dropped, and those whose answer doesn't stand in the text or is given away by the question.
    """
    found: dict[str, Written] = {}
    for line in told.splitlines():
        question, _, answer = (part.strip() for part in _LIST_MARK.sub("", line).partition("|"))
        asks = question.endswith("?") and _LEAST <= len(question) <= _MOST
        if asks and answer and _stands_in(answer, text) and not _stands_in(answer, question):
            found.setdefault(question, Written(question, answer))
    return list(found.values())[:_QUESTIONS]


def _stands_in(answer: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE) is not None


class Synthesis:
    """The file of written questions: one JSON object a line, appended passage by passage."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written: dict[str, list[Written]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that an interruption cut
                record = json.loads(line)
                self._written[record["passage"]] = [Written(**one) for one in record["questions"]]
        # Written anew without such a line, or the next one would be appended to its stump.
        path.write_text("".join(map(_line, self._written.items())), encoding="utf-8")

    def __contains__(self, passage_id: str) -> bool:
        """Whether questions were written for a passage, be it none that could be used."""
        return passage_id in self._written

    def write(
        self, generator: Generator, passages: Sequence[Passage], on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Have `generator` write for those passages that have no questions yet. Raises GenerationError."""
        asyncio.run(self._write(generator, passages, on_progress))

    async def _write(
        self, generator: Generator, passages: Sequence[Passage], on_progress: Callable[[int, int], None] | None
    ) -> None:
        for done, passage in enumerate(passages, 1):
            if passage.id not in self:
                asked = render("synthesis", "de", title=passage.title, text=passage.text)
                answer = ""
                async with contextlib.aclosing(generator.stream([Message("user", asked)], _SAMPLING)) as pieces:
                    async for piece in pieces:
                        answer += piece.text
                self._keep(passage.id, read_written(answer, passage.text))
            if on_progress:
                on_progress(done, len(passages))

    def _keep(self, passage_id: str, questions: list[Written]) -> None:
        self._written[passage_id] = questions
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line((passage_id, questions)))

    def examples(self, passages: Iterable[Passage]) -> list[Example]:
        """One example for each question that was written for one of `passages`."""
        return [
            Example(written.question, passage, "synthetic", _line_of(written.answer, passage.text))
            for passage in passages
            for written in self._written.get(passage.id, ())
        ]


def _line_of(answer: str, text: str) -> str:
    """The sentence that holds the answer; empty where several do."""
    lines = [sentence for sentence in sentences(text) if _stands_in(answer, sentence)]
    return lines[0] if len(lines) == 1 else ""


def _line(written: tuple[str, list[Written]]) -> str:
    questions = [asdict(one) for one in written[1]]
    return json.dumps({"passage": written[0], "questions": questions}, ensure_ascii=False) + "\n"
