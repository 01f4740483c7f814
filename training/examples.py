"""What a model learns from: a question, a passage that answers it, and passages that do not."""

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from archive.articles import Article, Passage
from archive.errors import SourceError
from archive.ledger import Ledger
from evaluation.questions import Asked
from evaluation.scores import is_right
from server.sentences import sentences

_LEAST_ASKED = 40  # characters; a shorter teaser asks for nothing


Unit = Literal["passage", "line"]


@dataclass(frozen=True, slots=True)
class Example:
    """A question and the passage that answers it; `origin` says where both come from ("squad", "headlines", ...).

    `line` is the sentence of the passage that holds the answer, empty where that isn't known.
    """

    query: str
    positive: Passage
    origin: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage as a model reads it; `scores` are those of the server's retrieval, empty where it did not find it."""

    text: str
    answers: bool
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with its candidates: the one that answers it, and negatives in the order of their retrieval.

    `group` is the article behind the answer: what must not be torn apart when a part is held out. Candidates are
    whole passages, or single lines.
    """

    query: str
    origin: str
    group: str
    candidates: tuple[Candidate, ...]
    unit: Unit = "passage"

    @property
    def positive(self) -> Candidate:
        """The candidate that answers the question."""
        return next(candidate for candidate in self.candidates if candidate.answers)

    @property
    def negatives(self) -> list[Candidate]:
        """The others, hardest first."""
        return [candidate for candidate in self.candidates if not candidate.answers]


def read_squad(path: Path) -> list[Example]:
    """SQuAD's format (Rajpurkar et al. 2016): each paragraph is a passage, its article's title goes in front.

    The line is the sentence that holds the first answer.

    Raises SourceError where the file is none.
    """
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        return [
            Example(
                question["question"].strip(),
                _paragraph(path, number, place, article, paragraph),
                "squad",
                _line_at(paragraph["context"], question["answers"][0]),
            )
            for number, article in enumerate(articles)
            for place, paragraph in enumerate(article["paragraphs"])
            for question in paragraph["qas"]
            if question.get("answers")
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{path}: is no file in SQuAD's format ({error!r}); check the path") from error


def _paragraph(path: Path, number: int, place: int, article: dict[str, str], paragraph: dict[str, str]) -> Passage:
    title = article.get("title", "").replace("_", " ")
    text = paragraph["context"].strip()
    return Passage(
        f"{path.stem}-{number}#{place}", f"{path.stem}-{number}", place, text, title or text[:80].rsplit(" ", 1)[0]
    )


def _line_at(text: str, answer: Mapping[str, Any]) -> str:
    """The sentence of a paragraph in which an answer lies whole; empty where the splitter sees two."""
    start, end, position = int(answer["answer_start"]), int(answer["answer_start"]) + len(answer["text"]), 0
    for sentence in sentences(text):
        position = text.index(sentence, position)
        if position <= start and end <= position + len(sentence):
            return sentence
    return ""


def read_pairs(path: Path) -> list[Example]:
    """JSON lines with `question` and `answer`: each answer is a passage, titled by its own beginning.

    Raises SourceError naming the line.
    """
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {error}; check the path") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            question, answer = record["question"].strip(), record["answer"].strip()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"{path}, line {number}: is no object with question and answer") from error
        title = answer[:80].rsplit(" ", 1)[0]
        name = f"{path.stem}-{number}"
        examples.append(Example(question, Passage(f"{name}#0", name, 0, answer, title), "pairs"))
    return examples


def editors(questions: Iterable[Asked], golds: Mapping[str, Sequence[frozenset[str]]], ledger: Ledger) -> list[Example]:
    """Questions that stand alone, each answered by the first passage of a gold that holds what an answer must contain.

    `golds` are article ids by qid, as find_golds() gives them. Follow-ups and questions with several parts are left
    out: no reranker reads them.
    """
    examples = []
    for question in questions:
        if question.kind not in ("fact", "time") or question.history:
            continue
        articles = sorted(set().union(*golds[question.qid]))
        passages = (passage for article in articles for passage in ledger.passages_of(article))
        if answer := next((passage for passage in passages if is_right(question, passage.embedded_text)), None):
            lines = [sentence for sentence in sentences(answer.text) if is_right(question, sentence)]
            examples.append(Example(question.question, answer, "editors", lines[0] if len(lines) == 1 else ""))
    return examples


def headlines(articles: Iterable[Article], count: int, seed: int = 0) -> list[Example]:
    """Headlines as questions, each answered by its article's teaser or first paragraph without the headline.

    Drawn by `seed` from articles whose text says more than their headline does.
    """
    fitting = [article for article in articles if len(_opening(article)) >= 2 * len(article.title)]
    random.Random(seed).shuffle(fitting)
    return [
        Example(
            article.title,
            Passage(f"{article.id}#opening", article.id, 0, _opening(article), article.source, article.published),
            "headlines",
        )
        for article in fitting[:count]
    ]


def teasers(articles: Iterable[Article], count: int, seed: int = 0) -> list[Example]:
    """First sentences of teasers as questions, each answered by the headline alone.

    Of much of a newsticker's archive nothing but the headline is known. Drawn by `seed` from articles with a teaser.
    """
    fitting = [article for article in articles if len(_first_sentence(article.teaser)) >= _LEAST_ASKED]
    random.Random(seed).shuffle(fitting)
    return [
        Example(
            _first_sentence(article.teaser),
            Passage(f"{article.id}#headline", article.id, 0, article.title, article.title, article.published),
            "teasers",
        )
        for article in fitting[:count]
    ]


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ])", text.strip(), maxsplit=1)[0]


def _opening(article: Article) -> str:
    return article.teaser or article.text.partition("\n\n")[0][:900]


def held_out(judged: Sequence[Judged], share: float, seed: int = 0) -> tuple[list[Judged], list[Judged]]:
    """(kept, held out): about `share` of each origin's articles are held out whole, never some of their questions."""
    chosen: set[str] = set()
    for origin in sorted({one.origin for one in judged}):
        groups = sorted({one.group for one in judged if one.origin == origin})
        random.Random(f"{seed} {origin}").shuffle(groups)
        chosen.update(groups[: max(1, round(share * len(groups)))])
    return [one for one in judged if one.group not in chosen], [one for one in judged if one.group in chosen]


def write_judged(path: Path, judged: Iterable[Judged]) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for one in judged:
            file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


def read_judged(path: Path) -> list[Judged]:
    """What write_judged() wrote. Raises SourceError where it is damaged."""
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Judged(**{**record, "candidates": tuple(Candidate(**one) for one in record["candidates"])})
            for record in records
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path}: is damaged ({error}); delete it and train again") from error
