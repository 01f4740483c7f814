"""How well a passage bears out a sentence: all its facts and most of its words within a few neighbouring sentences.

A model picks the neighbouring name and joins what stands far apart, so words scattered over a passage prove nothing.
Every window of up to three sentences is tried, always with the title and the day of publication. In a window every
figure, date, identifier and name must be found; the share of the other words that it holds is the support. Content that
the question brought up may stand anywhere in the passage, and carries nothing by itself.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from archive.articles import day_of
from server.function_words import ENGLISH
from server.grounding import datings, quantities
from server.grounding.claims import Claim, Word, claim_of, near_forms
from server.grounding.evidence import Evidence, Sentence
from server.grounding.mentions import Mentions
from server.grounding.names import WORD, Name, fold
from server.grounding.negation import turned
from server.sentences import sentences

_WINDOW = 3  # sentences
_WIDER = 0.03  # what each further sentence of a window costs, so that the tightest wins
_FACT = 1.5  # weight of a fact beside words
_DOUBTFUL = 4.0  # weight of the question's words that may be names
_LITTLE = 0.25  # what a name or number that is all of a sentence earns beside the words of the question
_APART = 0.2  # share of the words that a window with the facts may lack of the best window without
_DENIED = 0.05  # how far below the best window another may lie that is free of its negation
_FACTS_ALONE = 0.7  # support by facts where words can't be compared: enough, but not certain
_FEW = 12  # a question's counts up to this may be repeated without proof
_CALENDAR = frozenset(
    """january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday""".split()
)
_GAP = re.compile(r"\s*(?:\[…\]|…)\s*|\n+")


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage bears out a claim, 0 to 1, and the sentences that do. 0 where a fact is missing."""

    score: float = 0.0
    window: tuple[str, ...] = ()


class Asked:
    """What a question lends to its answer."""

    def __init__(self, question: str) -> None:
        self.claim = claim_of(question)
        self._mentions = Mentions(self.claim.text)
        self._near = frozenset(form for word in self._mentions.words for form in near_forms(word))

    @property
    def words(self) -> list[Word]:
        """The question's own content."""
        return [*self.claim.words, *(Word(name.key, _FACT) for name in self.claim.names)]

    def lends_figure(self, quantity: quantities.Quantity) -> bool:
        """Whether the question says this figure."""
        return quantities.borne_out(quantity, self.claim.quantities)

    def lends_date(self, dating: datings.Dating) -> bool:
        """Whether the question says this date, or one within it."""
        return datings.borne_out(dating, self.claim.datings)

    def lends_name(self, name: Name) -> bool:
        """Whether the question holds this name."""
        return self._mentions.hold(name.key)

    def says(self, name: str) -> bool:
        """Whether the question holds this folded word."""
        return self._mentions.hold(name)

    def lends_word(self, word: Word) -> bool:
        """Whether the question holds this word or a form of it."""
        return not near_forms(word.key).isdisjoint(self._near)


class Passage:
    """One source, prepared on first use to bear out the sentences of an answer."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def _published(self) -> date | None:
        moment = self.evidence.published
        return day_of(moment) if moment else None

    @cached_property
    def _head(self) -> Sentence:
        head = Sentence(self.evidence.title, self._published, None)
        if self._published:
            head.datings.append(datings.of_day(self._published))
        return head

    @cached_property
    def _sentences(self) -> list[Sentence]:
        prepared, year = [], self._published.year if self._published else None
        for stretch in _GAP.split(self.evidence.text):
            for text in sentences(stretch):
                sentence = Sentence(text, self._published, year)
                year = next((found.year for found in sentence.datings if found.year and found.end), year)
                prepared.append(sentence)
        return prepared

    @cached_property
    def _all(self) -> list[Sentence]:
        return [self._head, *self._sentences]

    def support(self, claim: Claim, asked: Asked, answering: bool = False) -> Support:
        """The best window for a claim; `answering` measures the words of the question there instead of its own."""
        if not self._lent_facts_hold(claim, asked):
            return Support()
        needed = _needed(claim, asked, self._all)
        lent = [word for word in claim.words if asked.lends_word(word)]
        own = [word for word in claim.words if word not in lent]
        lent += [Word(name.key, _DOUBTFUL) for name in claim.names if not name.sure and asked.lends_name(name)]
        if answering:
            own, lent = [*asked.words], []
        elif not own and not needed:  # nothing but the question's own words, which must stand together then
            own, lent = lent, []
        lent_credits = [max((sentence.credit(word) for sentence in self._all), default=0.0) for word in lent]
        credits = [[sentence.credit(word) for word in own] for sentence in self._sentences]
        head = [self._head.credit(word) for word in own]
        best, most = Support(), 0.0
        found: list[tuple[float, float, Sequence[Sentence]]] = []
        for size in range(1, _WINDOW + 1):
            for start in range(max(1, len(self._sentences) - size + 1)):
                window = self._sentences[start : start + size]
                rows = [head, *credits[start : start + size]]
                covered = [max(row[index] for row in rows) for index in range(len(own))]
                words = _share(own, covered, [], [], 0)
                most = max(most, words)
                if words >= most - _APART and _hold((self._head, *window), needed):
                    score = _share(own, covered, lent, lent_credits, 0 if answering else len(needed))
                    found.append((score + (_LITTLE if answering else 0.0) - _WIDER * (size - 1), words, window))
        # A fact must stand where the words stand, and a denial close to the best place speaks for all others.
        near = [(score, window) for score, words, window in found if words >= most - _APART]
        highest = max((score for score, _ in near), default=0.0)
        for score, place in near:
            if score > max(best.score, highest - _DENIED):
                texts = tuple(sentence.text for sentence in place) or (self._head.text,)
                if not turned(claim.text, texts):
                    best = Support(score, texts)
        return best

    def facts(self, claim: Claim, asked: Asked) -> Support:
        """The window that holds all facts of a claim in another language, whose words can't be compared.

        What brings no fact of its own is not borne out.
        """
        needed = _needed(replace(claim, names=()), asked, self._all)
        for name in capitalized(claim.text):
            if not asked.says(name):
                needed.append(lambda sentence, it=name: sentence.mentions.hold(it))  # type: ignore[misc]
        if not needed or not self._lent_facts_hold(claim, asked):
            return Support()
        for size in range(1, _WINDOW + 1):
            for start in range(max(1, len(self._sentences) - size + 1)):
                window = self._sentences[start : start + size]
                if _hold((self._head, *window), needed):
                    return Support(_FACTS_ALONE, tuple(sentence.text for sentence in window) or (self._head.text,))
        return Support()

    def _lent_facts_hold(self, claim: Claim, asked: Asked) -> bool:
        """Whether what the question says is anywhere in the passage, as far as the passage could say it."""
        for name in claim.names:
            lent = name.sure and asked.lends_name(name)
            if lent and not any(sentence.mentions.hold_nearly(name.key) for sentence in self._all):
                return False
        for dating in claim.datings:
            known = [found for sentence in self._all for found in sentence.datings if found.year or not dating.year]
            if asked.lends_date(dating) and known and not datings.borne_out(dating, known):
                return False
        return all(
            min(quantity.values) <= _FEW
            or any(quantities.borne_out(quantity, sentence.quantities) for sentence in self._all)
            for quantity in claim.quantities
            if asked.lends_figure(quantity)
        )


def capitalized(text: str) -> list[str]:
    """The names of an English sentence, folded: what is capitalized there is one, but for its first word by itself."""
    words = list(WORD.finditer(text))
    names = [word for word in words if word[0][0].isupper() and word[0].lower() not in ENGLISH | _CALENDAR]
    if names and words[0] is names[0] and (len(words) < 2 or not words[1][0][0].isupper()):
        names = names[1:]
    return [fold(word[0]) for word in names]


def _hold(window: Sequence[Sentence], needed: Sequence[Callable[[Sentence], bool]]) -> bool:
    return all(any(fact(sentence) for sentence in window) for fact in needed)


def _needed(claim: Claim, asked: Asked, everywhere: Sequence[Sentence]) -> list[Callable[[Sentence], bool]]:
    """A test for each fact that the question doesn't lend: whether a sentence of the source holds it.

    A given name needs none where it stands beside the surname `everywhere`.
    """
    tests: list[Callable[[Sentence], bool]] = []
    for quantity in claim.quantities:
        if not asked.lends_figure(quantity):
            tests.append(lambda sentence, it=quantity: quantities.borne_out(it, sentence.quantities))  # type: ignore[misc]
    for dating in claim.datings:
        if not asked.lends_date(dating):
            tests.append(lambda sentence, it=dating: datings.borne_out(it, sentence.datings))  # type: ignore[misc]
    for identifier in claim.identifiers:
        tests.append(lambda sentence, it=identifier: sentence.holds(it))  # type: ignore[misc]
    for address in claim.addresses:
        tests.append(lambda sentence, it=address: it in sentence.text)  # type: ignore[misc]
    for name in claim.names:
        whole = name.surname and any(sentence.mentions.hold_whole(name.key, name.surname) for sentence in everywhere)
        if not whole and not asked.lends_name(name):
            tests.append(lambda sentence, it=name: sentence.names(it))  # type: ignore[misc]
    return tests


def _share(
    own: Sequence[Word], covered: Sequence[float], lent: Sequence[Word], lent_credits: Sequence[float], facts: int
) -> float:
    """The share of a claim's words that is held, by weight; of its own alone where that is less.

    Facts are held where this is asked, and count like nouns.
    """
    weights = [word.weight for word in own]
    got = sum(weight * credit for weight, credit in zip(weights, covered, strict=True)) + _FACT * facts
    total = sum(weights) + _FACT * facts
    lent_total = sum(word.weight for word in lent)
    lent_got = sum(word.weight * credit for word, credit in zip(lent, lent_credits, strict=True))
    if not total + lent_total:
        return 0.0
    whole = (got + lent_got) / (total + lent_total)
    return min(whole, got / total) if total else whole
