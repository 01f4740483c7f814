import pytest

from server.citations import CitationChecker
from server.support import Evidence

TEXTS = [
    "Die Hintertür in den XZ Utils entdeckte Andres Freund am 29. März 2024, weil SSH-Anmeldungen langsamer wurden.",
    "Intel verschiebt den Bau der Chipfabrik in Magdeburg um zwei Jahre. Die Förderung beträgt 9,9 Milliarden Euro.",
]
PASSAGES = [Evidence("", None, text) for text in TEXTS]


def checked(text: str, size: int = 4) -> tuple[str, CitationChecker]:
    """The answer fed in pieces of `size` characters, as a model streams it."""
    checker = CitationChecker(PASSAGES)
    out = "".join(checker.feed(text[start : start + size]) for start in range(0, len(text), size))
    return out + checker.finish(), checker


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_right_citation_stays(size):
    text = (
        "Andres Freund entdeckte die Hintertür in den XZ Utils [1]. Intel verschiebt die Chipfabrik in Magdeburg [2]."
    )
    assert checked(text, size)[0] == text


def test_a_wrong_number_is_put_right():
    text, checker = checked("Andres Freund entdeckte die Hintertür in den XZ Utils [2].")
    assert text == "Andres Freund entdeckte die Hintertür in den XZ Utils [1]."
    assert checker.grounding.corrected == 1


def test_a_missing_citation_is_added():
    text, checker = checked("Intel verschiebt den Bau der Chipfabrik in Magdeburg um zwei Jahre.")
    assert text == "Intel verschiebt den Bau der Chipfabrik in Magdeburg um zwei Jahre [2]."
    assert checker.grounding.corrected == 1


def test_a_number_without_a_source_is_dropped():
    text, checker = checked("Der Mond besteht vollständig aus Käse [7].")
    assert text == "Der Mond besteht vollständig aus Käse."
    assert checker.grounding.unsupported == ["Der Mond besteht vollständig aus Käse."]


@pytest.mark.parametrize("form", ["[Meldung 1]", "[Quelle 1]", "【1】", "[#1]", "[1, 1]", "[Source 1]"])
def test_other_forms_become_plain_ones(form):
    assert checked(f"Andres Freund entdeckte die Hintertür {form}.")[0] == "Andres Freund entdeckte die Hintertür [1]."


def test_citations_after_the_full_stop_move_before_it():
    text = "Andres Freund entdeckte die Hintertür. [1] Intel verschiebt die Fabrik in Magdeburg. [2]"
    assert (
        checked(text)[0] == "Andres Freund entdeckte die Hintertür [1]. Intel verschiebt die Fabrik in Magdeburg [2]."
    )


def test_ordinals_and_abbreviations_end_no_sentence():
    text = "Am 29. März 2024 entdeckte z. B. Dr. Andres Freund die Hintertür in den XZ Utils [1]."
    checker = CitationChecker(PASSAGES)
    assert checker.feed(text + " ") == ""
    assert checker.finish().strip() == text


def test_a_sentence_is_released_when_the_next_one_begins():
    checker = CitationChecker(PASSAGES)
    assert checker.feed("Andres Freund entdeckte die Hintertür [1].") == ""
    assert checker.feed(" Intel") == "Andres Freund entdeckte die Hintertür [1]."


def test_a_list_keeps_its_lines():
    text = "- Andres Freund entdeckte die Hintertür [1]\n- Intel verschiebt die Chipfabrik in Magdeburg [2]\n"
    assert checked(text)[0] == text


def test_numbers_that_are_no_citations_stay():
    text = "Die Förderung für die Chipfabrik in Magdeburg beträgt 9,9 Milliarden Euro (9,9 Milliarden) [2]."
    assert checked(text)[0] == text


def test_without_passages_and_without_words_nothing_breaks():
    checker = CitationChecker([])
    assert (checker.feed("Hallo [1]. ") + checker.finish()).strip() == "Hallo."
    assert CitationChecker([]).finish() == ""


def test_a_figure_that_stands_in_no_passage_is_marked():
    checker = CitationChecker(PASSAGES, mark="(nicht belegt)")
    text = (
        checker.feed("Andres Freund entdeckte die Hintertür in den XZ Utils am 31. März 2024 [1].") + checker.finish()
    )
    assert text.endswith("31. März 2024 (nicht belegt).")
    assert len(checker.grounding.unsupported) == 1


def test_figures_of_the_question_need_no_passage():
    checker = CitationChecker(PASSAGES, question="Was geschah 2025 in Magdeburg?", mark="(nicht belegt)")
    text = checker.feed("Auch 2025 verschiebt Intel den Bau der Chipfabrik in Magdeburg.") + checker.finish()
    assert text.endswith("Magdeburg [2].")


def test_a_line_that_announces_a_list_is_no_claim():
    text, checker = checked("Folgendes geschah im Archiv:\n")
    assert text == "Folgendes geschah im Archiv:\n"
    assert not checker.grounding.unsupported


def test_a_sentence_may_begin_with_a_figure():
    text = "Die Antwort ist: 9,9 Milliarden Euro beträgt die Förderung der Chipfabrik in Magdeburg [2]."
    assert checked(text)[0] == text


def test_the_number_of_a_list_item_is_no_figure():
    text = "7. Intel verschiebt den Bau der Chipfabrik in Magdeburg [2]"
    assert checked(text)[0] == text
