"""What one question earns. A score that does not apply to a question is left out of it."""

import re
from collections.abc import Sequence
from datetime import date
from itertools import chain

from pydantic import BaseModel

from archive.articles import Period
from evaluation.measures import Scores
from evaluation.questions import Asked, Retrieval
from evaluation.runs import CitedSource
from prompts import render

Golds = Sequence[frozenset[str]]  # for each gold of a question the articles that are it

_RANKS = (1, 5, 10)
_CLOSE = 0.8  # overlap from which on a period counts as understood
_LONG_AGO = date(1990, 1, 1)  # where a period without a beginning is taken to begin
_CITED = re.compile(r"\[(\d+)\]")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)|\n")
# What a model says in its own words where the passages don't tell: it speaks of its sources, and denies.
_SOURCES = re.compile(
    r"\b(?:meldung|archiv|quelle|bericht|text|artikel|angaben|information|report|source|passage)", re.I
)
_DENIES = re.compile(r"\b(?:nichts?|kein\w*|weder|no|not|nothing|none|neither)\b|n't\b", re.I)


class Answer(BaseModel):
    """One answer as it is kept in the results file. Times are milliseconds since the question."""

    qid: str
    conditions: str  # digest of what the answer depends on besides the question
    asked: str  # digest of the question
    text: str
    sources: list[CitedSource]
    ttft: float
    total: float
    prompt_tokens: int
    answer_tokens: int

    @property
    def cited(self) -> list[str]:
        """Articles that the text cites, each once."""
        articles = {source.number: source.article_id for source in self.sources}
        numbers = map(int, _CITED.findall(self.text))
        return list(dict.fromkeys(articles[number] for number in numbers if number in articles))


def period_overlap(meant: Period, understood: Period | None, today: date) -> float:
    """Days in both periods over days in either, 0 to 1. An open end is `today`, an open beginning lies before all."""
    if understood is None:
        return 0.0
    (a_start, a_end), (b_start, b_end) = (_days(period, today) for period in (meant, understood))
    both = min(a_end, b_end) - max(a_start, b_start) + 1
    either = (a_end - a_start + 1) + (b_end - b_start + 1) - max(both, 0)
    return max(both, 0) / either


def _days(period: Period, today: date) -> tuple[int, int]:
    start = (period.start or min(_LONG_AGO, period.end or _LONG_AGO)).toordinal()
    end = period.end.toordinal() if period.end else today.toordinal()
    return start, max(start, end)


def score_retrieval(question: Asked, golds: Golds, found: Retrieval, today: date) -> Scores:
    """R@k (for `multi`: all golds within k), MRR@10 of the first gold, and the period."""
    scores: Scores = {"ms": found.ms}
    if question.kind != "none":
        ranks = [_rank(found.articles, gold) for gold in golds]
        needed = max(ranks) if question.kind == "multi" else min(ranks)
        scores |= {f"R@{k}": float(needed <= k) for k in _RANKS}
        scores["MRR@10"] = 1 / min(ranks) if min(ranks) <= 10 else 0.0
    if (meant := question.period) is not None:
        scores["period_iou"] = period_overlap(meant, found.period, today)
        scores["period_understood"] = float(scores["period_iou"] >= _CLOSE)
    else:
        scores["false_period"] = float(found.period is not None)
    return scores


def _rank(articles: Sequence[str], gold: frozenset[str]) -> float:
    return next((rank for rank, article in enumerate(articles, 1) if article in gold), float("inf"))


def score_answer(question: Asked, golds: Golds, answer: Answer) -> Scores:
    """Right, cited, citation precision and recall, abstention, times and tokens of one answer."""
    scores: Scores = {
        "ttft": answer.ttft, "total": answer.total,
        "prompt_tokens": answer.prompt_tokens, "answer_tokens": answer.answer_tokens,
    }  # fmt: skip
    abstains = abstained(answer.text)
    if question.kind == "none":
        return {**scores, "abstained": float(abstains)}
    scores["false_abstention"] = float(abstains)
    cited = answer.cited
    scores["cited"] = float(bool(cited))
    gold_articles = frozenset(chain.from_iterable(golds))
    if cited:
        scores["citation_precision"] = sum(article in gold_articles for article in cited) / len(cited)
    hit = [any(article in gold for article in cited) for gold in golds]
    # Any one of the golds will do, but for `multi`.
    scores["citation_recall"] = sum(hit) / len(hit) if question.kind == "multi" else float(any(hit))
    if (right := is_right(question, answer.text)) is not None:
        scores["right"] = float(right)
        shown = {source.article_id for source in answer.sources}
        given = [bool(gold & shown) for gold in golds]
        if all(given) if question.kind == "multi" else any(given):
            scores["right_where_gold_shown"] = float(right)
    return scores


def is_right(question: Asked, text: str) -> bool | None:
    """Whether an answer holds what it must, letter case and spaces aside; None where nothing is demanded."""
    said = _plain(text)
    if question.must_all:
        return all(any(_plain(wanted) in said for wanted in group) for group in question.must_all)
    if question.must_contain:
        return any(_plain(wanted) in said for wanted in question.must_contain)
    return None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())  # split() knows no-break and thin spaces too


def abstained(text: str) -> bool:
    """Whether an answer says at its beginning that nothing was found, or makes no claim at all."""
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0].strip()
    if not first:
        return True
    ours = (render("nothing", language, period="\0").partition("\0")[0].strip(" .") for language in ("de", "en"))
    if any(opening and first.startswith(opening) for opening in ours):
        return True
    return bool(_SOURCES.search(first) and _DENIES.search(first) and not _CITED.search(first))
