"""An answer's sentences as claims: what each cites, whether that holds, and what in it stands in none of its sources.

Source of the citation measures: Gao et al., Enabling Large Language Models to Generate Text with Citations (ALCE),
EMNLP 2023. Where ALCE asks an entailment model whether a passage bears a sentence out, the gold article decides here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from evaluation.given import Given, cited_numbers, without_citations
from evaluation.inventions import Sources, quotation_ends
from evaluation.measures import Scores
from prompts import render
from server.function_words import FUNCTION_WORDS
from server.sentences import sentences
from server.wording import say

MARKS = tuple(say("unsupported", language) for language in ("de", "en"))
_WORD = re.compile(r"[^\W_]+")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s|(?:[-*]\s*)?\*\*[^*]+\*\*:?\s*$)")


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer.

    `cited` are articles, "" for each number that no source has. `marked` tells that the answer itself says of it that
    it isn't borne out. `claims` is False where nothing is claimed: a heading, the announcement of a list. `quoted` are
    the quotations that end in it. What stands in no source is in `figures`, `names` and `quotations`, marked or not.
    """

    text: str
    cited: tuple[str, ...]
    marked: bool
    claims: bool
    quoted: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    quotations: tuple[str, ...] = ()

    def holds(self, gold: frozenset[str]) -> bool:
        """Whether it cites an article of `gold`."""
        return any(article in gold for article in self.cited)

    @property
    def foreign(self) -> tuple[str, ...]:
        """All of it that stands in no source."""
        return self.figures + self.names + tuple(f"„{quotation}“" for quotation in self.quotations)


def claims_of(given: Given, question: str) -> list[Claim]:
    """The sentences of an answer in order; `question` may lend its figures, names and quotations."""
    sources = Sources(given.shown, f"{question}\n{_said_of_itself()}")
    articles = {number: evidence.article_id for number, evidence in enumerate(given.shown, 1)}
    said = given.said
    quotations = quotation_ends(said)
    found, end = [], 0
    for sentence in _whole(said):
        end = said.index(sentence, end) + len(sentence)
        quoted = tuple(quotation for at, quotation in quotations if end - len(sentence) < at <= end)
        body = without_citations(sentence)
        for mark in MARKS:
            body = body.replace(mark, "")
        numbers = [articles.get(number, "") for number in cited_numbers(sentence)]
        found.append(
            Claim(
                sentence, tuple(numbers if given.cited is None else given.cited),
                marked=any(mark in sentence for mark in MARKS), claims=_claims(body), quoted=quoted,
                figures=sources.foreign_figures(body), names=sources.foreign_names(body),
                quotations=tuple(quotation for quotation in quoted if not sources.holds_verbatim(quotation)),
            )
        )  # fmt: skip
    return found


@cache
def _said_of_itself() -> str:
    """What answers say of themselves ("Wörtliche Zitate dazu finde ich ... nicht."): it needs no source."""
    fields = {"nothing": ("period",), "nearest": ("reports",), "no_quotation": (), "unsure": ()}
    return "\n".join(
        render(template, language, **dict.fromkeys(names, ""))
        for language in ("de", "en")
        for template, names in fields.items()
    )


def _whole(text: str) -> list[str]:
    """The sentences of a text; what is quoted within one, or follows its colon on the same line, is part of it."""
    found: list[str] = []
    end = 0
    for piece in sentences(text):
        start = text.index(piece, end)
        gap = text[end:start]
        if found and "\n" not in gap and (found[-1].endswith(":") or _is_open(found[-1])):
            found[-1] += gap + piece
        else:
            found.append(piece)
        end = start + len(piece)
    return found


def _is_open(text: str) -> bool:
    """Whether a quotation begins in it that doesn't end in it."""
    return text.count("„") > sum(text.count(mark) for mark in "“”") or text.count("»") % 2 < text.count("«") % 2


def _claims(body: str) -> bool:
    if _HEADING.match(body) or body.rstrip(" *").endswith(":"):
        return False
    return any(word.lower() not in FUNCTION_WORDS for word in _WORD.findall(body))


def citation_scores(claims: Sequence[Claim], golds: Iterable[frozenset[str]]) -> Scores:
    """Share of claiming sentences with a citation, ALCE's precision and recall, and the share marked as not borne out.

    Recall is the share of claiming sentences that cite a gold, precision the share of all citations that name one. A
    sentence that the answer marks as not borne out has no citation, and so counts against both shares of sentences.
    """
    claiming = [claim for claim in claims if claim.claims]
    if not claiming:
        return {}
    gold = frozenset(chain.from_iterable(golds))
    cited = [article for claim in claiming for article in claim.cited]
    scores: Scores = {
        "sentences_cited": sum(bool(claim.cited) for claim in claiming) / len(claiming),
        "sentences_marked": sum(claim.marked for claim in claiming) / len(claiming),
        "citation_recall": sum(claim.holds(gold) for claim in claiming) / len(claiming),
    }
    if cited:
        scores["citation_precision"] = sum(article in gold for article in cited) / len(cited)
    return scores


def invention_scores(claims: Sequence[Claim]) -> Scores:
    """Figures, names and quotations of unmarked sentences that stand in no source; the share of verbatim quotations."""
    unmarked = [claim for claim in claims if not claim.marked]
    scores: Scores = {
        "unmarked_figures": sum(len(claim.figures) for claim in unmarked),
        "unmarked_names": sum(len(claim.names) for claim in unmarked),
        "unmarked_quotations": sum(len(claim.quotations) for claim in unmarked),
    }
    if quoted := sum(len(claim.quoted) for claim in claims):
        scores["quotations_verbatim"] = 1 - sum(len(claim.quotations) for claim in claims) / quoted
    return scores
