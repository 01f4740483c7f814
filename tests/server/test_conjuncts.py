"""Two matters joined by "und": read out of a question, and told from one matter by what the archive holds."""

import pytest

from archive.articles import Hit, Passage
from server.conjuncts import conjuncts, told_apart

LANDINGS = "Weshalb mussten die Tupolew in Chabarowsk und die Boeing in Budapest notlanden?"


def hit(article, text, title="Notlandung"):
    return Hit(Passage(f"{article}#0", article, 0, text, title), 1.0)


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        (
            LANDINGS,
            (
                "Weshalb mussten die Tupolew in Chabarowsk notlanden?",
                "Weshalb mussten die Boeing in Budapest notlanden?",
            ),
        ),
        # What follows the second belongs to both, as the first has no place of its own.
        (
            "Wie reagierten Moskau und Peking auf die Aktion in Venezuela?",
            (
                "Wie reagierten Moskau auf die Aktion in Venezuela?",
                "Wie reagierten Peking auf die Aktion in Venezuela?",
            ),
        ),
        # Not both have names.
        ("Wie viele Beamte und Richter schickte die EU?", ()),
        ("Was kosten Miete und Strom in Hamburg?", ()),
        ("Wer fand die Lücke in Log4j?", ()),
        ("und", ()),
        ("Und Merkel und", ()),
    ],
)
def test_the_sides_of_a_question(question, sides):
    assert tuple(one.question for one in conjuncts(question)) == sides


def test_different_reports_tell_apart():
    assert told_apart(
        conjuncts(LANDINGS), [hit("a", "Die Tupolew kreiste."), hit("b", "Die Boeing brannte."), hit("c", "Ein Wal.")]
    )


@pytest.mark.parametrize(
    "hits",
    [
        [
            hit("a", "Die Tupolew kreiste."),
            hit("a", "Auch die Boeing."),
            hit("b", "Die Boeing brannte."),
        ],  # both in one
        [hit("a", "Die Tupolew kreiste."), hit("b", "Ein Wal.")],  # nothing of the second
        [],
    ],
)
def test_otherwise_the_question_is_one(hits):
    assert not told_apart(conjuncts(LANDINGS), hits)
