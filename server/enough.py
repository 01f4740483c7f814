"""Does the archive answer a question? Weighed before writing, from what retrieval and the reranker say of the best.

A generator makes up an answer where the passages hold none. Questions about what an archive doesn't hold find passages
too, but farther ones, and ones that don't name what the question names. Each signal alone is weak; together they are a
logistic regression, fitted on 248 questions of our own: 178 that an archive of 15,666 articles answers, 70 others. The
weight of the logit was adapted to the scale that it has with the shipped reranker, by mean and spread on 385 questions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal

from archive.articles import Hit
from server.grounding.claims import Claim, claim_of
from server.grounding.names import looks_like_name
from server.retrieval import Retrieved
from server.told import mentions
from server.understanding import Language, Question

Verdict = Literal["enough", "doubtful", "nothing"]

_BEST = 3  # articles, one of which must name all that the question names
# Log-odds of an answer. Below the first lie one in fifty questions with an answer, and half of those about something
# else than the archive; below the second three in ten of the first, and all but one in a hundred of the others.
_NOTHING, _DOUBTFUL = -1.3, 2.5
# The generator's log-odds of yes to whether the passages answer: of yes and no, the second lie below with one in twenty
# of the first.
_AFFIRMED = 0.1
AFFIRMATION: Mapping[Language, tuple[str, str]] = {"de": ("Ja", "Nein"), "en": ("Yes", "No")}


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known before a word is written.

    `dense` is the greatest cosine, `logit` the greatest log-odds of the reranker, None where it read nothing,
    `nameless` whether none of the best articles names all that the question names, and `in_period` whether only
    articles of a period were searched: fewer, so that the nearest of them is farther. `stranger` tells whether the
    question gives someone's full name, and none of the best articles names that one; `foreign` whether it is asked in
    another language than the articles', which makes all of them farther.
    """

    dense: float
    logit: float | None
    nameless: bool
    in_period: bool
    stranger: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the signals, and the bias, for an embedder: the scale of cosines is its own."""

    dense: float
    logit: float
    nameless: float
    bias: float
    in_period: float = 1.0
    foreign: float = 3.0


_WEIGHTS: Mapping[str, Weights] = {"multilingual-e5-small-q4": Weights(76.0, 0.574, -1.55, -61.42)}
_UNREAD: Mapping[str, Weights] = {"multilingual-e5-small-q4": Weights(89.2, 0.0, -1.95, -73.91)}


def signals_of(question: str, hits: Sequence[Hit], *, in_period: bool, foreign: bool = False) -> Signals:
    """The signals of the hits of a question; `hits` come best first and hold at least one."""
    logits = [hit.scores["logit"] for hit in hits if "logit" in hit.scores]
    dense = max(hit.scores.get("dense", 0.0) for hit in hits)
    claim, held_by = claim_of(question), list(islice(mentions(hits), _BEST))
    named = [name.key for name in claim.names]
    nameless = bool(named) and not any(all(held.hold(name) for name in named) for held in held_by)
    stranger = any(not any(held.hold(name) for held in held_by) for name in _surnames(claim))
    return Signals(dense, max(logits, default=None), nameless, in_period, stranger, foreign)


def log_odds(signals: Signals, embedder: str) -> float | None:
    """Log-odds that the archive answers; None for an embedder whose cosines were not measured."""
    weights = (_UNREAD if signals.logit is None else _WEIGHTS).get(embedder)
    if weights is None:
        return None
    return (
        weights.dense * signals.dense
        + weights.logit * (signals.logit or 0.0)
        + weights.nameless * signals.nameless
        + weights.in_period * signals.in_period
        + weights.foreign * signals.foreign
        + weights.bias
    )


def verdict_on(question: Question, found: Retrieved, nearest: float | None) -> Verdict:
    """Whether what was found for a question answers it; `nearest` as in judge()."""
    return judge(
        question.search, found.hits, found.embedder, nearest,
        in_period=found.period is not None, foreign=question.language == "en",
    )  # fmt: skip


def judge(
    question: str,
    hits: Sequence[Hit],
    embedder: str,
    nearest: float | None = None,
    *,
    in_period: bool = False,
    foreign: bool = False,
) -> Verdict:
    """Whether `hits` answer `question`; `nearest` is the cosine below which there is nothing, where one was set."""
    if not hits:
        return "nothing"
    signals = signals_of(question, hits, in_period=in_period, foreign=foreign)
    if nearest is not None and signals.dense < nearest:
        return "nothing"
    if signals.stranger:  # of 70 questions about what an archive doesn't hold 23, of 178 others none
        return "nothing"
    odds = log_odds(signals, embedder)
    if odds is None or nearest is not None:
        return "enough"
    return "nothing" if odds < _NOTHING else "doubtful" if odds < _DOUBTFUL else "enough"


def is_affirmed(odds: float) -> bool:
    """Whether the generator's log-odds of yes are those of passages that answer."""
    return odds >= _AFFIRMED


def _surnames(claim: Claim) -> list[str]:
    """The second words of full names: two words side by side that are surely names ("Uli Hoeneß")."""
    text = claim.text
    return [
        second.key
        for first, second in pairwise(claim.names)
        if text[first.end : second.start] == " "
        and all(looks_like_name(text[name.start : name.end]) for name in (first, second))
        and text[first.end - 1] != "s"  # a genitive: "Musks Fabrik"
    ]
