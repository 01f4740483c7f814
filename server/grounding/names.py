"""Names in German text, whose nouns are capitalized too: people, organisations, places, products.

A capitalized word is taken for a name where it has the shape of one (`EZB`, `OpenAI`), stands beside another name, or
behaves unlike a noun in the lexicon: nouns come in several forms (Gericht, Gerichte) and as parts of other words
(Gerichtsurteil), names hardly do. A doubtful word is a name only where that costs nothing: a true sentence seldom
brings a rare word of its own.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from archive.compounds import compound_parts, spelled_out
from server.function_words import FUNCTION_WORDS
from server.grounding.countries import countries
from server.grounding.plain_words import PLAIN_WORDS

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]{2,})?(?:\.(?=[^\W\d_]{2,4}\b)[^\W\d_]+)?")
_SHAPED = re.compile(r"[^\W\d_]*[a-zäöüß][A-ZÄÖÜ][^\W\d_]*|[A-ZÄÖÜ]{2,}s?|[^\W\d_]+\.[a-z]{2,4}")
_NOUN_FORMS = ("e", "en", "n", "nen", "innen", "se", "es")
_NOUN_ENDINGS = (
    "ung", "heit", "keit", "schaft", "tion", "sion", "tät", "ment", "nis", "tum", "ismus", "ik", "ie", "enz", "anz",
    "ling", "ungen", "heiten", "keiten", "schaften", "tionen", "täten", "innen", "erin", "ende", "enden", "ierung",
)  # fmt: skip
_PRODUCTIVE = 6  # words of the lexicon that begin or end with a noun

# What the lexicon's forms don't tell: names that look like nouns, and nouns without other forms.
_NAMES = frozenset(
    """
    europa italien rom israel peter intel google twitter koch richter essen halle gabriel löw afrika asien amerika
    indien spanien belgien japan korea kuba iran irak bush ford opel audi ibm meta alpha merz lang klein groß wolf
    schwarz weiß braun bayern hessen sachsen thüringen trump musk mann roth union wien köln bonn ulm trier chrome
    """.split()
) - frozenset({"mann", "union", "lang", "klein", "groß", "schwarz", "weiß", "braun", "alpha", "meta"})
_NOUNS = frozenset(
    """
    angaben updates spam firma firmen software festival hotel kapitän union virus viren verdacht kabinett video
    server internet kanzler team chef job mail mails hersteller insolvenz politiker forscher ermittler experten euro
    dollar prozent cent mio mrd uhr ende anfang mitte jahr jahre tag tage woche monat mal leute eltern kosten daten
    medien ferien geschwister trojaner hacker nutzer kunden patienten opfer täter milliarden millionen code codes
    quellcode malware ransomware hardware app apps link links browser router cloud chip chips smartphone smartphones
    tablet laptop notebook netz support account accounts passwort website webseite online bug bugs patch patches tool
    tools blog forum chat bot bots roboter test tests demo fan fans star stars film
    """.split()
)


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalized word that is taken for a name, folded, and its place in the text.

    It is `sure` by its shape, as a known place, or beside another; `surname` is the name that follows it, if one does.
    """

    key: str
    start: int
    end: int
    sure: bool = False
    surname: str = ""


def fold(word: str) -> str:
    """Lower case, umlauts spelled out."""
    return spelled_out(word.lower())


@cache
def _lexicon() -> tuple[frozenset[str], Sequence[str], Sequence[str]]:
    """The forms of wordfreq's small German list: as a set, sorted, and sorted by their ends (reversed)."""
    from wordfreq import get_frequency_dict

    forms = get_frequency_dict("de", "small")
    return frozenset(forms), sorted(forms), sorted(form[::-1] for form in forms)


def _beginning(ordered: Sequence[str], prefix: str) -> int:
    return bisect_left(ordered, prefix + "\uffff") - bisect_left(ordered, prefix)


@lru_cache(maxsize=50_000)
def looks_like_name(word: str) -> bool:
    """Whether a capitalized word, by itself, is rather a name than a German noun."""
    low = word.lower()
    if _SHAPED.fullmatch(word) or low in _NAMES:
        return True
    if low in _NOUNS or low in FUNCTION_WORDS or low in PLAIN_WORDS or len(low) < 3:
        return False
    forms, by_start, by_end = _lexicon()
    if low.endswith(_NOUN_ENDINGS) or compound_parts(low):
        return False
    if low not in forms:
        return not _known_form(low, forms)
    if any(low + ending in forms for ending in _NOUN_FORMS):
        return False
    if any(low.endswith(ending) and low[: -len(ending)] in forms for ending in ("en", "n", "e", "es")):
        return False
    return _beginning(by_start, low) + _beginning(by_end, low[::-1]) - 2 < _PRODUCTIVE


def _known_form(low: str, forms: Collection[str]) -> bool:
    """Whether a rare word is a form of a common noun: Gerichts, Lebensläufen."""
    return any(
        low.endswith(ending) and (stem := low[: -len(ending)]) in forms and not looks_like_name(stem.capitalize())
        for ending in ("s", "es", "e", "en", "n", "er", "ern", "in", "innen")
    )


_MEASURES = frozenset(
    "prozent euro dollar millionen milliarden ende anfang mitte liter meter kilometer tonnen uhr".split()
)


def names(text: str) -> list[Name]:
    """The names of one sentence in order, each word by itself."""
    found: list[Name] = []
    words = list(WORD.finditer(text))
    for index, match in enumerate(words):
        word = match[0]
        if not word[0].isupper() and not _SHAPED.fullmatch(word):
            continue
        before = words[index - 1] if index and text[words[index - 1].end() : match.start()] in (" ", "-") else None
        first = _begins(text, match.start())
        if beside := before is not None and text[match.start() - 1] == " " and _beside(before, word, found):
            found[-1] = replace(found[-1], sure=True, surname=fold(word))
        if beside or _is_name(word, first):
            found.append(Name(fold(word), match.start(), match.end(), beside or _sure(word)))
    return found


def _sure(word: str) -> bool:
    return bool(_SHAPED.fullmatch(word) or word.lower() in _NAMES or countries(fold(word)))


def _begins(text: str, start: int) -> bool:
    return not re.search(r"[\w,;)]\W*$", text[:start]) or bool(re.search(r"[.!?:•*\n\d]\s*\W*$", text[:start]))


def _is_name(word: str, first: bool) -> bool:
    if first and word.lower() in _lexicon()[0] and not word.isupper():
        return word.lower() in _NAMES or (looks_like_name(word) and _mostly_name(word.lower()))
    return looks_like_name(word)


@lru_cache(maxsize=10_000)
def _mostly_name(low: str) -> bool:
    """Whether a sentence's first word is no adjective, verb or adverb by its form."""
    forms = _lexicon()[0]
    endings = ("e", "er", "es", "em", "en", "t", "te", "st")
    if low.endswith(("lich", "isch", "ig", "los", "bar", "weise", "dem", "her", "hin", "mal", "end", "dings")):
        return False
    if sum(low + ending in forms for ending in endings) >= 2:
        return False
    stems = [low[: -len(ending)] for ending in endings if low.endswith(ending) and len(low) > len(ending) + 2]
    return not any(sum(stem + ending in forms for ending in ("", *endings)) >= 3 for stem in stems)


def _beside(before: re.Match[str], word: str, found: Sequence[Name]) -> bool:
    """Whether a capitalized word goes on with the name before it: Andres Freund, Cozy Bear."""
    low = word.lower()
    if not found or found[-1].end != before.end() or before[0].lower() in _MEASURES or before[0].isupper():
        return False
    if low in FUNCTION_WORDS or low in PLAIN_WORDS or low in _NOUNS:
        return False
    return not low.endswith(_NOUN_ENDINGS) and not compound_parts(low)
