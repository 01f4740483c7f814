"""What could be asked next, made from the archive itself: other articles that were found, and how a story went on."""

from collections.abc import Sequence

from archive.articles import MONTHS, TIME_ZONE, Article, Hit
from server.content import content, coverage
from server.understanding import Language
from server.wording import month_name, say

_LONGEST_TITLE = 90
_RELATED = 0.25  # share of a title's content that the best article's head holds too


def suggest(articles: Sequence[Article], hits: Sequence[Hit], language: Language) -> tuple[str, ...]:
    """Up to three questions. `articles` are those shown to the model, best first; `hits` all that were found."""
    if not articles:
        return ()
    shown = {article.id for article in articles}
    suggestions = []
    first = articles[0]
    if first.topics:
        suggestions.append(say("timeline", language, topic=first.topics[0]))
        if first.published:
            moment = first.published.astimezone(TIME_ZONE)
            month = f"{month_name(moment.month, language, MONTHS)} {moment.year}"
            suggestions.append(say("since", language, month=month, topic=first.topics[0]))
    # The farther neighbours are often strangers; one that shares words with the best article tells of the same matter.
    matter = content(f"{first.title} {first.teaser}")
    titles = dict.fromkeys(hit.passage.title for hit in hits if hit.passage.article_id not in shown)
    related = [
        title for title in titles if len(title) <= _LONGEST_TITLE and coverage(content(title), matter) >= _RELATED
    ]
    suggestions += [say("about", language, title=title) for title in related]
    return (*suggestions[:2], say("afterwards", language))
