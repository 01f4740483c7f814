"""Questions together with the articles that they are asked about: what several systems are given alike."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random

from archive.archive import Archive
from archive.articles import Article
from archive.embedding import Embedder
from archive.errors import ArchiveError
from archive.settings import Settings
from evaluation.questions import Asked, find_golds, is_missing
from evaluation.record import IRRELEVANT
from evaluation.squad import read_squad
from ingest.split import split

OnProgress = Callable[[int, int], None]  # done, total

_BATCH = 500  # articles in one transaction


@dataclass(frozen=True, slots=True)
class Exam:
    """Questions that the articles can answer (or, of kind `none`, can't), with their golds by qid, and the articles.

    `missing` counts the questions left out for want of their articles; `whole` says that the articles are all of the
    archive that they were taken from.
    """

    questions: tuple[Asked, ...]
    golds: Mapping[str, tuple[frozenset[str], ...]]
    articles: tuple[Article, ...]
    missing: int = 0
    whole: bool = False

    def digest(self, settings: Settings) -> str:
        """What the replies depend on: questions, articles and settings, not the code."""
        parts = [
            settings.model_dump_json(exclude=IRRELEVANT),
            *(question.model_dump_json() for question in self.questions),
            *(article.content_hash for article in self.articles),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def take(archive: Archive, asked: Sequence[Asked], limit: int | None, seed: int) -> Exam:
    """The gold articles and, up to `limit` articles in all, a random rest; all articles where it is None.

    Raises ArchiveError where the archive holds no gold of any question.
    """
    golds = find_golds(archive, asked)
    questions = tuple(question for question in asked if not is_missing(question, golds[question.qid]))
    if not questions:
        raise ArchiveError("the archive answers none of the questions; ingest their articles, or set ARCHIVAR_HOME")
    ids = [article.id for article in archive.ledger.articles()]
    wanted = set(chain.from_iterable(gold for question in questions for gold in golds[question.qid]))
    if limit is not None:
        rest = [article_id for article_id in ids if article_id not in wanted]
        wanted |= set(Random(seed).sample(rest, min(max(limit - len(wanted), 0), len(rest))))
    articles = tuple(
        article for article in archive.ledger.articles() if limit is None or article.id in wanted
    )  # in the order of their arrival
    return Exam(questions, golds, articles, len(asked) - len(questions), whole=len(articles) == len(ids))


def take_squad(path: Path, answerable: int, unanswerable: int, seed: int) -> Exam:
    """Questions of a file in SQuAD's format, with its paragraphs but for those that answer the unanswerable ones.

    Answerable questions about a paragraph that is left out are left out, too. Raises SourceError and SettingsError.
    """
    sample = read_squad(path, answerable, unanswerable, seed)
    hidden = {sample.paragraphs[question.qid] for question in sample.questions if question.kind == "none"}
    questions = tuple(
        question
        for question in sample.questions
        if question.kind == "none" or sample.paragraphs[question.qid] not in hidden
    )
    golds = {
        question.qid: () if question.kind == "none" else (frozenset({sample.paragraphs[question.qid]}),)
        for question in questions
    }
    articles = tuple(
        Article(one.id, one.title, one.text, source="squad") for one in sample.documents if one.id not in hidden
    )
    return Exam(questions, golds, articles, len(sample.questions) - len(questions))


def build(exam: Exam, settings: Settings, embedder: Embedder, on_progress: OnProgress) -> None:
    """Bring the articles into a new archive in `settings.home`, split and indexed as an ingest does it."""
    archive = Archive.open(settings, embedder)
    try:
        with archive.writing():
            for start in range(0, len(exam.articles), _BATCH):
                batch = exam.articles[start : start + _BATCH]
                archive.ledger.store([(article, split(article)) for article in batch])
                archive.index_pending()
                on_progress(start + len(batch), len(exam.articles))
    finally:
        archive.close()
