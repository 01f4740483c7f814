"""Negation: whether a sentence denies what its source says, or says what its source denies."""

import re
from collections.abc import Sequence

from archive.german import stem
from server.grounding.names import fold

_WORD = re.compile(r"[^\W\d_]+(?:n[’']t)?")
_CLAUSE = re.compile(r"[,;:–()]|\b(?:und|aber|sondern|and|but)\b")
_NEGATIONS = frozenset(
    "nicht kein keine keinen keinem keiner keines keinerlei ohne nie niemals niemand nichts weder nirgends not no "
    "never without none neither nobody nothing cannot".split()
)
_NO_NEGATION = re.compile(r"\bnicht (?:nur|zuletzt|allein)\b|\bnot only\b|\bnichts anderes\b", re.IGNORECASE)
_SOFT = re.compile(
    r"verzicht\w*|lehn(?:t|te|ten|en)|abgelehnt\w*|ablehn\w*|fehl(?:t|te|ten|en)|bestreit\w*|bestritt\w*|dementier\w*|"
    r"verhinder\w*|verweiger\w*|weiger\w*|kaum|statt|selten|gescheitert\w*|scheiter\w*|verbot\w*|verbiet\w*|untersag\w*|"
    r"entfall\w*|entfällt|entfiel\w*|aufgehoben|abgesagt|deni(?:es|ed)|refus\w*|fail(?:s|ed)?|reject\w*"
)


def _negations(clause: str) -> int:
    return sum(word.lower() in _NEGATIONS or word.lower().endswith(("n't", "n’t")) for word in _WORD.findall(clause))


def _clauses(text: str) -> list[str]:
    clauses: list[str] = []
    head, neither, tail = text.partition("eder ")  # weder ... noch denies twice
    text = head + neither + (re.sub(r"\bnoch\b", "weder", tail) if head.endswith(("w", "W")) else tail)
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

    Each clause of the claim is held against the clauses of the source that share the most words with it. Verbs that
    deny by themselves (`verzichten`, `ablehnen`) and words like `unvereinbar` stand for either.
    """
    sources = [(clause, _stems(clause), sentence) for sentence in window for clause in _clauses(sentence)]
    return any(_clause_turned(clause, claim, sources) for clause in _clauses(claim))


def _clause_turned(said: str, claim: str, sources: Sequence[tuple[str, frozenset[str], str]]) -> bool:
    words, negated = _stems(said), _denies(said)
    shared = [len(words & stems) for _, stems, _ in sources]
    most = max(shared, default=0)
    if not words or most < (1 if negated else max(2, len(words) / 2)):
        return negated and bool(words)
    nearest = [source for source, count in zip(sources, shared, strict=True) if count == most]
    if any(_denies(clause) == negated for clause, _, _ in nearest):
        return False
    if any(_denies(claim) == _denies(sentence) and _counted(claim) == _counted(sentence) for _, _, sentence in nearest):
        return False
    return not any(_softened(said, clause) for clause, _, _ in nearest)


def _denies(text: str) -> bool:
    return _negations(text) % 2 == 1


def _counted(text: str) -> int:
    return _negations(_NO_NEGATION.sub(" ", text))


def _softened(said: str, clause: str) -> bool:
    """Whether a verb denies by itself, or one text has the word that the other has with un-."""
    ours, theirs = ({word.lower() for word in _WORD.findall(text)} for text in (said, clause))
    if any(_SOFT.fullmatch(word) for word in ours | theirs):
        return True
    return any(
        "un" + word in others for words, others in ((ours, theirs), (theirs, ours)) for word in words if len(word) > 4
    )
