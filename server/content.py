"""What a text is about, as weighted word stems: figures count most, names more than other words."""

import re

from server.function_words import FUNCTION_WORDS

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")
_STEM = 6  # letters that tell German word forms of one word from another word well enough
_FOLD = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss"})


def content(text: str) -> dict[str, float]:
    """Weights by stem, function words left out."""
    weights: dict[str, float] = {}
    for token in _TOKEN.findall(text):
        low = token.lower()
        if low not in FUNCTION_WORDS:
            weights[low.translate(_FOLD)[:_STEM]] = 2.0 if token[0].isdigit() else 1.5 if token[0].isupper() else 1.0
    return weights


def coverage(of: dict[str, float], held: dict[str, float]) -> float:
    """The share of the content `of` that `held` holds, 0 to 1."""
    total = sum(of.values())
    return sum(weight for stem, weight in of.items() if stem in held) / total if total else 0.0
