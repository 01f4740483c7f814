"""What could be asked next, made from what was found: only questions that the archive can answer.

A story's matter is the name that the question and the articles share. From there on: what came later or earlier, who
else has to do with it, who was quoted, what else it compares with. No model is asked.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from archive.articles import MONTHS, Article, Hit, day_of
from server.content import content, coverage
from server.entities import (
    PERSON,
    holds,
    is_name,
    is_person,
    is_shaped,
    is_usable,
    names_in,
    overlaps,
    stands_alone,
)
from server.escaping import one_line
from server.instructions import addresses_model
from server.quotations import quotations
from server.sentences import sentences
from server.understanding import Language
from server.wording import day_in_words, month_name, say

_MOST = 3
_LONGEST_HEADLINE = 90
_RELATED = 0.25  # share of a headline's content that the best article's head holds too
_MARKUP = re.compile(r"[\[\]<>*`|#\\]|\w://")
_STORY = 3  # articles that make a timeline
_SEVERAL = 2  # articles in which a name stands beside the matter
_WORTH = 3.0  # of a name to be the matter: in the question, or in the headline and in other articles
_LONG_STORY = timedelta(days=30)
_APART = timedelta(days=2)  # further reports of the same day are no news

_BRACKETS = re.compile(r"\s*\([^)]*\)|,.*")
_ASKED_SINCE = re.compile(r"\b(?:seit|seitdem|since|danach|weiter)\b", re.IGNORECASE)
_ASKED_TIMELINE = re.compile(r"\b(?:chronologie|chronik|verlauf|timeline|chronology)\b", re.IGNORECASE)
_ASKED_COMPARISON = re.compile(r"\b(?:vergleich\w*|unterschied\w*|compar\w+|differ\w*)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Told:
    """An article as far as it was found: its head and text, and its day."""

    article_id: str
    title: str
    text: str
    day: date | None

    def names(self, name: str) -> bool:
        """Whether it holds the name as a word."""
        return holds(f"{self.title}\n{self.text}", name)


def suggest(
    articles: Sequence[Article], hits: Sequence[Hit], language: Language, question: str = ""
) -> tuple[str, ...]:
    """Up to three questions. `articles` are those shown to the model, best first; `hits` all that were found.

    What `question` asked for is not offered again.
    """
    if not articles:
        return ()
    found = _found(articles, hits)
    matter = _matter(question, articles, found)
    made = [*_said(articles[:1], question, language)]
    if matter:
        story = _story(matter, found)
        known = [article for article in articles if article.id in {told.article_id for told in story}]
        made = [
            *_since(question, matter, found[0], story, language), *_roles(question, matter, known, story, language),
            *_said(known, question, language), *_compared(question, matter, articles, language),
            *_timeline(question, matter, story, language), *_months(question, matter, found[0], story, language),
        ]  # fmt: skip
    if len(made) < _MOST - 1:
        made += _neighbours(articles[0], found, language)
    return tuple(dict.fromkeys(made))[:_MOST]


def _found(articles: Sequence[Article], hits: Sequence[Hit]) -> list[_Told]:
    """The shown articles, then the others that were found, each with what is known of its text."""
    told = {
        article.id: _Told(article.id, article.title, f"{article.teaser}\n{article.text}", _day(article.published))
        for article in articles
    }
    for passage in (hit.passage for hit in hits):
        told.setdefault(
            passage.article_id, _Told(passage.article_id, passage.title, passage.text, _day(passage.published))
        )
    return list(told.values())


def _story(matter: str, found: Sequence[_Told]) -> list[_Told]:
    """The first article, and those that name the matter and something else of its headline."""
    own = content(matter)
    title, head = _others(found[0].title, own), _others(f"{found[0].title} {found[0].text[:400]}", own)
    alike = [
        told
        for told in found[1:]
        if told.names(matter) and (title & _others(told.text, own) or head & _others(told.title, own))
    ]
    return [found[0], *alike]


def _others(text: str, own: Mapping[str, float]) -> set[str]:
    """Stems of nouns, names and figures beside the matter's own."""
    return {stem for stem, weight in content(text).items() if weight > 1 and stem not in own}


def _day(moment: datetime | None) -> date | None:
    return day_of(moment) if moment else None


def _matter(question: str, articles: Sequence[Article], found: Sequence[_Told]) -> str:
    """The name that a story is told by, in the question or the first headline and in other articles; "" for none."""
    first = articles[0]
    candidates = [*filter(is_name, first.topics), *names_in(first.title), *names_in(question)]
    worth: dict[str, float] = {}
    for name in candidates:
        if not is_usable(name) or not found[0].names(name):
            continue
        if not (is_shaped(name) or name in first.topics or first.title.startswith(name) or holds(question, name)):
            continue
        asked, headline = stands_alone(question, name), stands_alone(first.title, name)
        known = sum(told.names(name) for told in found)
        worth[name] = 3 * asked + 2 * headline + min(known, 4) / 2 + 0.5 * (" " in name)
        worth[name] += 1.5 * first.title.startswith(name) - 0.001 * max(question.find(name), 0)
    best = max(worth, key=worth.__getitem__, default="")
    return best if best and worth[best] >= _WORTH else ""


def _roles(
    question: str, matter: str, articles: Sequence[Article], story: Sequence[_Told], language: Language
) -> Iterator[str]:
    """Another name that stands beside the matter in several articles, best one that the first headline doesn't tell."""
    worth: dict[str, float] = {}
    for article in articles:
        heads = f"{article.title}\n{article.teaser or article.text[:600]}"
        # A single word of a text is a name for sure only by its letters.
        for name in (*filter(is_name, article.topics), *filter(is_shaped, names_in(heads))):
            if name in worth or not is_usable(name) or overlaps(name, matter) or overlaps(name, question):
                continue
            beside = sum(_stand_together(told, name, matter) for told in story)
            if beside >= _SEVERAL:
                worth[name] = beside + bool(PERSON.fullmatch(name)) - 2 * holds(story[0].title, name)
    if worth:
        who = max(worth, key=worth.__getitem__)
        yield say("role" if PERSON.fullmatch(who) else "together", language, who=who, matter=matter)


def _stand_together(told: _Told, name: str, matter: str) -> bool:
    return any(
        holds(paragraph, name) and (holds(paragraph, matter) or holds(told.title, matter))
        for paragraph in f"{told.title}\n{told.text}".split("\n")
    )


def _since(question: str, matter: str, first: _Told, story: Sequence[_Told], language: Language) -> Iterator[str]:
    """What came after the best article, where something came."""
    newer = [told for told in story if told.day and first.day and told.day - first.day >= _APART]
    if newer and first.day and not _ASKED_SINCE.search(question):
        yield say("since", language, date=day_in_words(first.day, language), matter=matter)


def _months(question: str, matter: str, first: _Told, story: Sequence[_Told], language: Language) -> Iterator[str]:
    """Another month in which the story was reported."""
    for told in story:
        if told.day and first.day and abs(told.day - first.day) > _LONG_STORY and str(told.day.year) not in question:
            month = f"{month_name(told.day.month, language, MONTHS)} {told.day.year}"
            yield say("month", language, date=month, matter=matter)
            return


def _said(articles: Sequence[Article], question: str, language: Language) -> Iterator[str]:
    """Somebody whose words an article holds."""
    for article in articles:
        for quotation in quotations(article.text):
            match = PERSON.search(_BRACKETS.sub("", quotation.speaker).strip())
            if match and is_usable(match[0]) and not overlaps(match[0], question) and is_person(match[0]):
                yield say("said", language, who=match[0])
                return


def _timeline(question: str, matter: str, story: Sequence[_Told], language: Language) -> Iterator[str]:
    days = [told.day for told in story if told.day]
    if len(days) >= _STORY and max(days) - min(days) > _LONG_STORY and not _ASKED_TIMELINE.search(question):
        yield say("timeline", language, matter=matter)


def _compared(question: str, matter: str, articles: Sequence[Article], language: Language) -> Iterator[str]:
    """The matter beside that of another article on the same topic, where neither article tells of both."""
    first = articles[0]
    if _ASKED_COMPARISON.search(question) or not first.title.startswith(matter) or not stands_alone(question, matter):
        return
    for other in articles[1:]:
        shared = set(first.topics) & set(other.topics) - {matter}
        if not shared or holds(f"{other.title}\n{other.teaser}\n{other.text}", matter):
            continue
        name = next((topic for topic in (*other.topics, *names_in(other.title)) if other.title.startswith(topic)), "")
        if is_usable(name) and not holds(first.title + first.text, name):
            yield say("compare", language, first=matter, second=name)
            return


def _neighbours(first: Article, found: Sequence[_Told], language: Language) -> Iterator[str]:
    """Another article that shares words with the head of the best one, by its headline."""
    head = {stem: weight for stem, weight in content(f"{first.title} {first.teaser}").items() if weight > 1}
    for told in found[1:]:
        title = one_line(told.title).replace("„", "‚").replace("“", "‘").replace('"', "")
        shared = _others(title, {}) & head.keys()
        related = len(shared) >= _SEVERAL and coverage(content(title), head) >= _RELATED
        if related and len(title) <= _LONGEST_HEADLINE and _is_plain(title):
            yield say("about", language, title=title)
            return


def _is_plain(title: str) -> bool:
    return not _MARKUP.search(title) and not any(addresses_model(part) for part in sentences(title))
