"""Sentences that claim nothing about the world: a question back, a list announced, reports that do not tell."""

import re

from server.grounding.claims import Claim
from server.grounding.support import Asked

_SOURCES = (
    r"(?:Meldung|Bericht|Nachricht|Quelle|Archiv|Artikel|Text|Passage|Auszug|Auszüge|Unterlage|Dokument|"
    r"report|source|article|archive|passage|document|text)\w*"
)
_NOT = r"(?:nicht|kein\w*|nichts|weder|no|not|none|nothing|don[’']t|doesn[’']t)"
_TOLD = r"(?:Information\w*|Angabe\w*|Hinweis\w*|Auskunft|Details?|Antwort|Daten|information|details?|answer|mention)"
_SILENT = (
    re.compile(rf"\b{_SOURCES}\b.*\b{_NOT}\b", re.IGNORECASE | re.DOTALL),
    re.compile(rf"\b{_NOT}\b.*\b{_SOURCES}\b", re.IGNORECASE | re.DOTALL),
    re.compile(rf"^\W*(?:Dazu|Darüber|Hierzu|Es|Leider|There|I)\b.*\b{_NOT}\b.*\b{_TOLD}\b", re.IGNORECASE | re.DOTALL),
)
_TELLING = re.compile(
    r"\b(?:enth[aä]lt\w*|geht|gehen|hervor|steh\w*|nenn\w*|genannt|erwähn\w*|find\w*|gefunden|sag\w*|gesagt|beantwort\w*|"
    r"liefer\w*|gib\w*|geben|mach\w*|lieg\w*|vorliegen|vorhanden|verfügbar|bekannt|ersichtlich|angegeben|berichte\w*|"
    r"contain\w*|mention\w*|say\w*|tell\w*|found|find|provide\w*|state\w*|give\w*|include\w*|available|specif\w*)\b",
    re.IGNORECASE,
)


def claims_nothing(sentence: str, claim: Claim, asked: Asked) -> bool:
    """Whether a sentence needs no source. One that brings facts of its own always does."""
    text = sentence.strip().strip("*_ ")
    if text.endswith((":", "?")) or text.startswith("#"):
        return not _own_facts(claim, asked)
    return any(form.search(text) for form in _SILENT) and bool(_TELLING.search(text)) and not _own_facts(claim, asked)


def _own_facts(claim: Claim, asked: Asked) -> bool:
    return (
        any(not asked.lends_figure(quantity) for quantity in claim.quantities)
        or any(not asked.lends_date(dating) for dating in claim.datings)
        or any(not asked.lends_name(name) for name in claim.names)
        or any(identifier not in asked.claim.identifiers for identifier in claim.identifiers)
    )
