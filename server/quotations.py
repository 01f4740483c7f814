"""Verbatim quotations in German and English news text, with who said them. Pure functions.

Who said it is read from the sentence that holds the quotation, by its verb of saying: the subject before the verb
("Merkel sagte: ..."), behind it ("..., sagte Merkel") or behind "so" and "laut". A quotation that stands alone has the
speaker of the one before it, and so has a pronoun.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_PHRASE = 20  # words
_LEAST_WORDS = 4  # below, it is a title or a word that is put in doubt

_QUOTED = re.compile(
    r"„(?P<german>[^„“”\n]{1,700})[“”\"]|»(?P<guillemets>[^»«\n]{1,700})«|«(?P<french>[^»«\n]{1,700})»"
    r"|“(?P<english>[^„“”\n]{1,700})”|(?<![\w\"])\"(?P<straight>[^\"\n]{1,700})\"(?!\w)"
)
_HIDDEN = "\u2591"  # takes the place of what is quoted, so that its own words and stops aren't read
_BREAK = re.compile(r"(?:(?<![\s.(]\w)(?<!\d)(?<!\bDr)(?<!\bProf)(?<!\bSt)[.!?][“”\"«»]?(?=\s+[^\sa-zäöü])|\n)\s*")

_SAYING = (
    r"(?:sag(?:t|te|ten|en)|erklär(?:t|te|ten|en)|beton(?:t|te|ten|en)|mein(?:t|te|ten|en)|äußer(?:t|te|ten|n)|teil(?:t|te|ten|en)"
    r"|schr(?:ieb|ieben|eibt|eiben)|kündig(?:t|te|ten)|forder(?:t|te|ten|n)|warn(?:t|te|ten|en)|kritisier(?:t|te|ten|en)"
    r"|nann(?:te|ten)|nennt|nennen|bezeichne(?:t|te|ten|n)|spr(?:ach|achen|icht|echen)|füg(?:t|te|ten)|ergänz(?:t|te|ten)"
    r"|bericht(?:et|ete|eten|en)|behaupt(?:et|ete|eten|en)|bestätig(?:t|te|ten|en)|begründe(?:t|te|ten|n)"
    r"|kommentier(?:t|te|ten|en)|versicher(?:t|te|ten)|rief(?:en)?|fragt(?:e|en)?|antwort(?:et|ete|eten)"
    r"|urteil(?:t|te|ten)|lobt(?:e|en)?|räumt(?:e|en)?|w(?:ies|iesen|eist)|stellt(?:e|en)?|verurteil(?:t|te|ten)"
    r"|appellier(?:t|te|ten)|hob(?:en)?|gab(?:en)?|gibt|verkünde(?:t|te|ten)|twitter(?:t|te)|ließ(?:en)?|bekräftig(?:t|te|ten)"
    r"|unterstr(?:ich|ichen|eicht)|mahnt(?:e|en)?|plädier(?:t|te|ten)|beklag(?:t|te|ten)|resümier(?:t|te)|vermut(?:et|ete|eten)"
    r"|verteidig(?:t|te|ten)|w(?:irft|arf|arfen|erfen)|glaubt(?:e|en)?|schätzt(?:e|en)?|sieht|sah(?:en)?|hält|hielt(?:en)?"
    r"|droht(?:e|en)?|bedauert(?:e|en)?|hofft(?:e|en)?|freut(?:e|en)?|zeigt(?:e|en)?|bat(?:en)?|bedankt(?:e|en)?|entgegnet(?:e|en)?"
    r"|verlangt(?:e|en)?|begrüßt(?:e|en)?|formulier(?:t|te|ten)|erinnert(?:e|en)?|beschr(?:ieb|ieben|eibt)|erzählt(?:e|en)?"
    r"|charakterisierte|(?:hat|haben|hatte|hatten)(?=.*\b(?:gesagt|erklärt|betont|gefordert|geschrieben|geäußert|genannt|bezeichnet)\b)|said|says|told|wrote|writes|added|stated|explained|warned|argued|declared)"
)
# Indirect speech goes on after "sagte er": the same one speaks.
_INDIRECT = re.compile(
    r"\b(?:sei|seien|habe|hätten?|könnten?|könne|werde|würden?|solle|müsse|müssten|wolle|dürfe|gebe|gehe|wäre)\b"
)
_VERB = re.compile(rf"\b{_SAYING}\b")
_ACCORDING = re.compile(
    r"\b(?:so|[Ll]aut|[Nn]ach\s+(?:den\s+)?(?:Angaben|Ansicht|Aussagen?|Worten|Meinung|Auffassung|Darstellung)(?:\s+(?:von|vom|der|des))?"
    r"|[Aa]ccording\s+to|[Nn]ach\s+Einschätzung(?:\s+von)?)\s+(?=(?:der|die|das|des|den|dem|ein\w*|the|[A-ZÄÖÜ]))"
)
# "zitiert X mit den Worten": who is cited speaks.
_CITING = re.compile(r"\bzitier(?:t|te|ten|en)(?:\s+(?:dazu|auch|weiter))?(?=\s)")
_ANNOUNCING = re.compile(r":\W*$|\bWorten\b")
_FOLLOWED = re.compile(r"\b(?P<who>(?:[A-ZÄÖÜ][\w.-]+\s+){0,3}[A-ZÄÖÜ][\w.-]+)\s+zufolge\b")
# What begins so is no subject: the verb comes next, and the subject behind it.
_INVERTING = re.compile(
    r"^\W*(?:am|im|in|an|auf|aus|bei|beim|nach|nachdem|zu[rm]?|dazu|dabei|daraufhin|darauf|zuvor|zugleich|gleichzeitig|gegenüber|weiter|wörtlich"
    r"|auch|außerdem|zudem|ferner|später|gestern|heute|bereits|schon|seit|mit|für|über|von|vor|wie|wenn|weil|als|so|da|hierzu|damit"
    r"|danach|dann|dort|hier|allerdings|jedoch|dennoch|unterdessen|derweil|anschließend|schließlich|zum|unter|während|trotz|gegen"
    r"|insgesamt|abschließend|ähnlich|noch|ebenso|hingegen|dagegen|deshalb|deswegen|daher|darüber|demnach|laut|nur|trotzdem|entsprechend|wiederum|darin|worauf|um|angesichts|offenbar|derzeit|passend|relativierend|zwar|einerseits|andererseits|gleichwohl|kurz|einmal|on|in|at|after|yesterday)\b",
    re.IGNORECASE,
)
_PARTICLE = re.compile(
    r"^(?:auch|selbst|sogar|nur|aber|denn|doch|und|so)\s+(?=(?:der|die|das|ein|eine)\s|[A-ZÄÖÜ])", re.IGNORECASE
)
_PRONOUN = re.compile(r"(?:er|sie|es|dieser?|dieses|man|wir|ich|he|she|they|it|der|die|das)$", re.IGNORECASE)
_POSSESSIVE = ("sein", "ihr", "his", "her", "their")
_ARTICLE = re.compile(r"(?:d(?:er|ie|as|es|em|en)|eine?[mnrs]?|the|an?)$", re.IGNORECASE)
_ADJECTIVE = re.compile(r"[a-zäöüß-]{2,}(?:e|er|en|es|em)$")
_LINK = re.compile(r"(?:der|des|von|vom|van|de|für|und|al|of|and|for|beim|zum|zur)$")
_ADVERBIAL = re.compile(
    r"(?:Am|Im|In|Nach|Bei|Gestern|Heute|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag)\b"
)


@dataclass(frozen=True, slots=True)
class Quotation:
    """What stands between quotation marks, without them, and its speaker as the text names them, empty where unknown.

    `start` is its place in the text; `context` is the sentence that holds it.
    """

    text: str
    speaker: str
    context: str
    start: int = 0


def quotations(text: str) -> tuple[Quotation, ...]:
    """All verbatim quotations of at least four words, in order."""
    hidden, found = text, []
    for match in _QUOTED.finditer(text):
        inner = match[match.lastgroup or 0]
        start = match.start(match.lastgroup or 0)
        stop = inner[-1] if inner[-1] in ".!?" else _HIDDEN
        hidden = hidden[:start] + _HIDDEN * (len(inner) - 1) + stop + hidden[start + len(inner) :]
        if len(inner.split()) >= _LEAST_WORDS:
            found.append((start, inner.strip()))
    spans = _sentence_spans(hidden)
    told: list[Quotation] = []
    for start, inner in found:
        at = next(number for number, (first, end) in enumerate(spans) if first <= start < end)
        first, end = spans[at]
        speaker = _speaker(hidden, spans, at, start, len(inner), told)
        told.append(Quotation(inner, speaker, " ".join(text[first:end].split()), start))
    return tuple(told)


def _sentence_spans(hidden: str) -> list[tuple[int, int]]:
    ends = [match.end() for match in _BREAK.finditer(hidden)]
    return [span for span in zip([0, *ends], [*ends, len(hidden)], strict=True) if span[0] < span[1]]


def _speaker(
    hidden: str, spans: Sequence[tuple[int, int]], at: int, start: int, length: int, told: Sequence[Quotation]
) -> str:
    first, end = spans[at]
    before, after = hidden[first : start - 1], hidden[start + length + 1 : end]
    last = told[-1].speaker if told else ""
    named = _said_after(after) or _said_before(before) or _said_before(after)
    if not named and at and not _words(before) and not _words(after):
        # It stands alone: who spoke in the sentence before goes on, or is announced there.
        named = last if told and told[-1].start >= spans[at - 1][0] else _said_before(hidden[slice(*spans[at - 1])])
    if not named and _INDIRECT.search(before):
        named = "er"
    if _PRONOUN.match(named) or named.lower().startswith(_POSSESSIVE):
        return _earlier(hidden, spans, at) or last
    return named


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]{2,}", text.replace(_HIDDEN, ""))


def _earlier(hidden: str, spans: Sequence[tuple[int, int]], at: int) -> str:
    """The subject of the nearest sentence before that has a name for one."""
    for first, end in reversed(spans[max(0, at - 3) : at]):
        clause = hidden[first:end]
        named = _said_after(clause.lstrip(f'„“»«"{_HIDDEN}.!?')) or _said_before(clause)
        if named and not _PRONOUN.match(named):
            return named
    return ""


def _said_after(after: str) -> str:
    """Who is named behind a quotation: "..., sagte Merkel am Montag", "..., so der Sprecher"."""
    match = re.match(
        rf"\W{{0,4}}(?:(?:{_SAYING})(?:\s+(?:sich|dazu|auch|weiter|jedoch))?|so|laut|hieß es (?:von|aus|bei|in))\s+",
        after,
    )
    return _phrase(after[match.end() :]) if match else ""


def _said_before(before: str) -> str:
    """Who is named in the words that lead to a quotation."""
    if (match := _FOLLOWED.search(before)) is not None:
        return match["who"]
    if (match := _ACCORDING.search(before)) is not None:
        return _phrase(before[match.end() :])
    if (match := _CITING.search(before)) is not None:
        return _phrase(before[match.end() :]) or _phrase(before)
    if _VERB.search(before):
        return _subject(before)
    return _phrase(_lead_of(before)) if _ANNOUNCING.search(before) and not _INVERTING.match(_lead_of(before)) else ""


def _subject(clause: str) -> str:
    """The subject of a clause: what is before its first verb of saying, or behind it where an adverb comes first."""
    verb = _VERB.search(clause)
    if verb is None:
        return ""
    lead = _lead_of(clause[: verb.start()])
    behind = _phrase(re.sub(r"^\s*(?:sich|dazu|auch|weiter|jedoch|ihn|sie|es)\b", "", clause[verb.end() :]))
    if not lead:
        return behind
    # "Von der Leyen betonte, ...": nothing stands behind, so what looks like an adverb is the subject.
    if _INVERTING.match(lead):
        return behind or (named if " " in (named := _phrase(lead)) else "")
    return _phrase(lead)


def _lead_of(head: str) -> str:
    """The last main clause of a head, without what is quoted in it."""
    last = re.split(r";\s|\s[–-]\s|:\s", head.strip(' :„“"»«'))[-1]
    return _PARTICLE.sub("", re.sub(r"^[\W_]+", "", last.replace(_HIDDEN, "")))


def _phrase(text: str) -> str:
    """The noun phrase that `text` begins with, with its apposition; a pronoun as it is; empty where it is none."""
    if (pronoun := re.match(r"\s*(er|sie|es|diese[rs]?|man|he|she|they|it)\b", text, re.IGNORECASE)) is not None:
        return pronoun[1]
    taken: list[str] = []
    text = re.sub(r"(?<=[a-zäöü])\.(?=[A-ZÄÖÜ])", ". ", text)  # a space is missing between two sentences
    tokens = text.split()[:_LONGEST_PHRASE]
    at = 0
    while at < len(tokens) and (reached := _reach(tokens, at, bool(taken))):
        taken += tokens[at:reached]
        at = reached
        if taken[-1][-1] in ".:;,":
            break
    if taken and taken[-1][-1] == ",":  # an apposition: "Michael Knipper, Vorsitzender des Verbands, sagte"
        taken += _apposition(tokens[at:])
    return " ".join(taken).strip(" ,.:;()") if any(word[:1].isupper() for word in taken) else ""


def _reach(tokens: Sequence[str], at: int, begun: bool) -> int:
    """How far a noun phrase goes on from `at`: over what leads to the next name and over that name; 0 where it ends."""
    if begun and tokens[at].startswith("("):
        return next((end for end in range(at + 1, min(at + 4, len(tokens)) + 1) if ")" in tokens[end - 1]), 0)
    to = at
    if begun and _LINK.match(tokens[to]):
        to += 1
    while to < len(tokens) and (to > at or not begun) and to < at + 5:
        if not (_ARTICLE.match(tokens[to]) or _ADJECTIVE.match(tokens[to])):
            break
        to += 1
    named = to < len(tokens) and (tokens[to][:1].isupper() or tokens[to][:1].isdigit())
    return to + 1 if named and not _ADVERBIAL.match(tokens[to]) else 0


def _apposition(tokens: Sequence[str]) -> list[str]:
    taken: list[str] = []
    at = 0
    while at < len(tokens) and (reached := _reach(tokens, at, bool(taken))):
        taken += tokens[at:reached]
        at = reached
        if taken[-1][-1] in ",:":
            return taken
    return taken if at == len(tokens) else []
