"""What one question earns. A score that does not apply to a question is left out of it."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from archive.articles import Period
from evaluation.claims import Claim, citation_scores, claims_of, invention_scores
from evaluation.given import Given, without_citations
from evaluation.measures import Scores
from evaluation.questions import Asked, Retrieval

Golds = Sequence[frozenset[str]]  # for each gold of a question the articles that are it

_RANKS = (1, 5, 10)
_CLOSE = 0.8  # overlap from which on a period counts as understood
_LONG_AGO = date(1990, 1, 1)  # where a period without a beginning is taken to begin
_THOUSANDS = re.compile(r"(?<=\d)[. ’'](?=\d{3}(?!\d))")
_QUOTES = re.compile("[„“”\"»«‚‘’'‹›]")
_DASHES = re.compile("[\u2010-\u2015]")
_SHORT = 4  # letters up to which a demanded string must be a whole word


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


def score_answer(question: Asked, golds: Golds, given: Given) -> Scores:
    """What an answer earns, whichever system gave it.

    Right, right where the gold was retrieved and where it was shown; citations by sentence; what stands in no source;
    abstention; times and tokens. An answer that says that there is nothing, or nothing certain, cites nothing, and is
    right, and no refusal, only where it quotes what was asked all the same.
    """
    return score_claims(question, golds, given, claims_of(given, question.asked_text))


def score_claims(question: Asked, golds: Golds, given: Given, claims: Sequence[Claim]) -> Scores:
    """score_answer() where the answer's claims are known already."""
    scores: Scores = {**given.measured(), **invention_scores(claims)}
    if question.kind == "none":
        return {**scores, "abstained": float(given.abstains)}
    right = is_right(question, given.extracts if given.abstains else given.said)
    scores["doubted"] = float(given.abstains)
    scores["false_abstention"] = float(given.abstains and not right)
    if not given.abstains:
        scores |= _cited(question, golds, claims) | citation_scores(claims, golds)
    if right is None:
        return scores
    scores["right"] = float(right)
    shown = [evidence.article_id for evidence in given.shown]
    retrieved = shown if given.retrieved is None else given.retrieved
    for name, articles in (("retrieved", retrieved), ("shown", shown)):
        reached = [not gold.isdisjoint(articles) for gold in golds]
        if all(reached) if question.kind == "multi" else any(reached):
            scores[f"right_where_gold_{name}"] = scores["right"]
    return scores


def _cited(question: Asked, golds: Golds, claims: Sequence[Claim]) -> Scores:
    """Whether an answer cites anything, and its gold: any one of the golds will do, but for `multi`."""
    cited = {article for claim in claims for article in claim.cited if article}
    hit = [not gold.isdisjoint(cited) for gold in golds]
    gold_cited = sum(hit) / len(hit) if question.kind == "multi" else float(any(hit))
    return {"cited": float(bool(cited)), "gold_cited": gold_cited}


def is_right(question: Asked, text: str) -> bool | None:
    """Whether an answer holds what it must, None where nothing is demanded.

    Letter case, spaces, the shape of quotes and dashes and the grouping of thousands don't matter. Figures and words of
    up to four letters must stand alone: 2 isn't found in 2015, nor four in fourteen.
    """
    said = _plain(without_citations(text))
    if question.must_all:
        return all(any(_holds(said, wanted) for wanted in group) for group in question.must_all)
    if question.must_contain:
        return any(_holds(said, wanted) for wanted in question.must_contain)
    return None


def _holds(said: str, wanted: str) -> bool:
    plain = _plain(wanted)
    if not plain:
        return False
    short = len(plain) <= _SHORT
    before = r"(?<!\w)" if short else r"(?<!\d)(?<!\d[.,])" if plain[0].isdigit() else ""
    after = r"(?!\w)(?![.,]\d)" if short else r"(?!\d)(?![.,]\d)" if plain[-1].isdigit() else ""
    return re.search(f"{before}{re.escape(plain)}{after}", said) is not None


def _plain(text: str) -> str:
    level = unicodedata.normalize("NFKC", text).casefold()
    level = " ".join(_DASHES.sub("-", _QUOTES.sub("", level)).split())  # split() knows no-break and thin spaces too
    return _THOUSANDS.sub("", level)
