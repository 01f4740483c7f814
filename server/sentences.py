"""German and English text as sentences."""

import re

# A sentence ends at its mark, with the citations that follow it, before the start of another one. A single letter or a
# figure before the full stop is an abbreviation or an ordinal ("z. B.", "3. Mai") and ends nothing.
_END = re.compile(
    r"(?:(?<![\s.(]\w)(?<!^\w)(?<!\d)[.!?]|(?<=\d\d\d\d)\.)"  # the mark
    r"[\"“”»«)]*(?:[^\S\n]*[\[【][^\]】\n]{1,20}[\]】])*"  # what belongs to it
    r"(?=\s+[^\s\[【a-zäöü]|\n)"  # the start of another sentence
    r"|:?\n"
)
_ABBREVIATED = re.compile(
    r"\b(?:Dr|Prof|Nr|Mio|Mrd|ca|bzw|usw|etc|St|Abs|Art|vgl|Inc|Corp|Ltd|Co|Jr|Mr|Mrs|Ms|vs|No|Jan|Feb|Aug|Sept|Okt|Nov|Dez|Tsd|Bio|inkl|evtl|sog|geb)\.$"
)


def sentence_end(text: str, start: int = 0) -> int | None:
    """Where the first sentence from `start` on ends, None while it may still go on."""
    for match in _END.finditer(text, start):
        if not _ABBREVIATED.search(text[max(start, match.end() - 8) : match.end()]):
            return match.end()
    return None


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, without the space around them; none are empty."""
    found, start = [], 0
    while (end := sentence_end(text, start)) is not None:
        found.append(text[start:end].strip())
        start = end
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]
