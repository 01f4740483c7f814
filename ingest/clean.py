"""clean(): an article as it was read -> an article as it may be shown."""

import re
from dataclasses import replace

from archive.articles import Article
from archive.errors import BadArticle
from ingest.markup import has_markup, one_line, plain, visible

_SHORTEST = 15  # characters that something must have to be found again by its meaning
# Characters at most, ten times and more what any article known has. Every passage carries title, source and url.
_LONGEST = {"title": 1_000, "source": 200, "url": 2_000, "teaser": 10_000, "text": 1_000_000}
_LONGEST_NAMES = 10_000
# Whole lines that are surely no part of an article. Sources and corrections ("(Quelle: dpa)") stay.
_BOILERPLATE = re.compile(
    r"""
      \^
    | \([a-zäöü]{2,5}(?:@[\w.-]+)?\)                             # the editor's initials under a heise article
    | \(?(?:Anzeige|Werbung|Advertisement)\)?
    | Weiterlesen\ nach\ der\ Anzeige
    | (?:Lesen|Hören|Sehen)\ Sie\ (?:auch|dazu)(?:\ auch|\ hier)?(?::.{0,200}|\.?)
    | (?:Mehr\ zum\ Thema|Auch\ interessant|Das\ könnte\ Sie\ auch\ interessieren):?
    | (?:Jetzt\ )?(?:den\ |unseren\ |zum\ )?Newsletter\ (?:jetzt\ )?(?:abonnieren|bestellen|anmelden)\W*
    | Kommentare\ lesen(?:\ \(\d+(?:\ Beitr(?:ag|äge))?\))?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def clean(article: Article) -> Article:
    """The article with plain, normalized texts; paragraphs are separated by one blank line.

    Raises BadArticle where there is no title, nothing long enough to be found by, or something of absurd length.
    """
    title = one_line(plain(article.title))
    teaser = one_line(plain(article.teaser))
    text = _clean_text(article.text)
    if not title:
        raise BadArticle("no title; name the field title or headline")
    if max(len(title), len(teaser), len(text)) < _SHORTEST:
        raise BadArticle(f"neither title, teaser nor text of {_SHORTEST} characters")
    cleaned = replace(
        article,
        title=title,
        teaser="" if teaser == title else teaser,
        text=text,
        authors=_clean_names(article.authors),
        topics=_clean_names(article.topics),
        source=one_line(article.source),
    )
    _check_lengths(cleaned)
    return cleaned


def _check_lengths(article: Article) -> None:
    lengths = {field: (len(getattr(article, field) or ""), longest) for field, longest in _LONGEST.items()}
    lengths["authors"] = (sum(map(len, article.authors)), _LONGEST_NAMES)
    lengths["topics"] = (sum(map(len, article.topics)), _LONGEST_NAMES)
    for field, (length, longest) in lengths.items():
        if length > longest:
            raise BadArticle(f"{field} of {length:,} characters; {longest:,} at most make an article")


def _clean_text(text: str) -> str:
    text = visible(plain(text) if has_markup(text) else text)
    lines = (line for line in text.split("\n") if not _BOILERPLATE.fullmatch(line))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    # Each line is a paragraph where nothing else tells them apart; asked last, so that a clean text stays as it is.
    return text if "\n\n" in text else text.replace("\n", "\n\n")


def _clean_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for raw in names if (name := one_line(plain(raw)))))
