"""What an answer says that stands in none of its sources: figures, names, quotations.

A simple and strict reading, independent of the server's own check of citations, which it judges. A name is a word with
a capital letter, and German writes all nouns with one: those that are plainly common nouns (by their ending, by an
article before a known word, or very frequent in German and hardly known in English) are not counted, all others are.
Some of what is counted will be no invention, so the report shows each.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from archive.articles import TIME_ZONE, german_date
from archive.compounds import compound_parts
from evaluation.figures import MONTH_NUMBERS, figures_in, keys_of, keys_of_moment, month_key
from evaluation.given import Evidence, without_citations
from server.function_words import FUNCTION_WORDS

_WORD = re.compile(r"[^\W\d_]\w*")
_TOKEN = re.compile(r"[^\W\d_]\w*|\d+")
# What stands in German marks may hold another quotation.
_QUOTATION = re.compile(
    r"„((?:[^„“”]|„[^„“”]*[“”])+)[“”]|„([^„“”\"]+)\"|“([^“”]+)”|\"([^\"\n]+)\"|»([^»«]+)«|«([^»«]+)»"
)
_QUOTES = re.compile(r"[„“”\"»«‚‘’'‹›\\]")  # and the backslash that Markdown sets before brackets
_DASHES = re.compile("[\u2010-\u2015]")
_LEFT_OUT = re.compile(r"\[\s*(?:…|\.\.\.)\s*\]|…|\.\.\.")
_ENDINGS = ("ern", "em", "en", "er", "es", "e", "s", "n")
_NOUN = re.compile(
    r"(?:\w{5}ung(?:en|s)?|(?:heit|keit|schaft|tion|ität)(?:en)?|ismus|nis(?:se[ns]?|ses)?|rinn?(?:en)?)$"
)
_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_ALWAYS = frozenset({*MONTH_NUMBERS, *(day.lower() for day in _WEEKDAYS)})  # names of times are never common nouns
# Places and companies whose names are as frequent in German alone as common nouns are, or follow an article.
_NAMES = frozenset(
    """
    deutschland österreich schweiz frankreich italien spanien griechenland türkei russland polen ungarn tschechien
    rumänien bulgarien kroatien serbien slowenien slowakei schweden norwegen finnland dänemark niederlande belgien
    luxemburg irland island schottland england großbritannien europa asien afrika amerika australien ägypten libyen
    syrien irak iran israel jordanien libanon indien japan südkorea nordkorea brasilien argentinien mexiko kanada
    münchen köln nürnberg wien zürich genf rom mailand venedig florenz neapel paris brüssel lissabon athen moskau
    warschau prag kopenhagen kairo peking bayern hessen sachsen thüringen niedersachsen westfalen schleswig holstein
    brandenburg mecklenburg vorpommern pfalz rheinland saarland württemberg bundestag bundesrat bundesliga
    ukraine telekom lufthansa siemens daimler bosch
    """.split()
)
# What stands before common nouns, and seldom before a name.
_DETERMINERS = frozenset(
    """
    der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner sein seine seinen seinem
    seiner ihr ihre ihren ihrem ihrer dieser diese dieses diesen diesem jeder jede jedes jeden jedem alle allen am im
    vom zum zur beim ins ans zwei drei vier fünf sechs sieben acht neun zehn elf zwölf mehrere mehreren viele vielen
    einige einigen wenige wenigen hundert tausend millionen milliarden the a an
    """.split()
)
_ADJECTIVE = re.compile(r"[^\W\dA-ZÄÖÜ_]{3,}(?:e|en|er|es|em)")
# Zipf values, powers of ten in a billion words: surnames of the famous lie between.
_KNOWN = 3.0
_FREQUENT = 4.25
_APART = 2.0  # steps by which a common German noun is more frequent in German than in English text
_COMMON_ENGLISH = 5.0  # of words that begin English sentences


class Sources:
    """What an answer may say: titles, dates and whole texts of the articles it was shown, and what was asked."""

    def __init__(self, shown: Iterable[Evidence], question: str = "") -> None:
        texts, self._figures = [question], set(keys_of(question))
        for evidence in shown:
            text = f"{evidence.title}\n{evidence.text}"
            self._figures |= keys_of(text)
            if evidence.published is not None:
                self._figures |= keys_of_moment(evidence.published)
                local = evidence.published.astimezone(TIME_ZONE)
                text += f"\n{german_date(evidence.published)} {_WEEKDAYS[local.weekday()]}"
            texts.append(text)
        self._wordings = [_wording(text) for text in texts]
        words = {_folded(word) for text in texts for word in _WORD.findall(_levelled(text))}
        self._words, self._stems = words, {_stem(word) for word in words}
        self._all = " ".join(sorted(words))
        self._months = {MONTH_NUMBERS[word] for word in _lowered(texts) if word in MONTH_NUMBERS}

    def foreign_figures(self, text: str) -> tuple[str, ...]:
        """Figures of a text without citations that none of the sources bears out."""
        return tuple(written for written, keys in figures_in(text) if not keys & self._figures)

    def foreign_names(self, text: str) -> tuple[str, ...]:
        """Words that may be names and stand in no source in any form."""
        words = ["", "", *_TOKEN.findall(_levelled(text))]
        placed = zip(words, words[1:], words[2:], strict=False)
        found = [word for *before, word in placed if _is_name(word, *before) and not self._knows(word)]
        return tuple(dict.fromkeys(found))

    def _knows(self, word: str) -> bool:
        if (month := MONTH_NUMBERS.get(word.lower())) is not None:
            return month in self._months or month_key(month) in self._figures
        folded = _folded(word)
        stem = _stem(folded)
        if folded in self._words or stem in self._stems:
            return True
        if len(stem) >= 4 and stem in self._all:  # part of a longer word: Hamburg in Hamburger, Konzern in Chipkonzern
            return True
        return any(
            len(known) >= 4 and folded.startswith(known) and len(folded) - len(known) <= 3 for known in self._stems
        )

    def holds_verbatim(self, quotation: str) -> bool:
        """Whether one source has all parts of a quotation; its first letter may be of either case."""
        parts = [_wording(part).strip(" .,;:!?") for part in _LEFT_OUT.split(without_citations(quotation))]
        return any(all(_stands(part, wording) for part in parts if part) for wording in self._wordings)


def quotation_ends(text: str) -> list[tuple[int, str]]:
    """(where it ends, what it says) for each quotation of a text."""
    found = ((match.end(), "".join(group or "" for group in match.groups())) for match in _QUOTATION.finditer(text))
    return [(end, said.strip()) for end, said in found if said.strip()]


def _stands(part: str, wording: str) -> bool:
    return any(form in wording for form in (part, part[0].lower() + part[1:], part[0].upper() + part[1:]))


def _wording(text: str) -> str:
    """A text as it is compared word for word: whatever shape its quotes, dashes and spaces have."""
    return " ".join(_DASHES.sub("-", _QUOTES.sub("", _levelled(text))).split())


def _levelled(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u00ad", "").replace("\u200b", "")


def _lowered(texts: Iterable[str]) -> set[str]:
    return {word.lower() for text in texts for word in _WORD.findall(text)}


def _folded(word: str) -> str:
    return word.lower().replace("ß", "ss").replace("ä", "a").replace("ö", "o").replace("ü", "u")


def _stem(word: str) -> str:
    """A folded word without one ending, as long as three letters stay."""
    return next((word.removesuffix(end) for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= 3), word)


@lru_cache(maxsize=50_000)
def _is_name(word: str, second: str, before: str) -> bool:
    """Whether a word may be a name, after the words `second` and `before`, which are "" at the beginning."""
    low = word.lower()
    if len(word) < 2 or low == word or low in FUNCTION_WORDS:
        return False
    if low in _ALWAYS or low in _NAMES or word[1:] != low[1:]:  # initials and mixed case are no common nouns
        return True
    if _NOUN.search(low):
        return False
    adjective = _ADJECTIVE.fullmatch(before) is not None and second.lower() in _DETERMINERS
    if before.isdigit() or before.lower() in _DETERMINERS or adjective:
        return not (compound_parts(low) or _frequency(low, "de") >= _KNOWN)
    if not before and _frequency(low, "en") >= _COMMON_ENGLISH:
        return False
    # Two words with capital letters in a row: a name with its title, or a first name with its last.
    follows_name = before[:1].isupper() and before.lower() not in FUNCTION_WORDS
    german, english = _frequency(low, "de"), _frequency(low, "en")
    return follows_name or german < _FREQUENT or german - english < _APART


def _frequency(low: str, language: str) -> float:
    from wordfreq import zipf_frequency

    return zipf_frequency(low, language, "small")
