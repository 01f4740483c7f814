"""What someone typed into the search, taken apart: words, quoted phrases, words behind a minus.

A question is never a syntax error: quotation marks without a partner and a minus that excludes nothing are text.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from archive.german import names, normalized, stem, stems, terms, wording

# Pairs that people type: "…", „…“ and „…”, “…”, «…», »…«. What opens stands free on its left and what closes on its
# right, so that 13" and 15" are inches.
_QUOTED = re.compile(
    r"""(?<![^\s(\[-])(?:"(?=\S)([^"]*?)(?<=\S)"|„([^„“”"]*)[“”"]|“([^“”]*)”|«([^«»]*)»|»([^«»]*)«)(?!\w)""",
)
# A minus that belongs to a word and stands free on its left. Before a figure it is a sign, and in "Import und -export"
# it stands for a part of a compound, whose rest is written small.
_EXCLUDED = re.compile(r"(?<!\S)-(?=[^\W\d_]|\.[^\W\d_]|\x00)(\S+)")
_LEFT_OUT = re.compile(r"(?:\b(?:und|oder|sowie|bzw\.?|and|or)|[,/&])\s*$", re.IGNORECASE)
_LOOK_BACK = 10  # characters before a minus, enough for the longest of those
_MOST = 32  # phrases that are asked for, and that are excluded; a pasted article has more, and means none of them
_PLACE = re.compile("\x00(\\d+)\x00")


@dataclass(frozen=True, slots=True)
class Sought:
    """What a passage must or must not hold: a `wording` word for word, or one of its `term`s."""

    kind: Literal["wording", "term"]
    term: str


@dataclass(frozen=True)
class WordQuery:
    """A query in words.

    `plain` is the text without operators, phrases included: what is embedded, and what single words are searched by.
    `phrases` must be held by a passage, word for word; `excluded` must not: words in any of their forms, or phrases.
    """

    plain: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def restricts(self) -> bool:
        """Whether there is anything that a passage must or must not hold."""
        return bool(self.required or self.forbidden)

    def allows(self, title: str, text: str) -> bool:
        """Whether a passage holds every phrase, each in its title or in its text, and nothing that is excluded."""
        if not self.restricts:
            return True
        fields = [normalized(title), normalized(text)]
        wordings = [f" {wording(field)} " for field in fields]
        held = {term for field in fields for term in terms(field)}

        def holds(sought: Sought) -> bool:
            return sought.term in held if sought.kind == "term" else any(f" {sought.term} " in w for w in wordings)

        return all(map(holds, self.required)) and not any(map(holds, self.forbidden))

    @cached_property
    def required(self) -> tuple[Sought, ...]:
        """The phrases as they are looked up."""
        return tuple(sought for phrase in self.phrases if (sought := _named(phrase) or _worded(phrase)))

    @cached_property
    def forbidden(self) -> tuple[Sought, ...]:
        """What is excluded as it is looked up."""
        return tuple(sought for phrase in self.excluded if (sought := _named(phrase) or _stemmed(phrase)))


def parse_query(text: str) -> WordQuery:
    """Take a query apart. Any text is one."""
    phrases: list[str] = []
    excluded: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        phrases.append(next(group for group in match.groups() if group is not None).strip())
        return f"\x00{len(phrases) - 1}\x00"

    def exclude(match: re.Match[str]) -> str:
        if match[1][0].islower() and _LEFT_OUT.search(match.string, max(0, match.start() - _LOOK_BACK), match.start()):
            return match.group()
        excluded.append(_PLACE.sub(lambda place: phrases[int(place[1])], match[1]).rstrip(".,;:!?"))
        return ""

    marked = _QUOTED.sub(set_aside, normalized(text).replace("\x00", " "))
    rest = _EXCLUDED.sub(exclude, marked)
    kept = [phrases[int(place)] for place in _PLACE.findall(rest)]
    plain = " ".join(_PLACE.sub(lambda place: phrases[int(place[1])], rest).split())
    return WordQuery(plain, tuple(filter(None, kept))[:_MOST], tuple(filter(None, excluded))[:_MOST])


def _named(phrase: str) -> Sought | None:
    """`C++` is looked up as the name that it is."""
    found = "" if " " in phrase else max(names(normalized(phrase)), key=len, default="")
    return Sought("term", stem(found)) if found else None


def _worded(phrase: str) -> Sought | None:
    found = wording(normalized(phrase))
    return Sought("wording", found) if found else None


def _stemmed(phrase: str) -> Sought | None:
    """A single word by its stem, function words not at all, and more than one word for word."""
    worded = _worded(phrase)
    if worded is None or " " in worded.term:
        return worded
    found = stems(normalized(phrase))
    return Sought("term", found[0]) if found else None
