"""Text in quotation marks of any kind, and whether a source holds it word by word."""

import re
from collections.abc import Collection
from dataclasses import dataclass

_CLOSERS = {
    "„": "“”\"", "“": "”\"", "»": "«", "«": "»", "‚": "‘’'", "‘": "’", "›": "‹", "‹": "›", '"': '"',
}  # fmt: skip
_MAYBE_STRAY = "‘‚›‹»«"  # also apostrophes, and marks that close another pair
_MARKS = re.compile("[„“”\"»«›‹‚‘’'`´]")
_LEFT_OUT = re.compile(r"\[[^\]]{0,40}\]|\(\s*(?:…|\.\.\.)\s*\)|…|\.\.\.")
_SPACE = re.compile(r"\s+")
_ENDS = " .,;:!?–-"


@dataclass(frozen=True, slots=True)
class Quotation:
    """Text between quotation marks; `start` and `end` are the places of the marks. Unclosed, it ends with the text."""

    text: str
    start: int
    end: int
    closed: bool = True


def quotations(text: str) -> list[Quotation]:
    """The quotations of a text in order; one within another counts as its text."""
    found: list[Quotation] = []
    position = 0
    while position < len(text):
        if text[position] in _CLOSERS and not text[position - 1 : position].isalnum():
            end = _closing(text, position)
            if end is not None or text[position] not in _MAYBE_STRAY:
                stop = len(text) if end is None else end
                found.append(Quotation(text[position + 1 : stop], position, stop, end is not None))
                position = stop
        position += 1
    return found


def _closing(text: str, opening: int) -> int | None:
    closers, depth = _CLOSERS[text[opening]], 0
    for place in range(opening + 1, len(text)):
        if text[opening] == text[place] == "„":
            depth += 1
        elif text[place] in closers and (text[place] not in "’'" or not text[place + 1 : place + 2].isalnum()):
            if not depth:
                return place
            depth -= 1
    return None


def is_open(text: str) -> bool:
    """Whether the last quotation of a text still waits for its closing mark."""
    return any(not quotation.closed for quotation in quotations(text))


def without_marks(text: str, dropped: Collection[Quotation]) -> str:
    """The text with the marks of these of its quotations left out."""
    places = {place for quotation in dropped for place in (quotation.start, quotation.end)}
    return "".join(letter for place, letter in enumerate(text) if place not in places)


def verbatim(sentence: str, passage: str) -> bool:
    """Whether a passage holds a sentence word by word, but for spaces, quotation marks and the mark at its end.

    The first letter may be of either case; what a quotation leaves out (`[…]`) parts it.
    """
    held, position = _levelled(passage), 0
    pieces = [piece for part in _LEFT_OUT.split(sentence) if (piece := _levelled(part).strip(_ENDS))]
    for piece in pieces:
        match = _spelling(piece).search(held, position)
        if match is None:
            return False
        position = match.end()
    return bool(pieces)


def _levelled(text: str) -> str:
    return _SPACE.sub(" ", _MARKS.sub("", text)).strip()


def _spelling(piece: str) -> re.Pattern[str]:
    first = "".join(dict.fromkeys((piece[0].lower(), piece[0].upper(), piece[0])))
    border = r"(?<!\w)" if piece[0].isalnum() else ""
    return re.compile(rf"{border}[{re.escape(first)}]{re.escape(piece[1:])}(?!\w)")
