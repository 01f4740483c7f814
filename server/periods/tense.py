"""Whether a question asks what happened, or what is the case: the same "seit 2019" filters news only in the former."""

import re

from server.periods.grammar import lower
from server.periods.words import spelled_pattern

_AUXILIARY = re.compile(r"\b(?:hat|habt|haben|hatten?|ist|sind|sei)\b")
# Small letters only: "Gesetz" and "Naturkonstante" are no verbs.
_PARTICIPLE = re.compile(
    r"\b(?:[a-zäöüß]*ge(?!lten\b|hen\b|ben\b|hör)[a-zäöüß]{2,}(?:t|en)|[a-zäöüß]{2,}iert"
    r"|(?:be|ver|er|ent|zer|miss|über|unter)[a-zäöüß]{2,}(?:t|en)|worden)\b"
)
_PRETERITE = re.compile(
    r"\b(?:(?!heute|bitte|letzte|erste|dritte|rechte|achte|beste|leute)[a-zäöüß]{3,}te"
    r"|[a-zäöüß]{2,}(?:[dtnm]eten|gten|ckten|hlten|hrten|lärten|ierten|ssten))\b"
)
_PERFECT = re.compile(
    r"\b(?:has|have|had)\b.*\b(?:\w{3,}ed|gone|done|made|become|fallen|risen|come|won|lost|left|bought|sold)\b"
)
# Forms of the past, and words that only news go with.
_PAST = re.compile(
    spelled_pattern(
        r"\b(?:wurden?|waren?|gab(?:en|s)?|geschah(?:en)?|passierte|kam(?:en)?|ging(?:en)?|fiel(?:en)?|stieg(?:en)?|"
        r"hieß|liefe?n?|did|were|happened)\b"
    )
)
_NEWS = re.compile(
    r"\b(?:los|neues|neuigkeit\w*|meldung(?:en)?|nachricht(?:en)?|news|schlagzeilen?|passiert|geschehen|chronologie|timeline|headlines?)\b"
)
# What holds at the moment of asking: "Was macht X heute?"
_STATE = re.compile(
    spelled_pattern(
        r"\b(?:macht|machen|treibt|lebt|leben|wohnt|arbeitet|heißt|heißen|gehört|gehören|kostet|kosten|gilt|gelten|nutzt|nutzen|"
        r"steht\s+\w+\s+heute|verdient|funktioniert|verwendet|denkt|geht\s+es|bedeutet|leitet|führt)\b"
    )
)
# Accounts of a quarter or year are given when it is over.
_FIGURES = re.compile(
    spelled_pattern(
        r"\b(?:umsatz\w*|umsätze|gewinne?|verluste?|absatz\w*|bilanz\w*|quartalszahlen|jahreszahlen|geschäftszahlen|zahlen|ergebnis\w*|"
        r"verkaufte?n?|verkauft|abgesetzt|ausgeliefert\w*|auslieferungen|verdiente?n?|umgesetzt|marktanteile?|\w*gehalt|\w*einkommen|vergütung|boni|"
        r"revenue|earnings|profits?|sales|sold|shipped|shipments)\b"
    )
)
_NEARBY = 200  # characters
# Another time in the same question, said by its distance from the first.
_ANOTHER_TIME = re.compile(
    spelled_pattern(
        r"(?:,|;|\b(?:und|and|sowie|bzw))\s.*\b(?:später|danach|darauf|daraufhin|anschließend|seither|seitdem|inzwischen|mittlerweile|"
        r"zuvor|davor|vorher|schließlich|am\s+ende|zuletzt|later|afterwards?|since\s+then|before\s+that|eventually|today)\b"
    )
)


def asks_for_events(question: str) -> bool:
    """Whether a question asks what happened: a tense of the past, or words for news."""
    text = lower(question)
    perfect = (_AUXILIARY.search(text) and _PARTICIPLE.search(question)) or _PERFECT.search(text)
    return bool(perfect or _PRETERITE.search(question) or _PAST.search(text) or _NEWS.search(text))


def asks_for_a_state(question: str) -> bool:
    """Whether a question asks how things stand: "heute" and "jetzt" are no days there."""
    text = lower(question)
    return bool(_STATE.search(text)) and not _NEWS.search(text)


def asks_for_figures(question: str) -> bool:
    """Whether a question asks for figures of a quarter or year, which are news in the following one."""
    return bool(_FIGURES.search(lower(question)))


def names_another_time(rest: str) -> bool:
    """Whether the words after an expression of time go on to another one ("und wer elf Jahre später?")."""
    return bool(_ANOTHER_TIME.search(lower(rest[:_NEARBY])))
