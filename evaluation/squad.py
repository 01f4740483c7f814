"""Question sets in SQuAD's format, such as XQuAD, as questions to the chat.

Sources: Rajpurkar et al., SQuAD, EMNLP 2016; Artetxe et al., XQuAD, ACL 2020. A sample is drawn from one seed: the same
file, numbers and seed give the same questions, and more unanswerable ones leave the answerable ones as they are.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ValidationError

from archive.errors import SettingsError, SourceError
from evaluation.beir import Document
from evaluation.questions import Asked

_ARTICLE = re.compile(r"^(?:der|die|das|den|dem|des|ein|eine|einen|einem|einer|eines|the|an?)\s+", re.I)
_EDGES = ' \t\n.,;:!?"„“”»«()'
_NUMBERS = ("zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")


class _Text(BaseModel):
    text: str


class _Question(BaseModel):
    id: str
    question: str
    answers: list[_Text] = []
    is_impossible: bool = False  # SQuAD 2.0: its own paragraph doesn't answer it


class _Paragraph(BaseModel):
    context: str
    qas: list[_Question]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[_Paragraph]


class _File(BaseModel):
    data: list[_Article]


@dataclass(frozen=True, slots=True)
class Sample:
    """All paragraphs of a file, and the questions that were drawn; `paragraphs` is {qid: document id} of their own.

    A question of the kind `none` is to be asked while its paragraph is hidden.
    """

    documents: tuple[Document, ...]
    questions: tuple[Asked, ...]
    paragraphs: Mapping[str, str]


def read_squad(path: Path, answerable: int, unanswerable: int, seed: int) -> Sample:
    """Read a file and draw questions, in the order of the file.

    Only questions whose answers stand in no other paragraph of their article can become unanswerable. Raises
    SourceError naming file and place, SettingsError where the file holds too few questions.
    """
    file = _read(path)
    documents: list[Document] = []
    asked: list[tuple[str, Asked]] = []
    unique: set[str] = set()
    for article_number, article in enumerate(file.data, 1):
        for number, paragraph in enumerate(article.paragraphs, 1):
            document = _document(f"{path.stem}-{article_number}-{number}", article.title, paragraph.context)
            documents.append(document)
            others = [other.context.casefold() for other in article.paragraphs if other is not paragraph]
            for question in paragraph.qas:
                golds = [answer.text.strip(_EDGES) for answer in question.answers]
                if question.is_impossible or not any(golds):
                    continue
                asked.append((document.id, _asked(question, golds)))
                forms = [form.casefold() for gold in golds if gold for form in _forms(gold)]
                if not any(form in other for form in forms for other in others):
                    unique.add(question.id)
    return _draw(path, documents, asked, unique, (answerable, unanswerable), seed)


def _read(path: Path) -> _File:
    try:
        return _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}; check the path") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise SourceError(f"{path}: {where}: {first['msg']}; is it a file in SQuAD's format?") from error


def _document(document_id: str, title: str, text: str) -> Document:
    named = " ".join(title.replace("_", " ").split())
    return Document(document_id, named or " ".join(text.split())[:80], text.strip())


def _asked(question: _Question, golds: Sequence[str]) -> Asked:
    forms = list(dict.fromkeys(chain.from_iterable(_forms(gold) for gold in golds if gold)))
    answer = question.answers[0].text
    return Asked.model_validate(
        {"qid": question.id, "kind": "fact", "question": question.question.strip(), "answer": answer,
         "must_contain": forms}
    )  # fmt: skip


def _forms(gold: str) -> Iterator[str]:
    """How an answer may be written: as it is, without its article, a number word as a figure or the other way round."""
    yield gold
    if (bare := _ARTICLE.sub("", gold)) and bare != gold:
        yield bare
    if gold.lower() in _NUMBERS:
        yield str(_NUMBERS.index(gold.lower()) + 2)
    if gold.isdigit() and 2 <= int(gold) < len(_NUMBERS) + 2:
        yield _NUMBERS[int(gold) - 2]


def _draw(
    path: Path,
    documents: Sequence[Document],
    asked: Sequence[tuple[str, Asked]],
    unique: set[str],
    wanted: tuple[int, int],
    seed: int,
) -> Sample:
    order = list(range(len(asked)))
    random.Random(seed).shuffle(order)
    answerable, rest = order[: wanted[0]], order[wanted[0] :]
    hidden = [place for place in rest if asked[place][1].qid in unique][: wanted[1]]
    if len(answerable) < wanted[0]:
        raise SettingsError(f"--sample {wanted[0]}: {path} holds {len(asked)} questions with an answer")
    if len(hidden) < wanted[1]:
        raise SettingsError(f"--unanswerable {wanted[1]}: {path} holds {len(hidden)} beside the sample; ask for fewer")
    kept = [(asked[place][0], asked[place][1]) for place in sorted(answerable)]
    kept += [(asked[place][0], _unanswerable(asked[place][1])) for place in sorted(hidden)]
    questions = tuple(question for _, question in kept)
    return Sample(tuple(documents), questions, {question.qid: document for document, question in kept})


def _unanswerable(question: Asked) -> Asked:
    """Under a name of its own: its answer must not be taken for one that was given with the paragraph in sight."""
    return question.model_copy(update={"qid": f"{question.qid}-hidden", "kind": "none", "must_contain": []})
