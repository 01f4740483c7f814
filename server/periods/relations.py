"""How expressions of time stand in their question: after a preposition, in pairs, as part of a name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from archive.articles import Period
from server.periods.days import add_days, is_year
from server.periods.grammar import Moment, lower
from server.periods.meaning import Known, Reading
from server.periods.prepositions import (
    AFTER,
    AROUND,
    ARTICLES,
    ATTRIBUTIVE,
    BEFORE,
    BETWEEN,
    REACH,
    SINCE,
    UNTELLING,
    UNTIL,
    Preposition,
    preposition_before,
    related,
)
from server.periods.tense import asks_for_a_state, asks_for_events, asks_for_figures, names_another_time

# Nothing in a news archive is older; years before belong to what the news is about.
EARLIEST = date(1990, 1, 1)

_RANGE_WORDS = {"bis", "to", "until", "till", "through", "-", "–", "auf"}
_CONNECTOR = re.compile(
    rf"\s*(?P<word>bis|und|oder|auf|and|or|to|until|till|through|[-–/])\s*(?:(?:einschließlich|{ARTICLES})\s+){{0,3}}"
)
# A year after one of these belongs to the noun that follows, or is a number.
_NO_ADVERB_AFTER = re.compile(
    r"d(?:er|ie|as|em|en|es)|eine?[nmrs]?|keine?[nmrs]?|und|oder|rund|etwa|circa|ca|über|knapp|fast|gut|"
    r"als|auf|mit|für|von|aus|um|unter|seite|nummer|version|bis|zu|wie|gegen|gegenüber|vs|versus|nur|je|pro|mal"
)
_COUNTED = re.compile(
    r"\s*(?:euro|dollar|mark|menschen|personen|leute|mitarbeiter|stellen|jobs|zuschauer|soldaten|tote|verletzte|kilometer|km|"
    r"meter|m|watt|kilowatt|kw|mw|ps|mhz|mb|gb|tonnen|stück|seiten|prozent|people|users|employees|miles|pages|tons)"
    r"(?:innen|n|r)?\b"
)
_ENGLISH = re.compile(r"\b(?:the|of|and|is|are|were|did|does|has|have|who|what|which|when|where|why|how)\b")
_WORD_BEFORE = re.compile(r"(\w+)\s+$")


@dataclass(frozen=True, slots=True)
class Mention:
    """A period as the question names it, at `start` to `end`, its prepositions included."""

    start: int
    end: int
    period: Period
    firm: bool
    topical: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, and what it asks for as a whole."""

    text: str
    year_adverbs: bool
    events: bool
    state: bool
    figures: bool

    def is_headed_by(self, moment: Moment) -> bool:
        """Whether it begins with the moment, set off by a colon ("Silvester 2022: Was war los?")."""
        return not self.text[: moment.start].strip() and self.text[moment.end :].lstrip().startswith(":")


def find_mentions(question: str, moments: Sequence[Moment], today: date) -> list[Mention]:
    """The periods that a question names, in their order, without those that tell an archive up to `today` nothing."""
    known = _settled(moments, today)
    asked = _Asked(
        question, _has_year_adverbs(question), asks_for_events(question), asks_for_a_state(question),
        asks_for_figures(question),
    )  # fmt: skip
    mentions: list[Mention | None] = []
    position = 0
    while position < len(moments):
        left, right = moments[position], moments[position + 1] if position + 1 < len(moments) else None
        pair = _pair(question, left, right, known) if right else None
        mentions.append(pair or _single(asked, left, known))
        position += 2 if pair else 1
    return [
        replace(mention, firm=mention.firm and not names_another_time(question[mention.end :]))
        for mention in mentions
        if mention and _telling(mention.period, today)
    ]


def _settled(moments: Sequence[Moment], today: date) -> Known:
    """What single years and weeks say about the other expressions: "letztes Jahr im Mai", "am Montag letzter Woche"."""
    readings = [moment.read(Known(today)) for moment in moments if not moment.undated]
    starts = [(reading.period, reading.period.start) for reading in readings if reading and reading.period.start]
    years = {start.year for period, start in starts if is_year(period)}
    mondays = {start for period, start in starts if start.weekday() == 0 and period.end == add_days(start, 6)}
    year = years.pop() if len(years) == 1 else None
    return Known(today, year=year, monday=mondays.pop() if len(mondays) == 1 else None)


def _single(asked: _Asked, moment: Moment, known: Known) -> Mention | None:
    question = asked.text
    prefix = preposition_before(question, moment.start)
    reading = moment.read(known)
    untold = prefix is None or (prefix.word in UNTELLING and not prefix.report)
    if reading is None or (moment.weak and untold) or (moment.bare_year and _is_number(question, moment)):
        return None
    if moment.bare_year and untold:
        prefix = prefix if prefix and prefix.word in AROUND else None
        adverbial = asked.year_adverbs and _is_adverbial(question, moment)
        firm = prefix is None and (adverbial or asked.is_headed_by(moment))
    else:
        firm = reading.firm and _dates_news(asked, moment, prefix)
    if moment.reported_later and asked.figures:
        firm = False
    period = related(reading.period, prefix) if prefix else reading.period
    return Mention(prefix.start if prefix else moment.start, moment.end, period, firm, moment.topical)


def _dates_news(asked: _Asked, moment: Moment, prefix: Preposition | None) -> bool:
    """Whether articles about what is asked were published at that time, as far as the words around it tell."""
    if moment.rule == "day word" and asked.state:
        return False
    if prefix is None:
        return asked.is_headed_by(moment) or not (moment.topical or moment.reported_later)
    if prefix.word in SINCE and moment.bare_year:
        return asked.events
    return not prefix.attributive or (prefix.word in SINCE and asked.events)


def _pair(question: str, left: Moment, right: Moment, known: Known) -> Mention | None:
    """Two moments joined to one period: "von Januar bis März 2022", "am 3. und 4. Mai"; None where they aren't."""
    joint = _CONNECTOR.fullmatch(lower(question[left.end : right.start])) if right.start - left.end < REACH else None
    prefix = preposition_before(question, left.start)
    if joint is None or (prefix and prefix.word in SINCE - {"from", "ab"} | BEFORE | AFTER | UNTIL):
        return None
    is_range = joint["word"] in _RANGE_WORDS or (prefix is not None and prefix.word in BETWEEN)
    if (left.rule == "day" and ("day" not in right.words or not (prefix or is_range))) or (
        right.rule == "day" and not (is_range and "day" in left.words)
    ):
        return None
    if left.weak and right.weak and not prefix:
        return None
    readings = _read_pair(left, right, known)
    if readings is None:
        return None
    start, end = readings[0].period.start, readings[1].period.end
    if joint["word"] == "auf" and "day" not in right.words and right.rule != "weekday":
        return None
    named = prefix is not None and prefix.word not in ATTRIBUTIVE - {"von", "vom", "from", "ab"}
    named = named or (is_range and not question[: left.start].strip())
    firm = all(reading.firm for reading in readings) and (named or not (left.bare_year or right.bare_year))
    return Mention(prefix.start if prefix else left.start, right.end, Period(start, end), firm, left.topical)


def _read_pair(left: Moment, right: Moment, known: Known) -> tuple[Reading, Reading] | None:
    """Both readings; the one that lacks a year or a month takes the other's, so that they follow each other."""
    left_leads = right.undated and not left.undated
    leader, follower = (left, right) if left_leads else (right, left)
    fixed = leader.read(known)
    if fixed is None or fixed.period.start is None:
        return None
    for shift in (0, 1 if left_leads else -1):
        year, month = fixed.period.start.year + shift, fixed.period.start.month
        free = follower.read(replace(known, year=year, month=month))
        if free is None:
            return None
        first, second = (fixed, free) if left_leads else (free, fixed)
        if first.period.start and second.period.end and first.period.start <= second.period.end:
            return first, second
    return None


def _is_number(question: str, moment: Moment) -> bool:
    return bool(_COUNTED.match(lower(question[moment.end : moment.end + REACH])))


def _has_year_adverbs(question: str) -> bool:
    """Whether capitals tell nouns from verbs: not in small letters, nor in English, which has no such adverbs."""
    return not question.islower() and not _ENGLISH.search(lower(question))


def _is_adverbial(question: str, moment: Moment) -> bool:
    """Whether a year without preposition says when ("Wer bekam 2020 den Preis"), as German allows after a verb.

    After a noun ("Bundestagswahl 2021", "Windows 2000") it is part of a name.
    """
    before = _WORD_BEFORE.search(question[max(0, moment.start - REACH) : moment.start])
    return before is not None and before[1].islower() and not _NO_ADVERB_AFTER.fullmatch(before[1])


def _telling(period: Period, today: date) -> bool:
    """Whether a period leaves out anything that an archive up to `today` holds, and leaves something in."""
    start, end = period.start or date.min, period.end or date.max
    return start <= end and start <= today and end >= EARLIEST and (start > EARLIEST or end < today)
