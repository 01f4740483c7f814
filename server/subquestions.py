"""Several questions in one: "Wer bekam den Preis 2009 und wer elf Jahre später?" is searched part by part too.

A part that names no matter of its own takes that of the others, so that each can be searched alone.
"""

import re
from collections.abc import Sequence

from server.function_words import FUNCTION_WORDS
from server.periods.words import NUMBER_WORDS
from server.plurals import is_plural

_MOST = 4  # parts; each costs a search
_MOST_YEARS = 100  # "hundert Jahre später" is the last that is counted
_ELLIPSIS = 4  # words of a part that has no verb of its own
_LONG_NAME = 12  # letters of a compound that names one matter by itself
_LONGEST = 400  # characters; what is longer is a text, not a question

_ASKING = (
    r"(?:(?:ab|bis|seit|in|an|auf|aus|bei|durch|für|mit|nach|unter|von|vor|wegen|zu|by|from|in|since|until|with)\s+)?"
    r"(?:wer|wen|wem|wessen|was|wann|wo|wohin|woher|wie|warum|wieso|weshalb|wodurch|womit|wofür|worin|welche[mnrs]?"
    r"|who|whom|whose|what|when|where|why|how|which)\b"
)
_AND_ASKING = re.compile(
    rf"\s*[,;–-]?\s+(?:und|sowie|oder|beziehungsweise|bzw\.|and|or)\s+(?={_ASKING})", re.IGNORECASE
)
_COMMA_ASKING = re.compile(rf"\s*[,;]\s+(?={_ASKING})", re.IGNORECASE)
_FIRST_ASKING = re.compile(_ASKING, re.IGNORECASE)
_COMPARING = re.compile(
    r"\b(?:vergl(?:eich|ich)\w*|untersch(?:ied|eid)\w*|gemeinsam\w*|gegenüber\w*|compar\w+|differ\w*|common)\b",
    re.IGNORECASE,
)
_VERSUS = re.compile(
    r"\s*,?\s+(?:(?:im|in)\s+vergleich\s+(?:zu[rm]?|mit)|verglichen\s+mit|gegenüber|gegen|versus|vs\.?"
    r"|compared\s+(?:to|with)|against)\s+",
    re.IGNORECASE,
)
_STAGES = re.compile(
    r"\bvo[nm]\s+(?P<first>.+?)(?:\s+über\s+(?P<between>.+?))?\s+bis\s+(?P<last>zu[rm]?\s+.+?)"
    r"(?=\s*[:,.?!]|\s+[a-zäöüß]+\s*[.?!]?$|$)"
)
_STEP = re.compile(
    r"\s*[,;]\s*(?:(?:und|and)\s+)?(?=(?:dann|danach|schließlich|zuletzt|then|finally)\b)", re.IGNORECASE
)
_LISTING = re.compile(
    r"^\s*(?:welche\b.*\b(?:gab\s+es|gibt\s+es|haben|sind|waren|wurden|werden|gingen|kamen"
    r"|(?-i:[a-zäöüß]+ten))\b"
    r"|which\b.*\b(?:are|were|have)\b|(?:eine\s+)?(?:chronologie|liste|übersicht|überblick|timeline)\b"
    r"|(?:nenne|list|liste)\b)"
    r"|\b(?:chronologie|chronik|überblick|übersicht|alle\s+(?:meldungen|artikel|fälle))\b",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\s*(?i:welche)\s+(?:(?P<adjective>[a-zäöüß]+)\s+(?:[a-zäöüß-]+\s+)*)?(?P<noun>[A-ZÄÖÜ][\w-]*)")
_LATER = re.compile(
    r"\b(?:(?P<count>\w+)\s+jahre?\s+(?P<way>später|danach|darauf|zuvor|davor|vorher|früher)"
    r"|(?:im\s+)?jahr\s+(?P<next>darauf|danach|zuvor|davor)"
    r"|(?P<number>\w+)\s+years?\s+(?P<english>later|earlier|before|after))\b",
    re.IGNORECASE,
)
_NUMBERS = {word: int(number) for word, number in NUMBER_WORDS.items() if number >= 1}
_YEAR = re.compile(r"(?<![\w.,-])(?:19|20)[0-9]{2}(?![\w,.-]*\w)")
_WORD = re.compile(r"[^\W_](?:[\w'’./-]*\w)?")


def subquestions(question: str) -> tuple[str, ...]:
    """The parts of a question that are to be searched beside the whole, four at most; none where it is one question.

    One that asks for a list ("Welche Haftstrafen gab es ...?") has its bare content words as its only part: the second
    ranking finds others of what is listed.
    """
    if len(question) > _LONGEST:
        return ()
    parts = _steps(question) or _clauses(question) or _compared(question) or _stages(question) or _years(question)
    if len(set(parts)) > 1:
        return tuple(dict.fromkeys(parts))[:_MOST]
    return _listed(question)


def _listed(question: str) -> tuple[str, ...]:
    words = _things(question, small=True)
    return (" ".join(words),) if _LISTING.search(question) and _several(question) and len(words) > 1 else ()


def _several(question: str) -> bool:
    """Whether "welche", if the question begins with it, asks for several things: "welche Kasse" asks for one."""
    match = _WHICH.match(question)
    return match is None or (match["adjective"] or "").endswith("en") or is_plural(match["noun"])


def _clauses(question: str) -> list[str]:
    """Questions that follow one another; one that names less than two things takes those of the one before.

    One that puts a name in the place of another ("und wer die Exchange-Server?") takes the verb instead.
    "Wann ..., wann ... und wer ...?", "Wer ... 2009 und wer elf Jahre später?" (the year is counted).
    """
    head, colon, tail = question.partition(": ")
    listed = colon and _FIRST_ASKING.match(tail.strip())
    parts = _AND_ASKING.split(tail if listed else question)
    # A comma alone also begins a subordinate clause ("legt fest, was ..."), but not where the same word asks again.
    parts = [piece for part in parts for piece in _repeated(part)]
    if listed:
        parts = [f"{_topic(head)} {part}" for part in parts]
        return parts if len(parts) > 1 else []
    if len(parts) < 2:
        return []
    completed: list[str] = []
    before: list[str] = []
    verbs: list[str] = []
    for part in parts:
        things = _things(part, question.islower())
        missing = [thing for thing in before if thing not in things] if len(things) < 2 else []
        if any(_is_name_by_itself(thing) for thing in things):
            missing = verbs if len(things) < 2 and len(part.split()) <= _ELLIPSIS else []
        year = _counted_year(part, question)
        completed.append(" ".join([part.strip(" ,?.!"), *missing, *([str(year)] if year else [])]))
        verbs = [word for word in _things(part, small=True) if word not in things]
        before = [*(word for word in missing if word not in verbs), *things]
    return completed


def _repeated(part: str) -> list[str]:
    pieces = _COMMA_ASKING.split(part)
    words = [match[0].lower() if (match := _FIRST_ASKING.match(piece.strip())) else "" for piece in pieces]
    return pieces if len(pieces) > 1 and len(set(words)) < len(words) else [part]


def _counted_year(part: str, question: str) -> int | None:
    """The year of "elf Jahre später", counted from the only year that the question names."""
    years, match = set(_YEAR.findall(question)), _LATER.search(part)
    if match is None or len(years) != 1:
        return None
    count = (match["count"] or match["number"] or "ein").lower()
    number = int(count) if count.isdecimal() else _NUMBERS.get(count)
    if number is None or number > _MOST_YEARS:
        return None
    way = (match["way"] or match["next"] or match["english"]).lower()
    sign = -1 if way in ("zuvor", "davor", "vorher", "früher", "earlier", "before") else 1
    return int(years.pop()) + sign * number


def _steps(question: str) -> list[str]:
    """Steps before a colon: "Erst gesperrt, dann wieder erlaubt: Was war mit ChatGPT?"."""
    head, colon, tail = question.partition(": ")
    steps = _STEP.split(head)
    return [f"{step} {_topic(tail)}" for step in steps] if colon and len(steps) > 1 else []


def _stages(question: str) -> list[str]:
    """Stages of a story: "von der Ankündigung über den Aufschub bis zum Scheitern"."""
    match = _STAGES.search(question[:1].lower() + question[1:])
    if match is None or _YEAR.search(match[0]):
        return []
    rest = _topic(question[: match.start()] + " " + question[match.end() :])
    return [f"{rest} {_topic(stage)}" for stage in match.group("first", "between", "last") if stage and _things(stage)]


def _compared(question: str) -> list[str]:
    """The sides of a comparison, each with what both are compared in."""
    if not _COMPARING.search(question) and not re.search(r"\b(?:vs|versus)\b", question):
        return []
    head, colon, tail = question.partition(": ")
    matter = " ".join(thing for thing in _things(head) if not _COMPARING.search(thing)) if colon else ""
    sides = _VERSUS.split(tail if colon else question, maxsplit=1)
    if len(sides) == 2:
        return [f"{matter} {side}".strip() for side in sides]
    text = tail if colon else question
    if (found := joined(text)) is None:
        return []
    return [f"{matter} {side}".strip() for side in each_alone(text, found)]


def joined(text: str) -> tuple[slice, slice] | None:
    """Where two things stand that "und" joins, each with its capitals and the small words that lead to them.

    The second has no more prepositions than the first: what follows belongs to both ("Moskau und Peking auf die Wahl").
    """
    tokens = list(re.finditer(r"\S+", text))
    for at, token in enumerate(tokens):
        if token[0] in ("und", "and") and 0 < at < len(tokens) - 1:
            left = _start_of_thing([one[0] for one in tokens[:at]])
            places = sum(one[0] in _PREPOSITIONS for one in tokens[left:at])
            right = at + 1 + _length_of_thing([one[0] for one in tokens[at + 1 :]], places)
            if left < at and at + 1 < right:
                return (
                    slice(tokens[left].start(), tokens[at - 1].end()),
                    slice(tokens[at + 1].start(), tokens[right - 1].end()),
                )
    return None


def each_alone(text: str, things: tuple[slice, slice]) -> tuple[str, str]:
    """The text with the first of two joined things alone, and with the second."""
    before, after = text[: things[0].start], text[things[1].stop :]
    first, second = (" ".join(f"{before}{text[thing]}{after}".split()) for thing in things)
    return first, second


def _start_of_thing(before: Sequence[str]) -> int:
    """Where the thing that ends here begins: its capitals, the words that lead to them, and one thing before."""
    at = len(before)
    while at > 1 and (_is_name(before[at - 1]) or (at < len(before) and before[at - 1] in _LEADING)):
        at -= 1
    return at


def _length_of_thing(after: Sequence[str], prepositions: int) -> int:
    at = 0
    while at < len(after) and (after[at] in _LEADING or _is_name(after[at])):
        prepositions -= after[at] in _PREPOSITIONS
        if prepositions < 0:
            break
        at += 1
        if after[at - 1][-1] in ",.;:?!":
            break
    while at and after[at - 1] in _LEADING:
        at -= 1
    return at


# Capitals that name no matter: time, and what is asked to be done.
_NO_THINGS = frozenset(
    """
    jahr jahre jahren jahres monat monate monaten woche wochen tag tage tagen mal anfang mitte ende beginn januar
    februar märz april mai juni juli august september oktober november dezember frühjahr frühling sommer herbst winter
    heute gestern erst zuerst dann danach stell stelle zeichne gib gebt nenn nenne erzähl erzähle fass fasse erklär
    erkläre list liste beschreib beschreibe zeig zeige sag schildere vergleich vergleiche chronologie überblick
    zusammenfassung werdegang year years month months week weeks day days time give list tell show compare comparison
    summarize timeline first then später darauf zuvor davor vorher früher later earlier before after
""".split()
) | frozenset(word for words in NUMBER_WORDS for word in words.split())
_PREPOSITIONS = frozenset("in im auf am an bei beim von vom of at".split())
_LEADING = _PREPOSITIONS | frozenset("der die das dem den des ein eine einem einen einer the a".split())


def _is_name_by_itself(word: str) -> bool:
    return len(word) >= _LONG_NAME or any(letter.isupper() or letter.isdigit() or letter == "-" for letter in word[1:])


def _is_name(word: str) -> bool:
    return word[:1].isupper() or word[:1].isdigit()


def _years(question: str) -> list[str]:
    """The question with each of its years alone."""
    years = list(dict.fromkeys(_YEAR.findall(question)))
    if len(years) < 2 or re.search(r"(?:19|20)[0-9]{2}\s*(?:bis|-|–|to|und|and)\s*(?:19|20)[0-9]{2}", question):
        return []
    return [" ".join(re.sub("|".join(set(years) - {year}), " ", question).split()) for year in years]


def _topic(text: str) -> str:
    """What a text is about: its names and nouns, or all words that carry matter where it has none."""
    return " ".join(_things(text) or _things(text, small=True))


def _things(text: str, small: bool = False) -> list[str]:
    """Names and nouns but for those of time; in a question in `small` letters all words that carry matter."""
    words = (word for word in _WORD.findall(text) if word.lower() not in FUNCTION_WORDS | _NO_THINGS)
    return [word for word in words if (small or _is_name(word)) and not _YEAR.fullmatch(word)]
