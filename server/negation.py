"""Negation: whether a sentence denies what its source says, or says what its source denies."""

import re
from collections.abc import Sequence

from archive.german import stem
from server.names import fold

_WORD = re.compile(r"[^\W\d_]+(?:n[’']t)?")
_CLAUSE = re.compile(r"[,;:–()]|\b(?:und|aber|sondern|and|but)\b")
_NEGATIONS = frozenset(
    "nicht kein keine keinen keinem keiner keines keinerlei ohne nie niemals niemand nichts weder nirgends not no "
    "never without none neither nobody nothing cannot".split()
)
_NO_NEGATION = re.compile(r"\bnicht (?:nur|zuletzt|allein)\b|\bnot only\b|\bnichts anderes\b", re.IGNORECASE)
_SOFT = re.compile(
    r"(?:un|miss|nicht)[^\W\d_]{4,}|verzicht\w*|lehn\w*|abgelehnt\w*|ablehn\w*|fehl\w*|bestreit\w*|bestritt\w*|"
    r"dementier\w*|verhinder\w*|verweiger\w*|weiger\w*|kaum|statt|selten|gescheitert|scheiter\w*|verbot\w*|verbiet\w*|"
    r"untersag\w*|entfall\w*|entfällt|aufgehoben|abgesagt|gegen|deni\w*|refus\w*|fail\w*|reject\w*"
)


def _negations(clause: str) -> int:
    return sum(word.lower() in _NEGATIONS or word.lower().endswith(("n't", "n’t")) for word in _WORD.findall(clause))


def _clauses(text: str) -> list[str]:
    clauses: list[str] = []
    for piece in _CLAUSE.split(_NO_NEGATION.sub(" ", text)):
        if clauses and len(_stems(piece)) < 2 and not _negations(piece):
            clauses[-1] += " " + piece
        elif piece.strip():
            clauses.append(piece)
    return clauses


def _stems(text: str) -> frozenset[str]:
    return frozenset(
        key
        for word in _WORD.findall(text)
        if len(word) > 3 and word.lower() not in _NEGATIONS and (key := stem(fold(word)))
    )


def turned(claim: str, window: Sequence[str]) -> bool:
    """Whether a claim and the sentences that seem to bear it out differ in a negation.

    Each clause of the claim is held against the clause of the source that shares the most words with it. Verbs that
    deny by themselves (`verzichten`, `ablehnen`) stand for either.
    """
    clauses = [(clause, _stems(clause)) for sentence in window for clause in _clauses(sentence)]
    whole_soft = any(_SOFT.fullmatch(word.lower()) for sentence in window for word in _WORD.findall(sentence))
    claim_soft = any(_SOFT.fullmatch(word.lower()) for word in _WORD.findall(claim))
    for said in _clauses(claim):
        words = _stems(said)
        negated = _negations(said) % 2 == 1
        if not words or not clauses:
            continue
        shared = [len(words & stems) for _, stems in clauses]
        most = max(shared)
        if most == 0:
            continue
        nearest = [clause for (clause, _), count in zip(clauses, shared, strict=True) if count == most]
        if any((_negations(clause) % 2 == 1) == negated for clause in nearest):
            continue
        if negated and (whole_soft or any(_negations(sentence) for sentence in window if _near(words, sentence))):
            continue
        if not negated and (claim_soft or most < max(2, len(words) / 2)):
            continue
        return True
    return False


def _near(words: frozenset[str], sentence: str) -> bool:
    """Whether a sentence shares most of a clause's words, so that its own negation may be meant."""
    negated = [clause for clause in _clauses(sentence) if _negations(clause)]
    return any(len(words & _stems(clause)) >= max(1, len(words) / 3) for clause in negated)
