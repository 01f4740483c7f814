"""Dated lists, composed from the articles themselves: each line is its article's own words.

No generator writes here, so a list is there at once and every line is borne out. Pure functions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from archive.articles import Article
from archive.german import normalized, terms
from prompts import render
from server.escaping import inline_markdown
from server.events import Source
from server.reports import Report, on_the_matter
from server.sentences import sentences
from server.sources import date_of
from server.understanding import Language

_MOST_LINES = 12
_LONGEST = 280  # characters of a line
_RETOLD = 0.5  # share of a headline that its lead repeats: then the lead alone will do
_SAME = 0.5  # share of terms by which two headlines of one day or the next tell one event

# No report of one event: an opinion, a test, a digest of many matters, whose headline begins with a weekday or says so
# and whose teaser is a chain of " + ".
_NO_EVENT = re.compile(
    r"^(?:Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag|Wochenende)\s*:"
    r"|^(?:kommentar|meinung|kolumne|glosse|pro\s*&\s*contra)\b|\bim test\b|\blive verfolgen\b"
    r"|\b(?:interview|kurz informiert|update kompakt|newsticker|liveticker|live-?blog|presseschau|lesetipps"
    r"|wochenrückblick|bilder der woche|heiseshow|uplink|podcast|folge \d+|workshop|webinar|gewinnspiel)\b",
    re.IGNORECASE,
)
_CHAINED = re.compile(r"\s\+\s.+\s\+\s")
# Place, day and agency before the news; what stands in a text beside the news.
_DATELINE = re.compile(
    r"^(?:[^\W\d_][^.!?\n]{0,60}?,?\s*(?:\d{1,2}\.\s?(?:\d{1,2}\.|[A-ZÄÖÜ][a-zäöü]+)\s?\d{4})?\s*)?"
    r"(?:\((?:dpa|afp|ap|rtr|reuters|sid|epd|kna|apa|sda)[^)]*\)\s*[-–—.:]*|(?<=\d{4})\s*[-–—]|[A-Z]{2,4}/dpa\s*[-–—:])\s*",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"^(?:fotos?|bild(?:er)?|video|quelle|anzeige|von|text|symbolbild|archivbild|update|lesen sie auch|mehr dazu)\b"
    r"\s*:?(?=.{0,60}$)|\b(?:cookies?|newsletter|abonnieren|abonnent\w*|jetzt anmelden|mehr zum thema"
    r"|alle news im ticker"
    r"|weiterlesen|javascript|adblocker)\b|\((?:dpa|afp|reuters)\)\s*$",
    re.IGNORECASE,
)
# A sentence that begins so leans on the one before.
LEANING = re.compile(
    r"(?:er|sie|es|dies\w*|da\w{1,7}|hier\w*|dort|doch|aber|auch|so|nun|noch|im|allerdings|dennoch|zudem|außerdem|jedoch|ihr\w{0,2}"
    r"|sein\w{0,2}|he|she|it|they|this|that|these|but|however)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Composed:
    """Markdown with citations, and the sources that it cites, numbered anew in the order of their first citation."""

    text: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """What one event's line says; the first of `reports` is the one that is quoted."""

    text: str
    reports: tuple[Report, ...]


def compose_timeline(reports: Sequence[Report], matter: str, language: Language) -> Composed | None:
    """A line for each event, oldest first, undated ones last; None where fewer than two reports are on the matter.

    `reports` come best first; `matter` is what the question is about (server.forms.matter_of).
    """
    lines = _lines(reports, matter)
    if len(lines) < 2:
        return None
    sources = _renumbered(lines)
    return Composed("\n".join(_written(line, sources, language) for line in lines), tuple(sources.values()))


def compose_overview(reports: Sequence[Report], matter: str, language: Language) -> Composed | None:
    """The newest state of affairs, dated, then what came before, newest first; None as for compose_timeline()."""
    lines = _lines(reports, matter)
    dated = [line for line in lines if line.reports[0].source.published]
    if len(lines) < 2 or not dated:
        return None
    newest, *before = [*reversed(dated), *(line for line in lines if line not in dated)]
    sources = _renumbered([newest, *before])
    text = render(
        "overview",
        language,
        date=date_of(newest.reports[0].source, language),
        text=inline_markdown(newest.text),
        citations=_citations(newest, sources),
        lines="\n".join(_written(line, sources, language) for line in before),
    )
    return Composed(text, tuple(sources.values()))


def superseded(cited: Sequence[Source], reports: Sequence[Report], matter: str) -> Source | None:
    """The newest of the `cited` sources where a later report on the same matter was found; None where none was.

    Only of use for a question that names no period. A report of the next day is the same news, and supersedes nothing.
    """
    newest = max((source for source in cited if source.published), key=moment_of, default=None)
    if newest is None:
        return None
    same = [report for report in on_the_matter(reports, matter) if not _is_no_event(report.article)]
    if all(report.source.article_id != newest.article_id for report in same):
        return None
    later = [
        report for report in same if moment_of(report.source) > moment_of(newest) + timedelta(days=1).total_seconds()
    ]
    return newest if later else None


def _lines(reports: Sequence[Report], matter: str) -> list[_Line]:
    told = [report for report in on_the_matter(reports, matter) if not _is_no_event(report.article)]
    dated = [report for report in told if report.source.published]
    told = sorted(dated if len(dated) > 1 else told, key=lambda report: -report.near)
    events = sorted(_events(told)[:_MOST_LINES], key=lambda event: moment_of(event[0].source))
    return [_Line(_told(event[0].article), tuple(event)) for event in events]


def _is_no_event(article: Article) -> bool:
    return bool(_NO_EVENT.search(article.title) or _CHAINED.search(article.teaser))


def _events(reports: Sequence[Report]) -> list[list[Report]]:
    """Reports of one event together, the best first."""
    events: list[list[Report]] = []
    for report in reports:
        for event in events:
            if _is_same(report, event[0]):
                event.append(report)
                break
        else:
            events.append([report])
    return events


def _is_same(one: Report, other: Report) -> bool:
    if one.article.id in other.source.twins or other.article.id in one.source.twins:
        return True
    if not (one.source.published and other.source.published):
        return False
    if abs(one.source.published - other.source.published) > timedelta(days=1):
        return False
    first, second = (frozenset(terms(normalized(report.article.title))) for report in (one, other))
    return len(first & second) >= _SAME * (min(len(first), len(second)) or 1)


def _told(article: Article) -> str:
    """The lead where it tells what happened by itself, else the headline with as much of the lead as fits."""
    title, lead = article.title.strip(), _leads(article)
    if lead[:1] in ([], [title]):
        return title
    known, told = frozenset(terms(normalized(title))), frozenset(terms(normalized(lead[0])))
    if len(known & told) >= _RETOLD * (len(known) or 1) and not LEANING.match(lead[0]):
        return lead[0]
    headed = f"{title}{'' if title[-1:] in '.?!…' else '.'}"
    return next((both for text in lead if len(both := f"{headed} {text}") <= _LONGEST), title)


def _leads(article: Article) -> list[str]:
    """What a line may take of the teaser, or of where the text begins, whole sentences, the longest first."""
    teaser = _clean(article.teaser)
    told = teaser or _clean(article.text[: 4 * _LONGEST])[: 1 if len(article.text) > _LONGEST else 2]
    leads = [" ".join(told[:count]) for count in range(len(told), 0, -1)]
    return [lead for lead in leads if len(lead) <= _LONGEST]


def _clean(text: str) -> list[str]:
    """Sentences of the news itself: no dateline, no picture credits, nothing about cookies."""
    told = [sentence for sentence in sentences(_DATELINE.sub("", text, count=1)) if not _BESIDE.search(sentence)]
    return [sentence for sentence in told if sentence[-1:] in '.!?…“"»']


def _written(line: _Line, sources: dict[str, Source], language: Language) -> str:
    date = date_of(line.reports[0].source, language)
    return render(
        "dated_line", language, date=date, text=inline_markdown(line.text), citations=_citations(line, sources)
    )


def _citations(line: _Line, sources: dict[str, Source]) -> str:
    return "".join(f"[{sources[report.article.id].number}]" for report in line.reports)


def _renumbered(lines: Sequence[_Line]) -> dict[str, Source]:
    """Sources by article in the order of the lines, with what is quoted of them as their excerpt."""
    quoted = [(report, line.text) for line in lines for report in line.reports]
    return {
        report.article.id: replace(report.source, number=number, excerpt=text)
        for number, (report, text) in enumerate(quoted, 1)
    }


def moment_of(source: Source) -> float:
    """Seconds, to order by; undated comes last."""
    return source.published.timestamp() if source.published else float("inf")
