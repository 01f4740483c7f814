"""Questions and passages in SQuAD's format (Rajpurkar et al., 2016; XQuAD: Artetxe et al., 2020) as an exam."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from pydantic import BaseModel, Field, ValidationError

from archive.articles import Article
from archive.errors import SourceError
from evaluation.questions import Asked, Kind
from evaluation.side_by_side import Exam

_LEFT_OUT = 6  # of so many passages one stays out of the archive; what is asked about it has no answer there
_SOURCE = "squad"


class _Answer(BaseModel):
    text: str = Field(min_length=1)


class _Question(BaseModel):
    id: str
    question: str
    answers: list[_Answer] = []


class _Paragraph(BaseModel):
    context: str
    qas: list[_Question]


class _Subject(BaseModel):
    title: str = ""
    paragraphs: list[_Paragraph]


class _File(BaseModel):
    data: list[_Subject]


def take_squad(path: Path, limit: int, seed: int) -> Exam:
    """`limit` questions of kind `fact`, and half as many of kind `none` about passages that are left out.

    An answer is right where it holds one of the file's. Raises SourceError.
    """
    passages = _read(path)
    shuffled = list(range(len(passages)))
    Random(seed).shuffle(shuffled)
    out = set(shuffled[: len(passages) // _LEFT_OUT])
    answered = _asked(passages, [number for number in range(len(passages)) if number not in out], "fact")
    unanswered = _asked(passages, sorted(out), "none")
    chosen = _sample(answered, limit, seed) + _sample(unanswered, limit // 2, seed)
    if not chosen:
        raise SourceError(f"{path}: holds no questions with answers")
    golds = {question.qid: ((frozenset({article}),) if article else ()) for question, article in chosen}
    articles = tuple(article for number, (article, _) in enumerate(passages) if number not in out)
    return Exam(tuple(question for question, _ in chosen), golds, articles)


def _read(path: Path) -> list[tuple[Article, list[_Question]]]:
    try:
        subjects = _File.model_validate_json(path.read_text(encoding="utf-8-sig")).data
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {error}; check the path") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise SourceError(f"{path}: {where}: {first['msg']}; name a file in SQuAD's format") from error
    found = [(subject.title.replace("_", " "), part) for subject in subjects for part in subject.paragraphs]
    return [
        (Article(f"{_SOURCE}-{number}", title or part.context[:60], part.context, source=_SOURCE), part.qas)
        for number, (title, part) in enumerate(found)
    ]


def _asked(
    passages: Sequence[tuple[Article, list[_Question]]], numbers: Sequence[int], kind: Kind
) -> list[tuple[Asked, str]]:
    """The questions of some passages, each with the article that answers it, "" for `none`."""
    asked = []
    for article, questions in (passages[number] for number in numbers):
        for one in questions:
            answers = [] if kind == "none" else [answer.text for answer in one.answers]
            if answers or kind == "none":
                fields = {"qid": one.id, "kind": kind, "question": one.question, "must_contain": answers}
                asked.append((Asked.model_validate(fields), article.id if answers else ""))
    return asked


def _sample(asked: list[tuple[Asked, str]], limit: int, seed: int) -> list[tuple[Asked, str]]:
    return Random(seed).sample(asked, min(limit, len(asked)))
