"""What kind of answer a question expects: an amount, money, a date, a name. What brings none of it answers nothing.

A passage that tells of a matter and a sentence that it bears out are no answer to "Was kostet der Eintritt?" as long
as no price stands there. Only questions whose words leave no choice are judged; all others expect anything.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from server.grounding.claims import Claim, claim_of
from server.grounding.quotation_marks import quotations
from server.grounding.support import Asked

Kind = Literal["money", "count", "amount", "weight", "share", "date", "name", "person", "penalty", "anything"]

_MONEY_UNITS = frozenset({"€", "$", "£", "chf", "btc", "mark", "yuan", "¥", "rubel"})
_TIME_UNITS = frozenset({"s", "min", "h", "d", "week", "month", "year", "o'clock"})
_NO_COUNT = _MONEY_UNITS | _TIME_UNITS | {"%", "m", "km", "t", "kg"}
_OF_TIME = re.compile(
    r"\bviele[n]?\s+(?:\w+\s+)?(?:sekunden|minuten|stunden|tagen?|wochen|monaten?|jahren?|meter|kilometer|tonnen|kilo)",
    re.IGNORECASE,
)
_TURNOUT = re.compile(r"\w*beteiligung\b|\bturnout\b", re.IGNORECASE)
_CALLED = re.compile(r"\b(?:heißt|hieß|heißen|hießen|namens|genannt|mit Namen|named|called)\s+„?[A-ZÄÖÜ]")
_PENALTY = re.compile(
    r"\b(?:\w*haft|\w*strafe|\w*gefängnis|bewährung\w*|tagess[äa]tze\w*|freispruch|freigesprochen|verwarn\w+|sozialstunden|"
    r"bußgeld\w*|sentenced|prison|fine[ds]?|jail)\b.{0,120}?\b(?:\d|ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|lebenslang)"
    r"|\b(?:\d+|ein|zwei|drei|vier|fünf|sechs|sieben|siebeneinhalb|acht|neun|zehn|elf|zwölf|lebenslang\w*)\s+(?:\w+\s+)?(?:jahre?n?|monate?n?|years?|months?)\b"
    r"|\blebenslang\w*|\bfreigesprochen|\bfreispruch",
    re.IGNORECASE | re.DOTALL,
)
_WEIGHT_UNITS = frozenset({"kg", "t"})
_WEIGHT = re.compile(r"\d\s*(?:g|mg|gramm|pfund|zentner|pounds?|grams?)\b", re.IGNORECASE)
_CURRENCY = (
    r"(?:euro|dollar|yuan|yen|franken|pfund|rubel|mark|geld|millionen|milliarden|mio|mrd|money|millions|billions)"
)
_BEFORE = r"^\W*(?:(?:mit|von|in|auf|bei|nach|vor|aus|zu|seit|um|für)\s+)?"
_MANY, _MUCH = r"(?:wie\s*vielen?|how\s+many)", r"(?:wie\s*vielen?|wie\s*viel|how\s+(?:many|much))"
_SUM = r"(?:honorar|preisgeld|kaution|abfindung|bußgeld|geldstrafe|lösegeld|kaufpreis|preis)"
_PERSON = (
    r"(?:\w*(?:mann|frau|täter|täterin|opfer|chef|chefin|kapitän|kapitänin|bürgermeister\w*|präsident\w*|minister\w*|richter\w*|pilot\w*"
    r"|piloten|sprecher\w*|leiter\w*|trainer\w*|mörder\w*|gründer\w*|anwalt|anwältin|zimmermädchen|kinder|sohn|tochter|schütze))"
)
_KINDS: Sequence[tuple[Kind, str]] = (
    ("money", r"\bwas\s+(?:\w+\s+){0,3}?kostet\w*\b|^\W*wie\s+teuer\b|\bhow\s+expensive\b"),
    ("money", r"\bwhat\s+(?:does|did|do)\b.*\bcosts?\b"),
    ("money", r"^\W*was\s+(?:verdien\w+|zahl\w+|bezahl\w+|überw\w+|setz\w+\s+.*\bum)\b"),
    (
        "penalty",
        r"\bwelche[rn]?\s+(?:\w*strafe|strafmaß|haft\w*)\b|^\W*strafma(?:ß|ss)\b|\bwhat\s+(?:sentence|penalty)\b",
    ),
    ("money", rf"{_BEFORE}{_MUCH}\s+(?:(?:geld|lösegeld|preisgeld|gehalt|money|ransom|euro|dollar)\b)"),
    ("money", rf"^\W*(?:welche[sr]?|wie\s+hoch\s+\w+\s+(?:das|die|der))\s+{_SUM}\b"),
    ("share", rf"{_BEFORE}{_MUCH}\s+(?:prozent|percent)\b"),
    ("share", r"^\W*wie\s+hoch\s+\w+\s+(?:die\s+\w*beteiligung|der\s+anteil|die\s+quote)\b"),
    ("amount", rf"{_BEFORE}{_MUCH}\s+{_CURRENCY}\b"),
    ("weight", r"^\W*wie\s+schwer\s+(?:ist|war|sind|waren|wird|wurde|wurden)\b|\bhow\s+heavy\b"),
    ("count", rf"{_BEFORE}{_MANY}\b"),
    ("amount", rf"{_BEFORE}(?:wie\s*viel|wie\s+(?:hoch|alt|lange|schnell|weit|groß|gross|stark|tief|oft))\b"),
    ("amount", r"^\W*how\s+(?:much|old|long|fast|far|high|large|deep|often)\b"),
    ("date", r"^\W*(?:(?:seit|ab|bis|von)\s+)?(?:wann|when)\b"),
    ("date", r"^\W*(?:an\s+welchem\s+tag|in\s+welchem\s+(?:jahr|monat)|(?:in\s+)?what\s+year)\b"),
    ("person", rf"^\W*wie\s+(?:heißt|heisst|heißen|hieß|hiess|hießen)\s+(?:\w+\s+){{1,2}}?{_PERSON}\b"),
    (
        "person",
        rf"^\W*name\s+(?:des|der|vom)\s+{_PERSON}|\bwhat\s+(?:is|was)\s+the\s+name\s+of\s+the\s+(?:man|woman|boss)\b",
    ),
    ("name", r"^\W*wie\s+(?:heißt|heisst|heißen|hieß|hiess|hießen|nennt\s+sich|nannte\s+sich|nannten)\b"),
    ("name", r"^\W*name\s+(?:des|der|vom|von)\b|\bwhat\s+(?:is|was)\s+the\s+name\b"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)


def expected(question: str) -> Kind:
    """The kind of answer that `question` leaves no choice but to give; anything where it does."""
    return next((kind for kind, pattern in _COMPILED if pattern.search(question)), "anything")


class Expectation:
    """What one question expects, to be held against answers and passages."""

    def __init__(self, question: str) -> None:
        self.kind = expected(question)
        self._asked = Asked(question)
        self._of_time = bool(_OF_TIME.search(question))

    def met(self, text: str) -> bool:
        """Whether `text` brings something of the kind that the question doesn't say itself."""
        if self.kind == "anything":
            return True
        claim = claim_of(text)
        if self.kind == "name":
            return self._names(claim, text)
        if self.kind == "person":
            return bool(_CALLED.search(text)) or any(
                one.end + 1 == other.start and not (self._asked.lends_name(one) and self._asked.lends_name(other))
                for one, other in pairwise(claim.names)
            )
        if self.kind == "penalty":
            return bool(_PENALTY.search(text))
        if self.kind == "date":
            return any(not self._asked.lends_date(dating) for dating in claim.datings) or self._measures(claim, None)
        if self.kind == "money":
            return self._measures(claim, _MONEY_UNITS) or bool(_FREE.search(text))
        if self.kind == "weight":
            return self._measures(claim, _WEIGHT_UNITS) or bool(_WEIGHT.search(text))
        if self.kind == "share":
            return self._of_that(text) and (self._measures(claim, frozenset({"%"})) or bool(_PART.search(text)))
        if self.kind == "count":
            return any(
                (quantity.unit not in _NO_COUNT or self._of_time) and not self._asked.lends_figure(quantity)
                for quantity in claim.quantities
            ) or self._counts(claim, text)
        return self._measures(claim, None) or self._counts(claim, text)

    def _of_that(self, text: str) -> bool:
        """Whether a share is one of what was asked: a percentage of votes tells no turnout."""
        turnout = _TURNOUT.search(self._asked.claim.text)
        return turnout is None or turnout[0].lower() in text.lower()

    def _counts(self, claim: Claim, text: str) -> bool:
        # A number of four digits is read as a year.
        years = (dating for dating in claim.datings if dating.only_year and not self._asked.lends_date(dating))
        return any(years) or bool(_COUNTED.search(text))

    def _measures(self, claim: Claim, units: frozenset[str] | None) -> bool:
        return any(
            (units is None or quantity.unit in units) and not self._asked.lends_figure(quantity)
            for quantity in claim.quantities
        )

    def _names(self, claim: Claim, text: str) -> bool:
        own = [name for name in claim.names if not self._asked.lends_name(name)]
        quoted = [quotation.text for quotation in quotations(text)]
        return bool(own or claim.identifiers or any(said not in self._asked.claim.text for said in quoted))


_FREE = re.compile(r"\b(?:kostenlos\w*|gratis|umsonst|frei(?:er)?\s+Eintritt|unentgeltlich|free)\b", re.IGNORECASE)
_PART = re.compile(r"\b(?:Hälfte|Drittel|Viertel|Fünftel|half|third|quarter)\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"\b(?:kein(?:e[nrsm]?)?|niemand|null|ein(?:e[nrsm]?)?\s+einzige\w*|zahlreiche|mehrere|Dutzende?|Hunderte|Tausende|alle|beide|"
    r"Hälfte|Drittel|none|several|dozens?|hundreds|thousands|half)\b",
    re.IGNORECASE,
)
