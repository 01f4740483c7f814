"""One or several: the number of a noun behind "welche", which stands before feminines and before plurals.

Told by its ending and by which other forms the lexicon knows: masculines and neuters have a genitive in s ("Formats",
so "Formate" is a plural), feminines have none ("Kasse").
"""

from archive.compounds import compound_parts, is_known, spelled_out

_FEMININE = ("ung", "heit", "keit", "schaft", "ion", "taet", "in", "ie", "ik", "ei", "enz", "anz", "ur")
# Feminines whose plural has an umlaut and e.
_WITH_UMLAUT = frozenset(
    "angst auskunft bank braut brust faust frucht hand haut kraft kuh kunst luft macht maus nacht not nuss schnur stadt"
    " unterkunft wand wurst zunft".split()
)
_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


def is_plural(noun: str) -> bool:
    """Whether a noun that follows "welche" is a plural; of a compound its last part tells."""
    word = spelled_out(noun.lower()).rpartition("-")[2]
    head = (compound_parts(word) or (word,))[-1]
    if head.endswith(("en", "ern", "eln")):
        return True
    if head.endswith(_FEMININE):
        return False
    if head.endswith("s"):
        return is_known(head[:-1])
    if head.endswith(("er", "el")):
        return _has_genitive(head) or (head.endswith("er") and _has_genitive(head[:-2]))
    return head.endswith("e") and _has_genitive(head[:-1])


def _has_genitive(word: str) -> bool:
    """Whether a word, or what it is the umlaut of, is declined like a masculine or neuter."""
    plain = _without_umlaut(word)
    return any(is_known(one + ending) for one in {word, plain} for ending in ("s", "es")) or plain in _WITH_UMLAUT


def _without_umlaut(word: str) -> str:
    at, umlaut, vowel = max((word.rfind(umlaut), umlaut, vowel) for umlaut, vowel in _UMLAUTS)
    return word if at < 0 else word[:at] + vowel + word[at + len(umlaut) :]
