"""Which of the articles that were found are on the matter of a question: what a dated list may be made from.

A list shows all that it is given, so one that is beside the matter shows at once. Nearness alone can't tell: a bare
name such as "Emotet" is near to nothing, and the reranker, which judges answers, finds none in it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from archive.articles import Article, Hit, german_date
from archive.german import normalized, stem, terms
from server.events import Source
from server.function_words import FUNCTION_WORDS
from server.sources import PageOf, merge, shown

# Chosen on sixteen stories of two archives, for lines on the matter.
# Shares of the matter's weight, in an article's head:
_NAMED, _NAMED_AT_BEST = 0.55, 0.6  # enough by itself: absolute, and of the best found
_PARTLY = 0.5  # of the best, enough for what is near as well
_ALL = 0.9  # from here on some report names all of the matter, and the others must come nearer
_HARDLY = 0.5  # where the best is below, the matter is described, not named, and nearness tells
# Shares of the nearness of the nearest:
_NEAR, _NEARER, _NEAR_BY_ITSELF, _NEAR_IN_STORY = 0.35, 0.7, 0.6, 0.3
_UNHEARD = 0.33  # of the matter's weight in no head at all: the archive knows other matters with words of this one
_STORY = 0.6  # of what the titles of the story share
_LEAD = 400  # characters of an article without a teaser that tell what it is about

_WORD = re.compile(r"[^\W_]+")

# They say what kind of story it is, and the reports seldom use them.
_KINDS = frozenset(
    stem(word)
    for word in """
    affäre ankündigung anfang ausfall beginn debatte ende entwicklung entwicklungen ereignis ereignisse fall folgen
    geschehnisse geschichte katastrophe konflikt krise mission panne rund sache scheitern skandal stand streit thema
    verfahren verlauf vorfall affair case collapse crisis events history mission outage scandal story
""".split()
)


@dataclass(frozen=True, slots=True)
class Report:
    """A source with its whole article; `near` is its standardized nearness in retrieval, 0 for the average found."""

    source: Source
    article: Article
    near: float = 0.0


def reports_of(
    hits: Sequence[Hit], article_of: Callable[[str], Article | None], page_of: PageOf, most: int = 20
) -> tuple[Report, ...]:
    """The best `most` articles of the hits, with their texts, in the order of the hits."""
    near: dict[str, float] = {}
    for hit in hits:
        article_id = hit.passage.article_id
        near[article_id] = max(near.get(article_id, float("-inf")), hit.scores.get("fused", hit.score))
    sources = merge(shown(hits, most), page_of)
    articles = [article_of(source.article_id) for source in sources]
    return tuple(
        Report(source, article, near[article.id])
        for source, article in zip(sources, articles, strict=True)
        if article is not None
    )


def on_the_matter(reports: Sequence[Report], matter: str) -> tuple[Report, ...]:
    """Those that are on `matter`, in their order: by its words, by nearness, and by what their titles share."""
    weights, heads = _weights(matter), [_head(report.article) for report in reports]
    covered = [_share(weights, head) for head in heads]
    best, nearest = max(covered, default=0.0), max((report.near for report in reports), default=0.0)
    told = [_is_told(share, report.near, best, nearest) for share, report in zip(covered, reports, strict=True)]
    story = _shared([report.article.title for report, is_told in zip(reports, told, strict=True) if is_told])
    is_story = len(story) > 1 or (bool(story) and set(story) <= set(weights))
    unheard = sum(weight for word, weight in weights.items() if not any(word in head for head in heads))
    if not is_story and unheard >= _UNHEARD * sum(weights.values()):
        return ()
    if is_story and best < _HARDLY:
        told = [is_told and _share(story, head) > 0 for is_told, head in zip(told, heads, strict=True)]
    return tuple(
        report
        for report, is_told, head in zip(reports, told, heads, strict=True)
        if is_told or (is_story and report.near >= _NEAR_IN_STORY * nearest > 0 and _share(story, head) >= _STORY)
    )


def _is_told(share: float, near: float, best: float, nearest: float) -> bool:
    if share >= max(_NAMED, _NAMED_AT_BEST * best):
        return True
    if best < _HARDLY:
        return near >= _NEAR_BY_ITSELF * nearest > 0
    return share >= _PARTLY * best and near >= (_NEARER if best >= _ALL else _NEAR) * nearest > 0


def _weights(matter: str) -> dict[str, float]:
    """Stems by weight: figures most, names more than other words, words for kinds of story least."""
    weights: dict[str, float] = {}
    for word in _WORD.findall(normalized(matter)):
        low = word.lower()
        if low not in FUNCTION_WORDS and (found := stem(low)):
            kind = 0.4 if found in _KINDS else 1.0
            weights[found] = kind * (2.0 if word.isdigit() else 1.5 if word[0].isupper() else 1.0)
    return weights


def _head(article: Article) -> frozenset[str]:
    """Terms of what tells what an article is about, and its day."""
    told = article.teaser or article.text[:_LEAD]
    day = german_date(article.published) if article.published else ""
    return frozenset(terms(normalized(f"{article.title}. {told} {day}")))


def _share(weights: dict[str, float], held: frozenset[str]) -> float:
    total = sum(weights.values())
    return sum(weight for found, weight in weights.items() if found in held) / total if total else 0.0


def _shared(titles: Sequence[str]) -> dict[str, float]:
    """Terms that two titles share and most do: the names of a story."""
    held = [frozenset(terms(normalized(title))) for title in titles]
    counts: dict[str, int] = {}
    for one, other in combinations(held, 2):
        for found in one & other:
            counts.setdefault(found, sum(found in title for title in held))
    return {found: 1.0 for found, count in counts.items() if 2 * count > len(held)}
