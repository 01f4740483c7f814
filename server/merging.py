"""Results of several searches for one question, as one list.

Variants say the same otherwise, so their scores add up; parts ask for different matters, so each gets its own places.
"""

from collections.abc import Sequence
from dataclasses import replace

from archive.articles import Hit
from server.grounding.names import names
from server.told import by_article, mentions


def blend(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Hits of a question and of its variants, best first: the first list counts half, all others the other half.

    Their scores must be of one scale. What a list doesn't hold counts with that list's lowest score.
    """
    if len(lists) < 2:
        return [hit for hits in lists for hit in hits]
    held: dict[str, Hit] = {}
    for hit in (hit for hits in lists for hit in hits):
        held.setdefault(hit.passage.id, hit)
    scores = dict.fromkeys(held, 0.0)
    for at, hits in enumerate(lists):
        weight = 0.5 if at == 0 else 0.5 / (len(lists) - 1)
        found = {hit.passage.id: hit.score for hit in hits}
        lowest = min(found.values(), default=0.0)
        for passage_id in scores:
            scores[passage_id] += weight * found.get(passage_id, lowest)
    blended = [replace(hit, score=scores[passage_id]) for passage_id, hit in held.items()]
    return sorted(blended, key=lambda hit: -hit.score)


def interleave(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Hits of a question and of its parts in turn, one article at a time with all its passages.

    So each part has its best articles in front, however low they stand for the whole question. An article that
    several lists hold stands where the first of them takes it, its passages in that list's order.
    """
    queues = [by_article(hits) for hits in lists]
    if len(queues) == 1:
        return [hit for hits in queues[0].values() for hit in hits]
    taken: dict[str, list[Hit]] = {}
    while any(queues):
        for queue in queues:
            for article in [article for article in queue if article in taken]:
                del queue[article]
            if queue:
                article = next(iter(queue))
                taken[article] = queue.pop(article)
    return [hit for hits in taken.values() for hit in hits]


def named_first(question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Hits of articles that have all the names of a question in front: who asks for a list about FTX wants no other.

    Only words that are surely names count. What doesn't name them stays, in its order, behind the rest.
    """
    sure = [name.key for name in names(question) if name.sure]
    named, others = list[Hit](), list[Hit]()
    for found, text in zip(by_article(hits).values(), mentions(hits), strict=True):
        (named if all(map(text.hold, sure)) else others).extend(found)
    return (*named, *others)
