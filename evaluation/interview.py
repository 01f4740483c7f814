"""Questions asked of retrieval and of the whole chat, some of them while articles are hidden, and what came of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.archive import Archive
from archive.settings import Settings
from evaluation.answers import Answer, Results, answer_all
from evaluation.hiding import without
from evaluation.questions import Asked, Retrieval, retrieve, retrieve_all
from evaluation.scores import Golds
from evaluation.squad import Sample
from server.chat import Chat
from server.engine import Engine, warm_up
from server.reranking import Reranker
from server.retrieval import Retriever

OnProgress = Callable[[int, int], None]  # (done, total)


@dataclass(frozen=True, slots=True)
class Interview:
    """Questions with their golds by qid, and by qid the articles that are hidden while it is asked."""

    questions: Sequence[Asked]
    golds: Mapping[str, Golds]
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)


def interview_of(sample: Sample, documents: Mapping[str, str]) -> Interview:
    """The interview of a sample; `documents` is {article id: document id}, as add_corpus() gives it."""
    articles = {document: frozenset({article}) for article, document in documents.items()}
    own = {question: articles[document] for question, document in sample.paragraphs.items()}
    hidden = {question.qid: own[question.qid] for question in sample.questions if question.kind == "none"}
    return Interview(
        sample.questions, {question: () if question in hidden else (gold,) for question, gold in own.items()}, hidden
    )


def ask_retrieval(
    interview: Interview, archive: Archive, reranker: Reranker | None, settings: Settings, on_progress: OnProgress
) -> dict[str, Retrieval]:
    """What retrieval makes of each question, by qid."""
    total = len(interview.questions)
    plain = [question for question in interview.questions if question.qid not in interview.hidden]
    retriever = _retriever(archive, reranker, settings)
    found = retrieve_all(retriever, settings, plain, lambda done: on_progress(done, total))
    for question in interview.questions:
        if (hidden := interview.hidden.get(question.qid)) is not None:
            view = without(archive, hidden)
            found[question.qid] = retrieve(_retriever(view, reranker, settings), settings, question)
            on_progress(len(found), total)
    return found


def ask_chat(interview: Interview, engine: Engine, results: Results, on_progress: OnProgress) -> dict[str, Answer]:
    """The chat's answers by qid, asking only what `results` doesn't hold."""
    total = len(interview.questions)

    async def ask() -> dict[str, Answer]:
        await warm_up(engine)
        return await answer_all(
            lambda question: _chat(engine, interview.hidden.get(question.qid)), interview.questions, results,
            lambda done: on_progress(done, total),
        )  # fmt: skip

    return asyncio.run(ask())


def _chat(engine: Engine, hidden: frozenset[str] | None) -> Chat:
    if hidden is None:
        return engine.chat
    view = without(engine.archive, hidden)
    return Chat(view, _retriever(view, engine.reranker, engine.settings), engine.generator, engine.settings)


def _retriever(archive: Archive, reranker: Reranker | None, settings: Settings) -> Retriever:
    return Retriever(archive, reranker, settings.candidates, settings.reranked)
