"""Named entities: who and what headlines, topics and texts name, in one word or several.

Found by capitals, by letters and by what stands around them; whether a single word is a name or a German noun is told
by server.grounding.names.
"""

import re
from collections.abc import Iterator

from archive.articles import MONTHS
from server.function_words import FUNCTION_WORDS
from server.grounding.names import looks_like_name
from server.instructions import addresses_model

_LONGEST = 45  # letters of a name

_CAPITALIZED = r"[A-ZÄÖÜ][\w’'&.-]*\w|[A-Z]\w*\d\w*"
_RUN = re.compile(rf"(?:{_CAPITALIZED})(?: (?:{_CAPITALIZED}|\d{{1,4}}(?!\w|[.,:]\d)))*")
# A full name at the end of a text.
PERSON = re.compile(r"(?:[A-ZÄÖÜ][a-zäöüß]+(?:-[A-ZÄÖÜ][a-zäöüß]+)?)(?: (?:von|van|de|der))?(?: [A-ZÄÖÜ][\w'-]+){1,2}$")
_PLAIN = re.compile(r"[\w .&'’+/-]+")
_SENTENCE_START = re.compile(r"(?:^|[.!?:„“\"»\n–-]\s*)$")
_GENERAL = frozenset(
    """
    news nachrichten meldung meldungen politik wirtschaft technik internet computer deutschland welt panorama europa
    wissen digital berlin regional kultur netzwelt it c't heise dpa afp reuters der die das ein eine update video
    liveblog newsticker kommentar analyse interview bericht montag dienstag mittwoch donnerstag freitag samstag sonntag
    pcs usa
    """.split()
) | {month.lower() for month in MONTHS}  # fmt: skip

_NO_NAMES = _GENERAL | frozenset(
    "anfang mitte ende prozent million millionen milliarde milliarden euro dollar uhr tonnen liter meter jahre".split()
)


def names_in(text: str) -> Iterator[str]:
    """Names as they stand in a text; what begins a sentence is one only by its letters."""
    for match in _RUN.finditer(text):
        words = match[0].split()
        if _SENTENCE_START.search(text[: match.start()]) and not looks_like_name(words[0]):
            words = words[1:]
        # Within a sentence, capitals in a row are a name, but for times and measures.
        elif len(words) > 1 and _NO_NAMES.isdisjoint(word.lower() for word in words):
            yield match[0]
            continue
        while words and not (looks_like_name(words[0]) or words[0][-1].isdigit()):
            words = words[1:]
        while words and not (looks_like_name(words[-1]) or words[-1][-1].isdigit()):
            words = words[:-1]
        if words and not words[0].isdigit():
            yield " ".join(words)


def is_person(name: str) -> bool:
    """Whether what has the shape of a full name is one, and no noun with an adjective."""
    return all(looks_like_name(word) for word in name.split() if word[0].isupper())


def is_shaped(name: str) -> bool:
    """Whether its letters tell a name: several words, or capitals or figures within one."""
    return " " in name or any(letter.isupper() or letter.isdigit() for letter in name[1:])


def is_name(topic: str) -> bool:
    """Whether a topic names something of its own, and isn't a noun like "Rücktritt"."""
    return " " in topic or (topic[:1].isupper() and looks_like_name(topic))


def is_usable(name: str) -> bool:
    """Whether a name can stand in a question: short, plain, of a matter of its own, and no instruction."""
    low = name.lower()
    return (
        3 <= len(name) <= _LONGEST and name[0].isalnum() and _PLAIN.fullmatch(name) is not None
        and low not in _GENERAL and low not in FUNCTION_WORDS and not addresses_model(name)
    )  # fmt: skip


def holds(text: str, name: str) -> bool:
    """Whether the name is a word of the text, declined or not, or a part of a compound with hyphens."""
    return re.search(rf"(?<!\w){re.escape(name)}(?:s|es|en|n)?(?!\w)", text, re.IGNORECASE) is not None


def stands_alone(text: str, name: str) -> bool:
    """Whether the name is a word of the text, and no part of another ("Linux-Bibliothek")."""
    return re.search(rf"(?<![\w-]){re.escape(name)}s?(?![\w-])", text, re.IGNORECASE) is not None


def overlaps(name: str, text: str) -> bool:
    """Whether a word of the name is in the text already, as such or within another."""
    low = text.lower()
    return any(word in low for word in name.lower().split() if len(word) > 2) or low in name.lower()
