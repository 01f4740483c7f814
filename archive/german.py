"""German text as the words of a search: what is indexed, what is looked up, and what a phrase means are one analysis.

Four things come out of a text. Stems carry the search: Snowball's German stemmer also levels umlauts and how they are
spelled without (groesste, größte). Names are what stems tear apart and yet is one word: `17.4.1`, `C++`, `c't`. Both
together are the terms of a text. Parts are those of compounds. The wording is what phrases are looked up in.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import tantivy
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from archive.compounds import compound_parts, spelled_out

_LONGEST_WORD = 100  # bytes; what is longer is no word
_LOAN_PLURALS = ("as", "is", "os", "us", "ys", "ps")

# Soft hyphens, zero-width characters and marks of direction split a word that looks whole; apostrophes and hyphens come
# in many shapes out of typesetting.
_ODD = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff’‘ʼ`´\u2010\u2011]")
_LEVELLED = {**dict.fromkeys("’‘ʼ`´", "'"), "\u2010": "-", "\u2011": "-"}

_WORD = re.compile(r"[^\W_]+")
_NAME_PIECE = r"(?:(?<![\w.])\.(?=[^\W\d_]))?[^\W_]+(?:[.'/&+:*_][^\W_]+)*(?:\+\+|[+#](?!\w))?"
_NAME = re.compile(rf"{_NAME_PIECE}(?:-{_NAME_PIECE})*")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_GENDERED = re.compile(r"(?<=[^\W\d_])[:*_](?=[^\W\d_])")  # Nutzer:innen is Nutzerinnen, but 16:9 is not 169
_VERSION = re.compile(r"\d+(?:\.\d+){2,5}")
_LONGEST_CHAIN = 5  # pieces between hyphens whose every run is a name


def normalized(text: str) -> str:
    """Compatibility-composed (NFKC), without what no eye sees, fit for UTF-8. Every function here expects it."""
    levelled = _ODD.sub(lambda odd: _LEVELLED.get(odd[0], ""), text)
    return unicodedata.normalize("NFKC", levelled).encode("utf-8", "replace").decode()


def space_analyzer() -> tantivy.TextAnalyzer:
    """What lies between spaces, as it is: for the fields of the index, whose words are made here."""
    return TextAnalyzerBuilder(Tokenizer.whitespace()).build()


_SPLIT_AND_STEM = (
    TextAnalyzerBuilder(Tokenizer.simple())
    .filter(Filter.remove_long(_LONGEST_WORD))
    .filter(Filter.lowercase())
    .filter(Filter.stopword("german"))
    .filter(Filter.stemmer("german"))
    .build()
)
_STEM = (
    TextAnalyzerBuilder(Tokenizer.raw())
    .filter(Filter.remove_long(_LONGEST_WORD))
    .filter(Filter.stemmer("german"))
    .build()
)


def stems(text: str) -> list[str]:
    """The stems of a normalized text's words but function words, in order."""
    return [_without_plural(found) for found in _SPLIT_AND_STEM.analyze(text)]


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of one lower-case word, function word or not; empty for none."""
    return "".join(map(_without_plural, _STEM.analyze(word)))


def _without_plural(stem: str) -> str:
    """Snowball leaves the plurals of loan words (Apps, Kameras, Akkus); Haus and Preis are none."""
    return stem[:-1] if stem.endswith(_LOAN_PLURALS) and len(stem) > 3 and not stem.endswith(("aus", "eis")) else stem


def words(text: str) -> list[str]:
    """The words of a normalized text in lower case, in order, function words too."""
    return _WORD.findall(text.lower())


def wording(text: str) -> str:
    """A normalized text as phrases are looked up in it: every word, in lower case, umlauts spelled out, one space."""
    return spelled_out(" ".join(words(text)))


def tokens(text: str) -> list[str]:
    """What stands between spaces and punctuation, in lower case: words, names, and both in chains of hyphens."""
    return _NAME.findall(text.lower())


def names(text: str) -> Iterator[str]:
    """The names in a normalized text, see `names_of`, in order."""
    return (name for token in tokens(text) if not token.isalnum() for name in names_of(token))


def names_of(token: str) -> Iterator[str]:
    """A token that `words` tears apart, in one spelling: gpt4 for gpt-4, ai for a.i.; none for a plain word.

    A version comes with what it is a version of, 17.4 with 17.4.1, and a chain of hyphens with all that it holds:
    c't-test-labor with c't, c'ttest and testlabor.
    """
    pieces = token.split("-")
    count = len(pieces)
    spans = [(0, count)] if count > _LONGEST_CHAIN else _spans(count)
    for start, stop in spans:
        if stop - start > 1 or not pieces[start].isalnum():
            yield _chained([_spelled(piece) for piece in pieces[start:stop]])
    for piece in filter(_VERSION.fullmatch, pieces):
        numbers = piece.split(".")
        yield from (".".join(numbers[:length]) for length in range(2, len(numbers)))


def _spans(count: int) -> list[tuple[int, int]]:
    return [(start, stop) for start in range(count) for stop in range(start + 1, count + 1)]


def _spelled(piece: str) -> str:
    return piece.replace(".", "") if _INITIALS.fullmatch(piece) else _GENDERED.sub("", piece)


def _chained(pieces: Sequence[str]) -> str:
    """Joined without the hyphens but for those between figures: gpt4, yet 2024-3094."""
    return re.sub(r"(?<!\d)-|-(?!\d)", "", "-".join(pieces))


def terms(text: str) -> list[str]:
    """The stems of a normalized text, and its names: what it is found by."""
    return [*stems(text), *map(stem, names(text))]


def parts(text: str) -> list[str]:
    """The stems of the parts of every compound in a normalized text, in order."""
    return [stem(part) for word in words(text) for part in compound_parts(word)]
