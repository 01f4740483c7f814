"""Whether a question leans on the talk before it, and what it is searched with then. No model is asked."""

import re
from collections.abc import Sequence

from server.function_words import FUNCTION_WORDS, POINTING
from server.generation import Message

_TURNS = 3  # earlier questions that a follow-up may go back over
_ANSWER = 240  # characters of the last answer: its first sentences say what it is about

_INSTEAD = r"(?:what|how)\s+about|was\s+ist\s+(?:denn\s+)?mit|wie\s+(?:sieht|steht)\s+es\s+(?:mit|bei|um|in)"
_OPENING = re.compile(rf"^\s*(?:und|aber|also|oder|and|but|so|then|ok(?:ay)?|{_INSTEAD})\b[\s,]", re.IGNORECASE)
_ELLIPSIS = re.compile(rf"\s*(?:(?:und|and)\s+)?(?:{_INSTEAD})\b(?:\W+\w+){{1,4}}\W*", re.IGNORECASE)
_BARE_ELLIPSIS = re.compile(
    r"\s*(?:und|and)\b(?:\W+(?!(?:w(?:er|en|em|as|ann|o|ie|arum|ieso|eshalb)|who|what|when|where|why|how)\b)\w+){1,4}\W*",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W_](?:[\w'’.-]*\w)?|[,;:?!.–-]")
_CITED = re.compile(r"\s*\[\d+\]")
_DETERMINERS = frozenset(
    """
    der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner welche welcher welches
    welchen welchem viel viele vielen wenig mehr zum zur im am beim vom ins ans alle allen jede jeder jedes jeden
    the a an no which many much all every
""".split()
) | (POINTING - {"da", "dort", "there", "then"})
_DEMONSTRATIVES = frozenset("der die das den dem denen".split())
# A demonstrative before one of these has no noun of its own.
_NO_NOUN_AFTER = FUNCTION_WORDS - _DETERMINERS | frozenset(
    "vorher nachher wieder jetzt nun damals heute wohl überhaupt schließlich inzwischen zuvor danach".split()
)
# Words for what was said: they point to the talk unless something before them in the question is meant.
_BACKWARDS = frozenset(
    """
    dabei dafür dagegen dahinter damit danach daneben daran darauf daraus darin darüber davon davor dazu dadurch
    dazwischen hierzu hierfür da dort dann nun beide beiden andere anderen übrigen letztere letzterer derselbe dieselbe
    dasselbe there then both others another else
""".split()
)
_PRONOUNS = frozenset(
    """
    er sie es ihn ihm ihr ihre ihren ihrem ihrer sein seine seinen seinem seiner dies diese dieser dieses diesem diesen
    deren dessen he him his she her it its they them their this these those
""".split()
)
_POSSESSIVE = ("sei", "ihr")  # "der Asteroid und sein Partner" needs no talk
_WITH_NOUN = frozenset("beide beiden andere anderen übrigen both others another".split())
_WITH_EXPLETIVE = frozenset("gibt gab geht ging gegeben neues handelt stimmt lag liegt kommt kam um mit true".split())
_NO_MATTER = frozenset("hause fuß ende schluss rennen spiel frage beispiel".split())
_SPECIFIC = 12  # letters of a compound that names one matter by itself: "Deutschlandticket"
_FEW = 9  # words of a question that may take its matter from the talk


def leans_back(question: str, dated: bool = False) -> bool:
    """Whether a question is about the talk before it: it opens with "und", points back, or names no matter.

    `question` comes without the words that only say when; `dated` tells that there were such words, which make a
    matter of its own likelier.
    """
    tokens = _TOKEN.findall(question)
    words = [token for token in tokens if token[0].isalnum()]
    topics = [word for word in words if word.lower() not in FUNCTION_WORDS]
    if _OPENING.match(question) or not topics:
        return True
    head, colon, _ = question.partition(": ")
    if colon and any(word.lower() not in FUNCTION_WORDS for word in _TOKEN.findall(head)):
        return False  # "Erst gesperrt, dann erlaubt: Was war mit ChatGPT?" points forward
    if _points_back(tokens):
        return True
    if question.islower() or dated:
        return len(topics) <= (1 if dated else 2) and not any(_is_long_name(word) for word in topics)
    return len(words) <= _FEW and not any(_names(words, at) for at in range(len(words)))


def takes_the_place(question: str) -> bool:
    """Whether a question only puts another matter in the place of the last one: "Und bei Google?"."""
    return bool(_ELLIPSIS.fullmatch(question) or _BARE_ELLIPSIS.fullmatch(question))


def searches(history: Sequence[Message], question: str) -> tuple[str, ...]:
    """What a follow-up is searched with: with the question that it leans on, with the last answer, and by itself.

    The first counts most. `history` comes oldest first and holds a question. Earlier questions are gone back over as
    long as they lean back themselves.
    """
    earlier: list[str] = []
    for turn in reversed(history):
        if turn.role == "user":
            earlier.insert(0, turn.content)
            if len(earlier) == _TURNS or not leans_back(turn.content):
                break
    answer = next((turn.content for turn in reversed(history) if turn.role == "assistant"), "")
    texts = [" ".join([*earlier, question])]
    if answer.strip():
        texts.append(f"{_beginning(answer)} {question}")
    return tuple(dict.fromkeys([*texts, question]))


def _beginning(answer: str) -> str:
    """The first sentences of an answer, without citation marks, cut at a word."""
    text = " ".join(_CITED.sub("", answer).split())
    return text if len(text) <= _ANSWER else text[:_ANSWER].rpartition(" ")[0]


def _points_back(tokens: Sequence[str]) -> bool:
    """Whether a word points to something that the question doesn't name before it."""
    words = [token for token in tokens if token[0].isalnum()]
    named, clauses, at = False, 0, 0
    nouns = 0
    for place, token in enumerate(tokens):
        low = token.lower()
        if not token[0].isalnum():
            clauses += place < len(tokens) - 1
            continue
        if at and not (named and clauses) and _points(tokens, place, named or (nouns > 0 and low[:3] in _POSSESSIVE)):
            return True
        nouns += at > 0 and token[0].isupper()
        named = named or _names(words, at)
        clauses += low in ("und", "and")
        at += 1
    return False


def _points(tokens: Sequence[str], place: int, named: bool) -> bool:
    """Whether the word at `place` stands for something said before; `named` tells that the question names one."""
    low, rest = tokens[place].lower(), tokens[place + 1 :]
    if low in ("es", "it"):
        around = {token.lower() for token in tokens[max(0, place - 2) : place + 2]}
        return not named and not around & _WITH_EXPLETIVE and rest[:1] != [","]
    if low in _PRONOUNS:
        # "sein" is a verb too.
        return not named and (low != "sein" or _has_noun(rest))
    if low in _BACKWARDS:
        if low.startswith("da") and "," in rest:
            return False  # it points to the clause that follows: "darüber nach, Geld zu verlangen"
        return low not in _WITH_NOUN or not _has_noun(rest)
    if low not in _DEMONSTRATIVES or "," in tokens[max(0, place - 2) : place]:
        return False  # after a comma it begins a relative clause: "einen Caravan, mit dem man ..."
    return not rest or not rest[0][0].isalnum() or rest[0].lower() in _NO_NOUN_AFTER


def _has_noun(rest: Sequence[str]) -> bool:
    """Whether a noun follows at once or after adjectives."""
    for token in rest[:3]:
        if token[0].isupper():
            return True
        if not token[0].isalnum() or token.lower() in FUNCTION_WORDS:
            return False
    return False


def _names(words: Sequence[str], at: int) -> bool:
    """Whether a word names a matter that needs no talk: a name, a figure, a long compound."""
    word = words[at]
    if word.lower() in FUNCTION_WORDS | _NO_MATTER:
        return False
    if _is_long_name(word):
        return True
    if at == 0 or not word[0].isupper():
        return False
    before = words[at - 1].lower()
    # An adjective may stand between: "der letzte Chef".
    further = words[at - 2].lower() if at > 1 and words[at - 1].islower() and before not in FUNCTION_WORDS else ""
    return before not in _DETERMINERS and further not in _DETERMINERS and before != "es"


def _is_long_name(word: str) -> bool:
    return _is_special(word) or (word[0].isupper() and len(word) >= _SPECIFIC)


def _is_special(word: str) -> bool:
    """Whether its letters alone tell a name: "5G", "FTX", "ChatGPT", "E-Auto"."""
    return word[0].isdigit() or any(letter.isupper() or letter.isdigit() or letter == "-" for letter in word[1:])
