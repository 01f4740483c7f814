"""Expressions of time, one rule each: a pattern and the function that reads its words."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from server.periods import backward as back
from server.periods import readings as read
from server.periods.meaning import Known, Reading, Words
from server.periods.words import (
    BACK_WORDS,
    DECADE_WORDS,
    FEAST_WORDS,
    MONTH_WORDS,
    NUMBER_WORDS,
    ORDINAL_WORDS,
    PART_WORDS,
    SEASON_WORDS,
    UNIT_WORDS,
    WEEKDAY_WORDS,
)


def _any(group: str, words: Iterable[str]) -> str:
    """A named group that matches any of the words, the longest first."""
    return f"(?P<{group}>{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"


# Digits are spelled [0-9]: \d would take those of every script.
_YEAR_DIGITS = r"(?P<year>(?:19|20)[0-9]{2})(?!\w|[.,][0-9])"
# "CVE-2021-34527", "10.2021" and "2021-fach" hold no year.
_YEAR = rf"(?<![\w.,])(?<![^\W\d]-){_YEAR_DIGITS}(?!-[^\W\d]|-[0-9]{{5}})"
_NEAR_YEAR = (
    r"(?P<near>(?:dies|laufend|letzt|vorig|vergangen|vorletzt)e[ns](?=\s+jahres)|(?:this|last)(?=\s+year))"
    r"\s+(?:jahres|year)"
)
_OF = r"(?:of\s+|des\s+jahres\s+|im\s+jahre?\s+|in\s+)?"
# "Mai '23"
_SHORT_YEAR = r"['’´`](?P<short>[0-9]{2})(?![\w'’])"
_IN_YEAR = rf"(?:,?\s+(?:{_OF}{_YEAR}|{_SHORT_YEAR}))"
_IN_SOME_YEAR = rf"(?:,?\s+(?:{_OF}(?:{_YEAR}|{_NEAR_YEAR})|{_SHORT_YEAR}))"
_MONTH = _any("month", MONTH_WORDS) + r"\.?"
_WEEKDAY = _any("weekday", WEEKDAY_WORDS)
_SEASON = _any("season", SEASON_WORDS.keys() - {"fall"})
_PART = _any("part", PART_WORDS) + r"(?:\s+|-)(?:of\s+(?:the\s+)?|von\s+|de[rs]\s+(?:jahres\s+|monats\s+)?|the\s+)?"
_BACK = _any("back", BACK_WORDS) + r"(?:e[nmrs]?)?\s+"
_DAY = r"(?<![.,:/-])(?P<day>[0-9]{1,2})"
_ORDINAL = _any("ordinal", ORDINAL_WORDS) + r"(?:\.|e[nmrs]?)?\s+"
_ORDINAL_OR_LAST = _any("ordinal", [*ORDINAL_WORDS, "letzt", "last"]) + r"(?:\.|e[nmrs]?)?\s+"
_UNIT = _any("unit", UNIT_WORDS)
_SINGLE_UNIT = r"(?P<unit>woche|monats?|quartals?|jahr(?:es)?|jahrzehnts?|week|month|quarter|year|decade)"
_MANY_UNITS = (
    r"(?P<unit>stunden|tagen?|wochen|monaten?|quartalen?|jahren?|jahrzehnten?"
    r"|hours|days|weeks|months|quarters|years|decades)"
)
_SOME = r"(?:einigen|einige|wenigen|mehreren|ein\s+paar|paar|a\s+few|few|several|some)"
_NUMBER = rf"(?:{_any('number', NUMBER_WORDS).removesuffix(')')}|[0-9]{{1,3}})|{_SOME})\s+"
_ABOUT = r"(?:(?P<over>mehr\s+als|über|more\s+than|over)\s+|(?:etwa|rund|gut|knapp|fast|circa|ca\.|about|around)\s+)?"
_SOMETHING_BEFORE = "|".join(
    f"(?<={word} )" for word in ("vor der", "nach der", "seit der", "bis zur", "before the", "after the", "since the")
)
_ELECTION = r"(?:(?:german|federal|bundestag)\s+){1,2}elections?"
_REPORTS_OF = "|".join(
    f"(?<={word} von )"
    for word in ("nachrichten", "meldungen", "artikel", "berichte", "news", "themen", "schlagzeilen")
)
# What "heute" and "heutige" say of a day; else they mean nowadays: "das heute als Istanbul bekannte Byzanz", "der Ort,
# der heute zu Köln gehört", "die heutigen Rippenquallen".
_NOWADAYS = (
    r"(?:(?:noch|bekannt\w*|(?:so\s?)?genannte\w*|als\s+[\w\s-]{1,40}?\s(?:bekannt|bezeichnet|geltend|genannt)e[nmrs]?)\b"
    r"|[\w\s-]{1,40}?\s(?:ist|sind|heißt|heißen|liegt|liegen|steht|stehen|gehört|gehören|bildet|bilden|lebt|leben)\W*$)"
)
_OF_TODAY = (
    r"(?:\w*(?:meldung|nachricht|ausgabe|sitzung|entscheid|urteil|wahl|konferenz|termin|streik|artikel|bericht|schlagzeile|thema"
    r"|themen|ankündigung|veröffentlichung|gipfel|treffen|debatte|abstimmung|ausfall|störung|patchday|keynote|spieltag)\w*"
    r"|news|ticker|updates?|tag(?:es)?|morgen|vormittag|mittag|nachmittag|abend|spiele?|panne|start)\b"
)
_ON_A_DAY = "|".join(f"(?<={word} )" for word in ["on", "since", "before", "after", "until", "by", "between", "and"])


class Rule(NamedTuple):
    """How an expression is found and read.

    `weak` ones ("Mai", "11.12.") are other things too: without a year they need a preposition. `topical` ones
    ("Bundestagswahl") say what the question is about besides when.
    """

    pattern: str
    read: Callable[[Words, Known], Reading | None]
    weak: bool = False
    topical: bool = False


RULES = {
    "iso day": Rule(r"(?<!-)(?P<year>(?:19|20)[0-9]{2})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?!-)", read.read_date),
    "iso month": Rule(r"(?<!-)(?P<year>(?:19|20)[0-9]{2})-(?P<month>0[1-9]|1[0-2])(?!-)", read.read_month),
    "month slash year": Rule(rf"(?<![/.-])(?P<month>0?[1-9]|1[0-2])/{_YEAR}", read.read_month),
    "dotted date": Rule(rf"{_DAY}\.\s?(?P<month>[0-9]{{1,2}})\.\s?{_YEAR_DIGITS}", read.read_date),
    "short date": Rule(
        rf"{_DAY}\.\s?(?P<month>[0-9]{{1,2}})\.(?P<short>[0-9]{{2}})?(?!\.?[0-9])", read.read_date, weak=True
    ),
    "date": Rule(
        rf"(?:{_WEEKDAY},?\s+(?:de[nm]\s+|the\s+)?)?{_DAY}(?:\.|st|nd|rd|th)?\s*(?:of\s+)?{_MONTH}{_IN_SOME_YEAR}?",
        read.read_date,
    ),
    "english date": Rule(rf"{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?{_IN_YEAR}", read.read_date),
    "english day": Rule(rf"(?:{_ON_A_DAY}){_MONTH}\s+{_DAY}(?:st|nd|rd|th)?", read.read_date),
    "day": Rule(rf"{_DAY}(?:\.|st|nd|rd|th)?", read.read_date, weak=True),
    "month": Rule(rf"(?:{_PART})?{_MONTH}{_IN_SOME_YEAR}?", read.read_month, weak=True),
    "half of month": Rule(rf"{_ORDINAL}{_MONTH}[-\s]?hälfte{_IN_SOME_YEAR}?", read.read_half_of_month),
    "half of month after": Rule(
        rf"{_ORDINAL}(?:hälfte|half)\s+(?:des\s+(?:monats\s+)?|im\s+|of\s+){_MONTH}{_IN_SOME_YEAR}?",
        read.read_half_of_month,
    ),
    "week of month": Rule(rf"{_ORDINAL_OR_LAST}{_MONTH}-?woche{_IN_SOME_YEAR}?", read.read_week_of_month),
    "week of month after": Rule(
        rf"{_ORDINAL_OR_LAST}(?:woche|week)\s+(?:des\s+|im\s+|of\s+|in\s+){_MONTH}{_IN_SOME_YEAR}?",
        read.read_week_of_month,
    ),
    "calendar week": Rule(
        rf"(?:kw|kalenderwoche|calendar\s+week)\s*(?P<week>[0-9]{{1,2}})(?:(?:\s*/\s*|,?\s+{_OF}){_YEAR_DIGITS})?",
        read.read_calendar_week,
    ),
    "ordinal calendar week": Rule(
        rf"(?P<week>[0-9]{{1,2}})\.\s*(?:kw|kalenderwoche){_IN_SOME_YEAR}?", read.read_calendar_week
    ),
    "months of year": Rule(
        rf"(?P<edge>ersten|letzten|first|last)\s+{_NUMBER}(?P<unit>monaten?|months)\s+{_OF}{_YEAR}",
        read.read_months_of_year,
    ),
    "turn of the year": Rule(
        rf"(?P<turn>jahreswechsel|turn\s+of\s+the\s+year|zwischen\s+den\s+jahren){_IN_SOME_YEAR}?"
        r"(?:\s?[/–-]\s?(?P<next>[0-9]{2,4}))?",
        read.read_turn_of_year,
    ),
    "edge of year": Rule(
        rf"(?P<part>jahresanfang|jahresbeginn|jahresmitte|jahresende){_IN_SOME_YEAR}?", read.read_year, weak=True
    ),
    "last month name": Rule(rf"(?:letzte[nr]|vorigen|vergangenen|last)\s+{_MONTH}", read.read_last_month),
    "year": Rule(_YEAR, read.read_year),
    "part of year": Rule(rf"{_PART}{_YEAR_DIGITS}", read.read_year),
    "season": Rule(rf"{_SEASON}", read.read_season, weak=True),
    "last season": Rule(rf"{_BACK}{_SEASON}", read.read_season),
    # "Corona-Frühjahr 2020", "Hitzesommer 2018"
    "season of": Rule(
        rf"[\w-]{{0,20}}?{_SEASON}{_IN_SOME_YEAR}(?:\s?[/–-]\s?(?P<next>[0-9]{{2,4}}))?", read.read_season
    ),
    "fall": Rule(rf"(?<!im )(?P<season>fall){_IN_YEAR}", read.read_season),
    "last fall": Rule(r"(?P<back>last|this)\s+(?P<season>fall)", read.read_season),
    "quarter": Rule(
        rf"{_ORDINAL}(?P<fraction>quartals?|(?<=[dht] )quarter|halbjahre?s?){_IN_SOME_YEAR}?",
        read.read_fraction,
        weak=True,
    ),
    "half": Rule(
        rf"{_ORDINAL}(?P<fraction>jahreshälfte|hälfte|half){_IN_SOME_YEAR}",
        read.read_fraction,
    ),
    "q": Rule(
        rf"(?P<fraction>[qh])(?P<ordinal>[1-4])(?:(?:\s*/\s*|\s+{_OF}){_YEAR_DIGITS})?", read.read_fraction, weak=True
    ),
    "year q": Rule(r"(?P<year>(?:19|20)[0-9]{2})[\s/-]{1,3}(?P<fraction>[qh])(?P<ordinal>[1-4])", read.read_fraction),
    "decade": Rule(rf"(?:{_PART}|the\s+)?(?P<decade>(?:19|20)[0-9]0)(?:er|s|ern)(?:[\s-]jahren?)?", read.read_decade),
    "short decade": Rule(
        rf"(?:{_PART})?(?P<decade>[0-9]0(?=er)|{'|'.join(DECADE_WORDS)})(?:er)?(?:[\s-]?jahren?|n)", read.read_decade
    ),
    "english decade": Rule(rf"(?:{_PART}|(?<=the ))(?P<decade>[0-9]0)s", read.read_decade),
    "feast": Rule(rf"{_any('feast', FEAST_WORDS)}{_IN_SOME_YEAR}?", read.read_feast, topical=True),
    # An election is a day only where something lies before or after it.
    "election": Rule(
        rf"(?:{_SOMETHING_BEFORE})(?:(?P<back>letzten)\s+)?bundestagswahl(?:en)?{_IN_YEAR}?",
        read.read_election,
        topical=True,
    ),
    "english election": Rule(
        rf"(?:{_SOMETHING_BEFORE})(?:{_YEAR}\s+)?{_ELECTION}", read.read_election, topical=True
    ),
    "english election in": Rule(rf"(?:{_SOMETHING_BEFORE}){_ELECTION}{_IN_YEAR}", read.read_election, topical=True),
    "unit": Rule(rf"(?:{_PART})?{_BACK}{_SINGLE_UNIT}", back.read_unit),
    "part of unit": Rule(rf"{_any('part', PART_WORDS)}\s+(?:de[rs]|of\s+the)\s+{_SINGLE_UNIT}", back.read_unit),
    "day word": Rule(
        rf"(?P<dayword>(?<!noch )(?:(?<!von )|{_REPORTS_OF})(?<!immer )(?<!ab )heute(?!\s+{_NOWADAYS})"
        rf"|heutige[mnrs]?(?=\s+{_OF_TODAY})|vorgestern|gestern|gestrige[mnrs]?|today|tonight|(?:the\s+)?day\s+before\s+yesterday|yesterday)"
        r"(?:\s+(?:früh|morgen|vormittag|mittag|nachmittag|abend|nacht))?",
        back.read_day_word,
    ),
    "weekday": Rule(
        rf"(?:{_BACK})?{_WEEKDAY}(?:früh|morgen|vormittag|mittag|nachmittag|abend|nacht|\s+(?:morning|afternoon|night))?",
        back.read_weekday,
        weak=True,
    ),
    "weekend": Rule(rf"(?:{_BACK})?(?:wochenende|weekend)", back.read_weekend, weak=True),
    "span": Rule(
        rf"(?:letzte[nr]?|vergangene[nr]?|last|past|previous)\s+(?:{_NUMBER})?{_MANY_UNITS}", back.read_span
    ),
    "half year": Rule(
        r"(?P<half>letzte[ns]|vergangene[ns]|last|past)\s+(?:halbe[ns]?\s+jahr(?:es)?|half\s+(?:a\s+)?year)",
        back.read_span,
    ),
    "ago": Rule(rf"vor\s+{_ABOUT}{_NUMBER}{_UNIT}", back.read_ago),
    "english ago": Rule(rf"{_ABOUT}{_NUMBER}{_UNIT}\s+ago", back.read_ago),
    "duration": Rule(rf"seit\s+{_ABOUT}{_NUMBER}{_UNIT}", back.read_duration),
}  # fmt: skip
