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
from difflib import get_close_matches
from functools import cache, lru_cache

from archive.compounds import compound_parts, spelled_out
from server.function_words import FUNCTION_WORDS
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
_ALIASES = (
    ("usa", "us", "vereinigte staat", "amerika", "washington"), ("eu", "europäische union", "europ", "brüssel"),
    ("un", "uno", "uno", "vereinte nation", "united nation"), ("großbritannien", "brit", "england", "engl", "uk"),
    ("deutsch", "german", "bundes", "berlin"), ("frankreich", "franzos", "französ", "french", "france"),
    ("ital",), ("russ", "moskau", "kreml"), ("chin", "peking"), ("türk", "turk"), ("pol",), ("span", "spain"),
    ("israel",), ("österreich", "austria"), ("schweiz", "swiss"), ("niederl", "holl", "dutch"), ("japan",),
    ("griech", "greek"), ("schwed", "swed"), ("ukrain",), ("kana",), ("ind",), ("austral",), ("norweg", "norw"),
    ("dän", "dan"), ("belg",), ("tschech", "czech"), ("ungar", "hungar"), ("afghan",), ("ägypt", "egypt"),
    ("mexi",), ("brasil", "brazil"), ("südkorea", "korea"), ("nordkorea", "korea"), ("venezuela", "venezol"),
)  # fmt: skip
_COUNTRY_ENDING = re.compile(
    r"(?:i?sch(?:e[nrsm]?)?|e[nrsm]?|ern?|ens?|n|s|in(?:nen)?|an|ian|ese|ien|iens|ei|is|da|isch\w*)?"
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
    return bool(_SHAPED.fullmatch(word) or word.lower() in _NAMES or _countries(fold(word)))


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


class Mentions:
    """The words of a text, as names are looked up in them."""

    def __init__(self, text: str) -> None:
        words = [match[0] for match in WORD.finditer(text)]
        folded = [fold(word) for word in words]
        self.words = frozenset(folded)
        self._folded = f" {' '.join(folded)} "
        self._countries = frozenset(country for word in self.words for country in _countries(word))
        self._countries |= {number for number, phrases in _PHRASES if any(phrase in text.lower() for phrase in phrases)}
        self._capitals = [spelled_out(word.lower()) for word in words if word[0].isupper()]

    def hold(self, name: str) -> bool:
        """Whether a folded name is among them.

        Forms of it count (`Merkels`), adjectives and people of a place (`italienisch`), and what an acronym stands for.
        """
        if name in self.words or any(form in self.words for form in _forms(name)):
            return True
        if not self._countries.isdisjoint(_countries(name)):
            return True
        return len(name) <= 5 and self._spell(name)

    def hold_whole(self, given: str, surname: str) -> bool:
        """Whether two folded names stand side by side."""
        return f" {given} {surname.removesuffix('s')}" in self._folded

    def hold_nearly(self, name: str) -> bool:
        """Whether a folded name is among them, if need be with a letter wrong."""
        return self.hold(name) or bool(len(name) > 5 and get_close_matches(name, self.words, 1, 0.88))

    def _spell(self, acronym: str) -> bool:
        """Whether capitals in a row spell an acronym: Europäische Zentralbank, EZB."""
        capitals = self._capitals
        return any(
            word[0] == acronym[0]
            and any(_abbreviates(acronym, capitals[start : start + count]) for count in range(1, len(acronym) + 1))
            for start, word in enumerate(capitals)
        )


_FORM_ENDINGS = ("s", "n", "en", "es", "er", "ern", "isch", "ische", "ischen", "ischer", "isches")


@lru_cache(maxsize=50_000)
def _forms(name: str) -> tuple[str, ...]:
    """The other forms of a folded name: declined, the adjective and people of a place; and what it is a form of."""
    grown = [name + ending for ending in (_FORM_ENDINGS if len(name) > 3 else "s")]
    shrunk = [name[: -len(end)] for end in _FORM_ENDINGS if name.endswith(end) and len(name) - len(end) >= 3]
    if name.endswith("en") and len(name) > 5:
        grown += [name[:-1] + "r", name[:-1] + "rn", name + "er"]  # Bremen, Bremer; Göttingen, Göttinger
    return tuple(form for stem in (*shrunk, name) for form in (stem, stem + "s")) + tuple(grown)


@lru_cache(maxsize=50_000)
def _countries(word: str) -> frozenset[int]:
    """The places that a folded word may mean."""
    return frozenset(number for stem, number in _COUNTRIES.get(word[:2], ()) if _of_country(word, stem))


_COUNTRIES: dict[str, list[tuple[str, int]]] = {}
for _number, _stems in enumerate(_ALIASES):
    for _stem in map(fold, _stems):
        if " " not in _stem:
            _COUNTRIES.setdefault(_stem[:2], []).append((_stem, _number))
_PHRASES = [
    (number, phrases) for number, stems in enumerate(_ALIASES) if (phrases := [stem for stem in stems if " " in stem])
]


def _of_country(word: str, stem: str) -> bool:
    if len(stem) <= 3:
        return word == stem or (stem not in ("eu", "un", "uno", "us", "usa", "uk") and _declined(word, stem))
    return word.startswith(stem) and (len(stem) > 4 or _declined(word, stem))


def _declined(word: str, stem: str) -> bool:
    return word.startswith(stem) and _COUNTRY_ENDING.fullmatch(word[len(stem) :]) is not None


@lru_cache(maxsize=10_000)
def _initials(word: str) -> str:
    """The first letters of a folded word's parts."""
    sizes = sorted({len(part) for part in compound_parts(word) if word.startswith(part)})[:2]
    return word[0] + "".join(word[size] for size in sizes if size < len(word))


def _abbreviates(acronym: str, words: Sequence[str]) -> bool:
    """Whether an acronym's letters are the first ones of the words and of the parts of compounds."""
    return len(acronym) >= 2 and "".join(map(_initials, words)) == acronym
