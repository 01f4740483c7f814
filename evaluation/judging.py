"""Editors' questions, judged: what retrieval found for each, what its answer says, and what is wrong with either."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import chain

from archive.articles import Article, Period
from evaluation.answers import Answer
from evaluation.claims import Claim, claims_of
from evaluation.given import Given
from evaluation.measures import COUNTS, Scores
from evaluation.questions import FINAL, Asked, Retrieval
from evaluation.runs import Listed, Result, Sentence
from evaluation.scores import Golds, score_claims, score_retrieval


def judge(
    questions: Iterable[Asked],
    golds: Mapping[str, Golds],
    retrieved: Mapping[str, Retrieval],
    answers: Mapping[str, Answer],
    today: date,
    articles: Callable[[str], Article | None] = lambda _: None,
) -> list[Result]:
    """A result for each question; `golds`, `retrieved` and `answers` by qid, the last for those that were answered.

    `articles` gives an article by its id: answers are held against the whole text of their sources.
    """
    results = []
    for question in questions:
        gold, found, answer = golds[question.qid], retrieved[question.qid], answers.get(question.qid)
        result = _judge_retrieval(question, gold, found, today)
        if answer:
            result = _judge_answer(result, question, gold, answer, answer.given(articles, found.handed))
        results.append(result.model_copy(update={"failures": failures(result.scores)}))
    return results


def _judge_retrieval(question: Asked, gold: Golds, found: Retrieval, today: date) -> Result:
    stages = found.stages or {FINAL: []}
    return Result(
        id=question.qid, kind=question.kind, question=question.question,
        earlier=[turn.content for turn in question.history], gold=[sorted(articles) for articles in gold],
        stages={stage: _listed(listed, gold) for stage, listed in stages.items()},
        meant=_shown(question.period), understood=_shown(found.period),
        must_contain=question.must_all or ([question.must_contain] if question.must_contain else []),
        expected=question.answer, steps=dict(found.steps),
        scores=score_retrieval(question, gold, found, question.asked_on or today),
    )  # fmt: skip


def _judge_answer(result: Result, question: Asked, gold: Golds, answer: Answer, given: Given) -> Result:
    claims = claims_of(given, question.asked_text)
    return result.model_copy(
        update={
            "answer": answer.text, "sources": answer.sources, "grounding": answer.grounding,
            "sentences": [_sentence(claim, gold) for claim in claims],
            "scores": {**result.scores, **score_claims(question, gold, given, claims)},
        }
    )  # fmt: skip


def _sentence(claim: Claim, golds: Golds) -> Sentence:
    gold = frozenset(chain.from_iterable(golds))
    holds = claim.holds(gold) if claim.claims and gold else None
    return Sentence(
        text=claim.text, cited=list(claim.cited), holds=holds, marked=claim.marked, foreign=list(claim.foreign)
    )


def _listed(found: Sequence[tuple[str, float]], golds: Golds) -> Listed:
    places = {article: rank for rank, (article, _) in enumerate(found, 1)}
    ranks = [min((places[article] for article in gold if article in places), default=None) for gold in golds]
    return Listed(found=list(found), ranks=ranks)


def _shown(period: Period | None) -> str | None:
    return f"{_day(period.start)} – {_day(period.end)}" if period else None


def _day(day: date | None) -> str:
    return f"{day.day}.{day.month}.{day.year}" if day else "…"


def failures(scores: Scores) -> list[str]:
    """What went wrong besides the gold's rank, in words."""
    wrong = {
        "answer is not right": scores.get("right") == 0,
        "answered where the archive holds nothing": scores.get("abstained") == 0,
        "said that there is nothing": scores.get("false_abstention") == 1,
        "no citation": scores.get("cited") == 0 and scores.get("false_abstention") == 0,
        "a sentence without a citation": scores.get("cited") == 1
        and scores.get("sentences_cited", 1) + scores.get("sentences_marked", 0) < 1,
        "cites another article": scores.get("citation_precision", 1) < 1,
        "says what stands in no source": any(scores.get(name, 0) > 0 for name in COUNTS),
        "period misunderstood": scores.get("period_understood") == 0,
        "a period where none is meant": scores.get("false_period") == 1,
    }
    return [name for name, is_so in wrong.items() if is_so]
