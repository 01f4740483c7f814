"""Editors' questions, judged: what retrieval found for each, what its answer says, and what is wrong with either."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from archive.articles import Period
from evaluation.measures import Scores
from evaluation.questions import FINAL, Asked, Retrieval
from evaluation.runs import Listed, Result
from evaluation.scores import Answer, Golds, score_answer, score_retrieval


def judge(
    questions: Iterable[Asked],
    golds: Mapping[str, Golds],
    retrieved: Mapping[str, Retrieval],
    answers: Mapping[str, Answer],
    today: date,
) -> list[Result]:
    """A result for each question; `golds`, `retrieved` and `answers` by qid, the last for those that were answered."""
    results = []
    for question in questions:
        gold, found, answer = golds[question.qid], retrieved[question.qid], answers.get(question.qid)
        scores = score_retrieval(question, gold, found, question.asked_on or today)
        if answer:
            scores |= score_answer(question, gold, answer)
        wanted = question.must_all or ([question.must_contain] if question.must_contain else [])
        stages = found.stages or {FINAL: []}
        results.append(
            Result(
                id=question.qid, kind=question.kind, question=question.question,
                earlier=[turn.content for turn in question.history],
                gold=[sorted(articles) for articles in gold],
                stages={stage: _listed(listed, gold) for stage, listed in stages.items()},
                meant=_shown(question.period), understood=_shown(found.period),
                must_contain=wanted, answer=answer.text if answer else None,
                sources=answer.sources if answer else [], steps=dict(found.steps), scores=scores,
                failures=failures(scores),
            )
        )  # fmt: skip
    return results


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
        "cites another article": scores.get("citation_precision", 1) < 1,
        "period misunderstood": scores.get("period_understood") == 0,
        "a period where none is meant": scores.get("false_period") == 1,
    }
    return [name for name, is_so in wrong.items() if is_so]
