"""Questions that the generator writes for passages of the archive.

They are kept in a file as they come, so that an interrupted run goes on. Sources: GPL (Wang et al. 2022), InPars
(Bonifacio et al. 2022).
"""

import asyncio
import contextlib
import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from archive.articles import Passage
from archive.ledger import Ledger
from prompts import render
from server.generation import Generator, Message, Sampling
from training.examples import Example

_QUESTIONS = 3  # for each passage: the template asks for as many
_SHORTEST, _LONGEST = 150, 450  # characters; what is shorter answers nothing, what is longer takes long to read
_SAMPLING = Sampling(answer_tokens=72, temperature=0.3, seed=7)
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


def read_questions(answer: str) -> list[str]:
    """The questions of a model's answer, one a line; lines that are no question are dropped."""
    lines = (_LIST_MARK.sub("", line).strip() for line in answer.splitlines())
    return list(dict.fromkeys(line for line in lines if line.endswith("?") and 15 <= len(line) <= 200))[:_QUESTIONS]


class Synthesis:
    """The file of written questions: one JSON object a line, appended passage by passage."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written: dict[str, list[str]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            with contextlib.suppress(ValueError, KeyError):  # a line that an interruption cut
                record = json.loads(line)
                self._written[record["passage"]] = record["questions"]
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
                self._keep(passage.id, read_questions(answer))
            if on_progress:
                on_progress(done, len(passages))

    def _keep(self, passage_id: str, questions: list[str]) -> None:
        self._written[passage_id] = questions
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line((passage_id, questions)))

    def examples(self, passages: Iterable[Passage]) -> list[Example]:
        """One example for each question that was written for one of `passages`."""
        return [
            Example(question, passage, "synthetic")
            for passage in passages
            for question in self._written.get(passage.id, ())
        ]


def _line(written: tuple[str, list[str]]) -> str:
    return json.dumps({"passage": written[0], "questions": written[1]}, ensure_ascii=False) + "\n"
