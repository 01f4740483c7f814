"""How much each word of a query counts in each field of the word index.

All of a word's fields count it as rare as it is where it is common: the index would take a word for rarer in titles, or
among the parts of compounds, only because those hold less. What a compound or a name consists of counts by its share
of the letters, so that whoever holds the whole comes first.
"""

import math
from collections.abc import Callable, Iterator

from archive import german
from archive.compounds import compound_parts, spelled_out

# Measured on GermanQuAD and on questions about an archive of news, chosen where both agree.
TITLE = 1.2  # a word in the title, against 1 in the text
PART = 0.3  # a word that is part of a compound there
HELD = 0.6  # a word there that is part of a compound in the query
SHARED_PART = 0.3  # a part of a compound there that is one of a compound in the query

_LONGEST_QUERY = 200  # words; a pasted article is still searched by its beginning
_SHORTEST_PIECE = 3  # letters between hyphens that count like a word of their own, so not the E of E-Mail

Weights = dict[tuple[str, str], float]  # {(field, term): boost}


def marked_part(stem: str) -> str:
    """The term for a compound's part, which is another than that of the same word standing alone."""
    return f"~{stem}"


def weigh(text: str, documents: int, frequency: Callable[[str, str], int]) -> Weights:
    """Boosts of the terms to look up, none for what isn't there. `frequency` is of documents, by field and term."""
    return _Weighing(documents, frequency).weigh(text)


class _Weighing:
    def __init__(self, documents: int, frequency: Callable[[str, str], int]) -> None:
        self._documents = documents
        self._frequency = frequency
        self._weights: Weights = {}

    def weigh(self, text: str) -> Weights:
        for token in list(dict.fromkeys(german.tokens(german.normalized(text))))[:_LONGEST_QUERY]:
            for word, share in _words_of(token):
                self._add_word(word, share)
            names = list(german.names_of(token))
            for name in names:
                self._add_stem(german.stem(name), len(name) / max(map(len, names)), 0.0)
        return self._weights

    def _add_word(self, word: str, share: float) -> None:
        for stem in german.stems(word):
            self._add_stem(stem, share, share * PART)
            for part in compound_parts(word):
                held = share * len(part) / len(spelled_out(word))
                self._add_stem(german.stem(part), held * HELD, held * SHARED_PART)

    def _add_stem(self, stem: str, whole: float, part: float) -> None:
        in_text, in_title = self._rarity("text", stem), self._rarity("title", stem)
        rarity = min(in_text, in_title)
        self._add("text", stem, whole * rarity / in_text)
        self._add("title", stem, whole * TITLE * rarity / in_title)
        marked = marked_part(stem)
        self._add("text", marked, part * min(1.0, rarity / self._rarity("text", marked)))

    def _add(self, field: str, term: str, weight: float) -> None:
        if weight and self._frequency(field, term):
            self._weights[field, term] = max(weight, self._weights.get((field, term), 0.0))

    def _rarity(self, field: str, term: str) -> float:
        """BM25's idf, as Tantivy has it; what was deleted may still count among the documents that hold a term."""
        holding = self._frequency(field, term)
        return math.log1p((max(0, self._documents - holding) + 0.5) / (holding + 0.5))


def _words_of(token: str) -> Iterator[tuple[str, float]]:
    """The words of a token, each with how much it counts: in full, but where it is the scrap of a name.

    Scraps are all of `c++` and `17.4.1`, all of a chain that ends in a figure (gpt-4), and what is short in a chain.
    """
    pieces = token.split("-")
    numbered = len(pieces) > 1 and pieces[-1].isdigit()
    for piece in pieces:
        longer = len(piece) >= _SHORTEST_PIECE and not piece.isdigit() and not numbered
        whole = piece.isalnum() and (piece == token or longer)
        for word in german.words(piece):
            yield word, 1.0 if whole else HELD * len(word) / len(token)
