"""Prepositions of time, German and English: which one stands before an expression, and what it makes of its days."""

import re
from dataclasses import dataclass

from archive.articles import Period
from server.periods.days import add_days
from server.periods.grammar import lower

SINCE = {"seit", "ab", "since", "from", "starting"}
BEFORE = {"vor", "before", "prior to"}
AFTER = {"nach", "after"}
UNTIL = {"bis", "until", "till", "by", "up to"}
AROUND = {"um", "rund um", "around"}
BETWEEN = {"zwischen", "between"}
_WITHIN = {"im", "in", "am", "während", "waehrend", "innerhalb", "binnen", "on", "during", "within", "gegen", "stand"}
_LOOSE = {"an", "zu", "zum", "zur", "über", "ueber", "at", "over", "laut"}
# These tie the time to a noun ("das Urteil vom 3. Mai", "das Budget für 2021", "gilt ab 2024"), and that noun may be
# news at another time.
ATTRIBUTIVE = {"von", "vom", "aus", "für", "fuer", "of", "for", "ab", "from"}
# "Mai", "11.12." and "2000" are no times after these: "über Mai Thi", "um 2000 Euro".
UNTELLING = _LOOSE - {"zum"} | {"von", "aus", "für", "fuer", "of", "for", "um"}

_PREPOSITIONS = SINCE | BEFORE | AFTER | UNTIL | AROUND | BETWEEN | _WITHIN | _LOOSE | ATTRIBUTIVE
ARTICLES = "zum|zur|zu|in|im|dem|den|der|des|das|die|the|of|laufe|verlauf|course|jahre?s?|years?|monat|month"
_PREFIX = re.compile(
    r"(?<!\w)(?:(?P<near>kurz|unmittelbar|knapp|shortly|right|just|soon)\s+)?"
    rf"(?P<word>{'|'.join(sorted(_PREPOSITIONS, key=len, reverse=True))})(?:\s+(?:{ARTICLES})){{0,4}}\s+$"
)
_REPORT = re.compile(
    r"(?:meldung|nachricht|artikel|bericht|beitrag|beiträg|texte|schlagzeile|ausgabe|news|article|report|headline|stor[iy])"
    r"\w{0,3}\s+$"
)
# "Alles zu Log4j aus dem Dezember 2021": reports may stand farther off.
_OUT_OF = {"aus", "from"}
_ANY_REPORT = re.compile(
    r"\b(?:alles|meldung|nachricht|artikel|bericht|schlagzeile|neues|news|new|article|report|headline|everything)\w{0,3}\b"
)
# Characters that prepositions and their articles can take up, and that may lie between a report and its time.
REACH = 70
_FAR = 150
_SHORTLY = 30


@dataclass(frozen=True, slots=True)
class Preposition:
    """A preposition that begins at `start`: `near` after "kurz", `report` after a word for news ("Meldungen von")."""

    start: int
    word: str
    near: bool
    report: bool

    @property
    def attributive(self) -> bool:
        """Whether it ties the time to a noun, which may be news at another time."""
        return self.word in ATTRIBUTIVE and not self.report


def preposition_before(question: str, start: int) -> Preposition | None:
    """The preposition before an expression, with its articles."""
    first = max(0, start - REACH)
    match = _PREFIX.search(before := lower(question[first:start]))
    if match is None:
        return None
    said = before[: match.start()]
    farther = lower(question[max(0, first - _FAR) : first]) + said
    report = _REPORT.search(said) or (match["word"] in _OUT_OF and _ANY_REPORT.search(farther))
    return Preposition(first + match.start(), match["word"], match["near"] is not None, bool(report))


def related(period: Period, prefix: Preposition) -> Period:
    """The days that a preposition makes of a period: "vor" those before it, "bis" those up to its end."""
    start, end, word = period.start, period.end, prefix.word
    if word in SINCE and start and not prefix.report:
        return Period(start)
    if word in BEFORE and start:
        return Period(add_days(start, -_SHORTLY) if prefix.near else None, add_days(start, -1))
    if word in AFTER and end:
        return Period(add_days(end, 1), add_days(end, _SHORTLY) if prefix.near else None)
    if word in UNTIL and end:
        return Period(None, end)
    if word in AROUND and start and end:
        slack = max(3, (end - start).days // 2)
        return Period(add_days(start, -slack), add_days(end, slack))
    return period
