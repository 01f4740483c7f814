"""The words that say when, in German and English, as tables and as the patterns made of them."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from server.periods.days import Part

Unit = Literal["day", "week", "month", "quarter", "year", "decade"]
_Meaning = TypeVar("_Meaning")

_WITHOUT_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _spelled(words: Mapping[str, _Meaning]) -> dict[str, _Meaning]:
    """The words with those spellings that a keyboard without umlauts gives them."""
    return {**words, **{word.translate(_WITHOUT_UMLAUTS): meaning for word, meaning in words.items()}}


def spelled_pattern(pattern: str) -> str:
    """A pattern that takes "ue" for "ü" and so on; it may hold no umlaut in a lookbehind or a set."""
    return "".join(
        f"(?:{letter}|{_WITHOUT_UMLAUTS[ord(letter)]})" if letter in "äöüß" else letter for letter in pattern
    )


MONTH_WORDS = _spelled({
    "januar": 1, "january": 1, "jänner": 1, "jan": 1, "februar": 2, "february": 2, "feb": 2, "märz": 3,
    "march": 3, "mrz": 3, "mär": 3, "mar": 3, "april": 4, "apr": 4, "mai": 5, "may": 5, "juni": 6, "june": 6, "jun": 6,
    "juli": 7, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "oktober": 10,
    "october": 10, "okt": 10, "oct": 10, "november": 11, "nov": 11, "dezember": 12, "december": 12, "dez": 12,
    "dec": 12,
})  # fmt: skip
WEEKDAY_WORDS = {
    "montag": 0, "monday": 0, "dienstag": 1, "tuesday": 1, "mittwoch": 2, "wednesday": 2, "donnerstag": 3,
    "thursday": 3, "freitag": 4, "friday": 4, "samstag": 5, "sonnabend": 5, "saturday": 5, "sonntag": 6, "sunday": 6,
}  # fmt: skip
SEASON_WORDS = _spelled({
    "frühjahr": "spring", "frühling": "spring", "spring": "spring", "sommer": "summer", "summer": "summer",
    "herbst": "autumn", "autumn": "autumn", "fall": "autumn", "winter": "winter",
})  # fmt: skip
PART_WORDS: dict[str, Part] = {
    "anfang": "start", "anfangs": "start", "beginn": "start", "early": "start", "beginning": "start", "start": "start",
    "jahresanfang": "start", "jahresbeginn": "start", "jahresmitte": "middle", "jahresende": "end",
    "mitte": "middle", "mid": "middle", "middle": "middle", "ende": "end", "late": "end", "end": "end",
}  # fmt: skip
FEAST_WORDS = {
    "weihnachten": "weihnachten", "christmas": "weihnachten", "heiligabend": "heiligabend",
    "christmas eve": "heiligabend", "silvester": "silvester", "new year's eve": "silvester", "neujahr": "neujahr",
    "new year's day": "neujahr", "halloween": "halloween", "tag der deutschen einheit": "einheit",
    "rosenmontag": "rosenmontag", "aschermittwoch": "aschermittwoch", "karfreitag": "karfreitag",
    "good friday": "karfreitag", "ostern": "ostern", "easter": "ostern", "ostersonntag": "ostersonntag",
    "easter sunday": "ostersonntag", "ostermontag": "ostermontag", "easter monday": "ostermontag",
    "christi himmelfahrt": "himmelfahrt", "pfingsten": "pfingsten", "pentecost": "pfingsten",
    "fronleichnam": "fronleichnam",
}  # fmt: skip
ORDINAL_WORDS = {
    "erst": 1, "first": 1, "1": 1, "zweit": 2, "second": 2, "2": 2, "dritt": 3, "third": 3, "3": 3, "viert": 4,
    "fourth": 4, "4": 4,
}  # fmt: skip
DECADE_WORDS = {"achtziger": 80, "neunziger": 90, "nuller": 0, "zehner": 10, "zwanziger": 20}
UNIT_WORDS: dict[str, Unit] = {
    "tag": "day", "tage": "day", "tagen": "day", "day": "day", "days": "day",
    "woche": "week", "wochen": "week", "week": "week", "weeks": "week",
    "monat": "month", "monats": "month", "monate": "month", "monaten": "month", "month": "month", "months": "month",
    "quartal": "quarter", "quartals": "quarter", "quartale": "quarter", "quartalen": "quarter", "quarter": "quarter",
    "quarters": "quarter", "jahr": "year", "jahres": "year", "jahre": "year", "jahren": "year", "year": "year",
    "years": "year", "jahrzehnt": "decade", "jahrzehnten": "decade", "jahrzehnte": "decade", "decade": "decade",
    "decades": "decade",
}  # fmt: skip
# How many units ago something was that lies in the last, the one before, or the present one.
BACK_WORDS = {
    "dies": 0, "laufend": 0, "this": 0, "letzt": 1, "vorig": 1, "vergangen": 1, "last": 1, "past": 1, "previous": 1,
    "vorletzt": 2, "vorvergangen": 2, "vorvorig": 2,
}  # fmt: skip
NUMBER_WORDS = _spelled({
    "ein": 1, "eine": 1, "einem": 1, "einer": 1, "einen": 1, "a": 1, "an": 1, "one": 1, "zwei": 2, "two": 2, "drei": 3,
    "three": 3, "vier": 4, "four": 4, "fünf": 5, "five": 5, "sechs": 6, "six": 6, "sieben": 7, "seven": 7, "acht": 8,
    "eight": 8, "neun": 9, "nine": 9, "zehn": 10, "ten": 10, "elf": 11, "eleven": 11, "zwölf": 12, "twelve": 12,
    "zwanzig": 20, "twenty": 20, "einem halben": 0.5, "ein halbes": 0.5, "half a": 0.5, "anderthalb": 1.5,
})  # fmt: skip
# What "die letzten Wochen" or "vor einigen Wochen" reach back to when nobody counts.
UNCOUNTED: dict[Unit, int] = {"day": 7, "week": 4, "month": 6, "quarter": 3, "year": 5, "decade": 3}
