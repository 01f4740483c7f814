"""Which line answers: the model's choice among lines that are about as relevant."""

from math import inf

from server.choosing import BESIDE, choose, is_beside, quoted, said
from server.events import Source
from server.excerpts import Line


def line(source: int, relevance: float, position: int = 0) -> Line:
    return Line(source=source, position=position, text=f"Satz {position} der Quelle {source}.", relevance=relevance)


SURE_OF = {"first": [0.0, -9.0], "second": [-9.0, 0.0]}


def test_the_model_decides_between_lines_that_are_about_as_relevant():
    lines = [line(0, 0.90), line(1, 0.90 - BESIDE / 2)]
    assert choose(lines, SURE_OF["first"]) is lines[0]
    assert choose(lines, SURE_OF["second"]) is lines[1]


def test_a_clearly_less_relevant_source_is_not_chosen_whatever_the_model_says():
    lines = [line(0, 0.90), line(1, 0.90 - 2 * BESIDE)]
    assert choose(lines, SURE_OF["second"]) is lines[0]


def test_without_a_limit_the_model_decides_alone():
    lines = [line(0, 0.90), line(1, 0.80)]
    assert choose(lines, [-20.0, 0.0], beside=inf) is lines[1]


def test_within_the_best_source_any_line_may_be_chosen():
    lines = [line(0, 0.90), line(0, 0.90 - 2 * BESIDE, position=3)]
    assert choose(lines, SURE_OF["second"]) is lines[1]


def test_used_sources_are_left_out_while_there_are_others():
    lines = [line(0, 0.90), line(1, 0.80)]
    assert choose(lines, SURE_OF["first"], used={0}) is lines[1]
    assert choose(lines, SURE_OF["first"], used={0, 1}) is lines[0]


def test_what_may_stand_beside_the_best_line():
    assert is_beside(line(1, 0.885), line(0, 0.90))
    assert not is_beside(line(1, 0.875), line(0, 0.90))


def test_each_paragraph_is_a_quotation_of_its_own():
    passage = "Sie wurde „knapp“ entdeckt.\n\nAm Freitag fand Freund den Fehler. Er meldete ihn."
    source = Source(1, "a", "Lücke", "", None, passage, 1.0)
    found = quoted(Line(0, 1, "Am Freitag fand Freund den Fehler."), [source])

    assert found.text == passage.replace("\n\n", "\n")
    quotation = "„Sie wurde ‚knapp‘ entdeckt.“ [1] „Am Freitag fand Freund den Fehler. Er meldete ihn.“ [1]"
    assert said(found, "de").endswith(quotation)
    assert "entdeckt.” [1] “Am Freitag" in said(found, "en")
