"""What a sentence claims: its figures, dates, identifiers and names, which must be found, and its other words."""

import re
from dataclasses import dataclass
from functools import lru_cache

from archive.compounds import compound_parts
from archive.german import stem
from server.function_words import FUNCTION_WORDS
from server.grounding.datings import Dating, blanked, datings
from server.grounding.identifiers import identifiers
from server.grounding.names import WORD, Name, fold, names
from server.grounding.plain_words import PLAIN_WORDS
from server.grounding.quantities import Quantity, quantities, with_clock
from server.grounding.synonyms import group_of

_LIST_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•–])\s+")
_MARKUP = re.compile(r"[*_#`]")
_STRICT_UNITS = frozenset({"%", "€", "$", "£", "chf", "btc", "m", "km", "t", "kg", "h", "min", "s", "mark"})
_NOUN, _OTHER = 1.5, 1.0
_ADDRESS = re.compile(
    r"(?:(?:https?|ftp|file|data|javascript|mailto):|\bwww\.)[^\s<>`\"„“”»«\[\]()]*[^\s<>`\"„“”»«\[\]().,;:!?]",
    re.IGNORECASE,
)
_VOWELS = re.compile(r"[aeiouy]")


@dataclass(frozen=True, slots=True)
class Word:
    """A content word: folded, with the forms it may be found by, nearest first, and what it weighs."""

    key: str
    weight: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence taken apart. Of `names` and `words` each is there once."""

    text: str
    quantities: tuple[Quantity, ...]
    datings: tuple[Dating, ...]
    identifiers: tuple[str, ...]
    names: tuple[Name, ...]
    words: tuple[Word, ...]
    addresses: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing at all is claimed."""
        return not (self.words or self.has_facts)

    @property
    def bare(self) -> bool:
        """Whether it is no more than a name or a number, which stands in many a passage: an item of a list."""
        return not self.words and len(self.quantities) + len(self.datings) + len(self.identifiers) < 2

    @property
    def has_facts(self) -> bool:
        """Whether there is a figure, date, identifier or name to be found."""
        return bool(self.quantities or self.datings or self.identifiers or self.names or self.addresses)


def claim_of(sentence: str) -> Claim:
    """Take a sentence apart. Each stretch of it counts once: as a date, an identifier, a figure, a name or a word."""
    whole = with_clock(_LIST_NUMBER.sub("", sentence))
    addresses = tuple(_ADDRESS.findall(whole))
    text = _MARKUP.sub(" ", _ADDRESS.sub(" ", whole))
    dates = [dating for dating in datings(text) if not (dating.only_year and _measured(text, dating))]
    undated = blanked(text, [(dating.start, dating.end) for dating in dates])
    named = identifiers(undated)
    plain = blanked(undated, [(start, end) for start, end, _ in named])
    figures = quantities(plain)
    rest = blanked(plain, [(figure.start, figure.end) for figure in figures])
    said = names(rest)
    words: dict[str, Word] = {}
    taken = {name.key for name in said}
    for match in WORD.finditer(rest):
        if counts(match[0]) and (key := fold(match[0])) not in taken:
            words[key] = Word(key, _NOUN if match[0][0].isupper() else _OTHER)
    return Claim(
        text, tuple(figures), tuple(dates), tuple(dict.fromkeys(key for _, _, key in named)),
        tuple({name.key: name for name in said}.values()), tuple(words.values()), addresses,
    )  # fmt: skip


def counts(word: str) -> bool:
    """Whether a word has content of its own."""
    low = word.lower()
    return len(low) > 2 and low not in FUNCTION_WORDS and low not in PLAIN_WORDS


def _measured(text: str, dating: Dating) -> bool:
    """Whether a number that could be a year is one of something: 2000 Euro."""
    return any(quantity.unit in _STRICT_UNITS for quantity in quantities(text[dating.start : dating.end + 12])[:1])


@lru_cache(maxsize=50_000)
def near_forms(word: str) -> frozenset[str]:
    """What a folded word has in common with other forms of it: its stem, with and without the ge- of participles."""
    base = stem(word) or word
    bare = re.sub(
        r"^(|ab|an|auf|aus|bei|ein|los|mit|nach|vor|weg|zu|zurueck|zusammen)ge(?=[^aeiou]?[^\W\d]{3})", r"\1", base
    )
    trimmed = {form[:-1] for form in (base, bare) if form.endswith("t") and len(form) > 4}
    return frozenset({base, bare, *trimmed})


@lru_cache(maxsize=50_000)
def far_forms(word: str) -> frozenset[str]:
    """What a folded word has in common with kindred ones: parts of compounds, a long beginning, consonants, meaning."""
    parts = {"+" + stem(part) for part in compound_parts(word) if len(part) > 3}
    parts |= {"+" + form for form in near_forms(word) if len(form) > 3}
    if len(word) >= 7:
        parts.add("^" + word[:6])
    skeleton = _VOWELS.sub("", max(near_forms(word), key=len))
    if len(skeleton) >= 4:
        parts.add("~" + skeleton)
    return frozenset(parts | {f"={group}" for form in near_forms(word) for group in group_of(form)})
