"""What an answer says that stands in none of its sources: figures, names, quotations.

A simple and strict reading, independent of the server's own check of citations, which it judges. A name is a word with
a capital letter, and German writes all nouns with one: those that are plainly common nouns (their ending, a compound, a
word frequent in German and hardly known in English) are not counted, all others are. Some of what is counted will be no
invention, so the report shows each.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from archive.articles import TIME_ZONE, german_date
from archive.compounds import compound_parts
from evaluation.figures import MONTH_NUMBERS, figures_in, keys_of, keys_of_moment
from evaluation.given import Evidence, without_citations
from server.function_words import FUNCTION_WORDS

_WORD = re.compile(r"[^\W\d_]\w*")
_TOKEN = re.compile(r"[^\W\d_]\w*|\d+")
_QUOTATION = re.compile(r"„([^“”\"„]+)[“”\"]|“([^“”]+)”|\"([^\"\n]+)\"|»([^»«]+)«|«([^»«]+)»")
_QUOTES = re.compile("[„“”\"»«‚‘’'‹›]")
_DASHES = re.compile("[\u2010-\u2015]")
_LEFT_OUT = re.compile(r"\[\s*(?:…|\.\.\.)\s*\]|…|\.\.\.")
_ENDINGS = ("ern", "em", "en", "er", "es", "e", "s", "n")
_NOUN = re.compile(
    r"(?:\w{5}ung(?:en|s)?|(?:heit|keit|schaft|tion|ität)(?:en)?|ismus|nis(?:se[ns]?|ses)?|rinn?(?:en)?)$"
)
_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_ALWAYS = frozenset({*MONTH_NUMBERS, *(day.lower() for day in _WEEKDAYS)})  # names of times are never common nouns
# Places whose German name is frequent in German alone, which otherwise tells common nouns from names.
_PLACES = frozenset(
    """
    deutschland österreich schweiz frankreich italien spanien griechenland türkei russland polen ungarn tschechien
    rumänien bulgarien kroatien serbien slowenien slowakei schweden norwegen finnland dänemark niederlande belgien
    luxemburg irland island schottland england großbritannien europa asien afrika amerika australien ägypten libyen
    syrien irak iran israel jordanien libanon indien japan südkorea nordkorea brasilien argentinien mexiko kanada
    münchen köln nürnberg wien zürich genf rom mailand venedig florenz neapel paris brüssel lissabon athen moskau
    warschau prag kopenhagen kairo peking bayern hessen sachsen thüringen niedersachsen westfalen schleswig holstein
    brandenburg mecklenburg vorpommern pfalz rheinland saarland württemberg bundestag bundesrat bundesliga telekom
    """.split()
)
# What stands before common nouns, never before a name.
_COUNTING = frozenset(
    """
    ein eine einen einem einer eines kein keine keinen keinem keiner zwei drei vier fünf sechs sieben acht neun zehn elf
    zwölf mehrere mehreren viele vielen einige einigen wenige wenigen hundert tausend millionen
    """.split()
)
_FREQUENT = 3.5  # Zipf value: three in a million words
_APART = 2.0  # Zipf steps by which a common German noun is more frequent in German than in English text
_COMMON_ENGLISH = 5.0  # Zipf value of words that begin English sentences


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
        words = _TOKEN.findall(_levelled(text))
        pairs = zip(["", *words], words, strict=False)
        found = [word for before, word in pairs if _is_name(word, before.lower()) and not self._knows(word)]
        return tuple(dict.fromkeys(found))

    def _knows(self, word: str) -> bool:
        if (month := MONTH_NUMBERS.get(word.lower())) is not None:
            return month in self._months or any(key.endswith(f".{month}") for key in self._figures)
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
def _is_name(word: str, before: str) -> bool:
    """Whether a word may be a name, after the word `before`, which is "" at the beginning."""
    low = word.lower()
    if len(word) < 2 or low == word or low in FUNCTION_WORDS:
        return False
    if low in _ALWAYS or low in _PLACES or word[1:] != low[1:]:  # initials and mixed case are no common nouns
        return True
    return not (_NOUN.search(low) or compound_parts(low) or _is_common(low, before))


def _is_common(low: str, before: str) -> bool:
    from wordfreq import zipf_frequency

    german, english = (zipf_frequency(low, language, "small") for language in ("de", "en"))
    if not before and english >= _COMMON_ENGLISH:
        return True
    counted = before.isdigit() or before in _COUNTING
    return german >= _FREQUENT and (counted or german - english >= _APART)
