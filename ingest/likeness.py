"""Judging two articles: is the one the other at a new address, or the same story in another paper?

What is said again and again with other dates and figures (weather, draws, prices, the week in numbers) is neither. The
limits were set where nothing lies on either side: 45 pairs of the same texts from two readers share 0.82 and more of
their runs of words, the nearest two articles among 998 of German Wikinews 0.30, a month apart.
"""

import re
from datetime import timedelta

from archive.articles import Article
from archive.sketches import Resemblance
from ingest.sources.ids import host_of, is_made

TWIN_DAYS = 3  # between two papers' versions of one story
_MOVED_DAYS = 2  # between two versions of one article
_SAME = 0.85  # Jaccard: some words put right, a paragraph added
_CONTAINED = 0.8  # of the shorter one's runs, where the titles are equal
_WHOLE = 0.9  # of the shorter one's runs, where the titles are alike
_NOT_MUCH_MORE = 0.6  # Jaccard: where all of it is there, whatever the titles say
_TWIN, _OVERLAP = 0.6, 0.3  # of the shorter one's runs and of both: a digest of the day is no twin of its parts
_RELATED = 0.3  # of the shorter one's runs, where an address says that it is the same
_TITLES_ALIKE = 0.5  # Jaccard of their words
_FIGURES = 0.7  # of the figures of the one that has fewer
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")


def is_near_equal(found: Resemblance) -> bool:
    """Whether two texts are one but for a few words."""
    return found.jaccard >= _SAME


def is_moved(one: Article, other: Article, found: Resemblance) -> bool:
    """Whether two articles of one publisher, under different ids, are one that has another address now."""
    if not (_ids_may_differ(one, other) and _is_same_publisher(one, other) and _are_near(one, other, _MOVED_DAYS)):
        return False
    if _is_series(one, other):
        return False
    titles = _titles_shared(one, other)
    return (
        is_near_equal(found)
        or (found.contained >= _WHOLE and (found.jaccard >= _NOT_MUCH_MORE or titles >= _TITLES_ALIKE))
        or (found.contained >= _CONTAINED and titles == 1)
    )


def is_twin(one: Article, other: Article, found: Resemblance) -> bool:
    """Whether two articles are versions of one story, such as an agency's, whoever published them."""
    return (
        found.contained >= _TWIN
        and found.jaccard >= _OVERLAP
        and _are_near(one, other, TWIN_DAYS)
        and not _is_series(one, other)
    )


def is_at_its_address(one: Article, other: Article, found: Resemblance | None, *, was_led: bool) -> bool:
    """Whether `one`, found at an address of `other`, is that article and not merely the next thing shown there.

    `was_led`: the address was fetched just now and led to `one`'s own page, if not to a notice or the front page.
    """
    related = _titles_shared(one, other) >= _TITLES_ALIKE or (found is not None and found.contained >= _RELATED)
    if was_led:
        return related or _are_near(one, other, _MOVED_DAYS)
    return related and _ids_may_differ(one, other) and not _is_series(one, other)


def _ids_may_differ(one: Article, other: Article) -> bool:
    """Two ids that a publisher gave are two articles by its own word; one made of an address changes with it."""
    return is_made(one.id) or is_made(other.id)


def _is_same_publisher(one: Article, other: Article) -> bool:
    return one.source == other.source or (one.url is not None and host_of(one.url) == host_of(other.url))


def _are_near(one: Article, other: Article, days: int) -> bool:
    if one.published is None or other.published is None:
        return False
    return abs(one.published - other.published) <= timedelta(days=days)


def _is_series(one: Article, other: Article) -> bool:
    """Whether titles are the same but for their figures, or texts share few of theirs."""
    if one.title != other.title and _NUMBER.sub("#", one.title) == _NUMBER.sub("#", other.title):
        return True
    figures, others = set(_NUMBER.findall(one.text)), set(_NUMBER.findall(other.text))
    fewer = min(len(figures), len(others))
    return fewer > 0 and len(figures & others) < _FIGURES * fewer


def _titles_shared(one: Article, other: Article) -> float:
    """Jaccard similarity of the titles' words."""
    words, others = set(_WORD.findall(one.title.lower())), set(_WORD.findall(other.title.lower()))
    return len(words & others) / (len(words | others) or 1)
