import re
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.grounding.citations import CitationChecker
from server.grounding.evidence import Evidence

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


OTHERS = [
    Evidence(
        "Angriff auf Kliniken", datetime(2024, 3, 30, tzinfo=UTC),
        "Am Freitag wurden 1,1 Millionen Datensätze gestohlen. „Wir zahlen nicht“, sagte Klinikchefin Petra Sommer. "
        "Siebeneinhalb Prozent der Patienten sind betroffen. Der Zugang wurde nicht gesperrt.",
    ),
    Evidence(
        "Fußball-WM 2010: Spanien ist Weltmeister", datetime(2010, 7, 11, tzinfo=UTC),
        "Das Siegtor im Finale schoss Andrés Iniesta. Spanien schlug die Niederlande in der Verlängerung.",
    ),
]  # fmt: skip


def verdict(sentence: str, question: str = "", **options: str) -> tuple[str, CitationChecker]:
    checker = CitationChecker(OTHERS, question=question, mark="(nicht belegt)", **options)
    return checker.feed(sentence) + checker.finish(), checker


@pytest.mark.parametrize(
    "sentence",
    [
        "Am Freitag wurden 1.100.000 Datensätze gestohlen [1].",
        "Am 29. März 2024 wurden 1,1 Mio. Datensätze gestohlen [1].",
        "Im März 2024 wurden rund 1 Million Datensätze gestohlen [1].",
        "Betroffen sind 7,5 Prozent der Patienten [1].",
        "Die Klinikchefin sagte: „Wir zahlen nicht“ [1].",
        "Der Zugang wurde nicht gesperrt [1].",
    ],
)
def test_other_ways_to_say_the_same_are_borne_out(sentence):
    assert verdict(sentence)[0] == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "Am Freitag wurden 1,2 Millionen Datensätze gestohlen [1].",
        "Am 28. März 2024 wurden 1,1 Millionen Datensätze gestohlen [1].",
        "Im April wurden 1,1 Millionen Datensätze gestohlen [1].",
        "Betroffen sind 7,5 Millionen Patienten [1].",
        "„Wir zahlen nicht“, sagte Klinikchefin Sabine Winter [1].",
        "Der Zugang wurde gesperrt [1].",
        "Am Freitag wurden keine 1,1 Millionen Datensätze gestohlen [1].",
        "Das Siegtor im Finale schoss Arjen Robben [2].",
    ],
)
def test_what_differs_in_a_fact_is_marked(sentence):
    text, checker = verdict(sentence)
    assert text.endswith("(nicht belegt).") and "[" not in text
    assert len(checker.grounding.unsupported) == 1


def test_what_the_question_says_carries_no_sentence():
    text, _ = verdict("Das Siegtor im WM-Finale 2014 schoss Andrés Iniesta [2].", "Wer schoss das Siegtor 2014?")
    assert text.endswith("(nicht belegt).")


def test_a_count_of_the_question_may_be_repeated():
    sentence = "Die zwei Finalisten waren Spanien und die Niederlande, das Siegtor schoss Iniesta [2]."
    assert verdict(sentence, "Wer waren die zwei Finalisten?")[0] == sentence


def test_a_quotation_that_is_not_verbatim_loses_its_marks():
    text, checker = verdict("„Wir zahlen niemals etwas nicht“, sagte Petra Sommer [1].")
    assert "„" not in text
    assert checker.grounding.unquoted == ["Wir zahlen niemals etwas nicht"]


def test_a_quotation_of_several_sentences_is_one():
    evidence = [Evidence("", None, "Sie sagte: „Wir zahlen nicht. Das bleibt so.“ Dann ging sie.")]
    checker = CitationChecker(evidence)
    text = "„Wir zahlen nicht. Das bleibt so“, sagte sie [1]."
    assert checker.feed("„Wir zahlen nicht. Das ") == ""
    assert checker.feed("bleibt so“, sagte sie [1].") + checker.finish() == text


def test_withheld_sentences_stay_out_of_the_stream():
    text, checker = verdict(
        "Täter war Karl Schmidt. Das Siegtor im Finale schoss Andrés Iniesta [2].", unsupported="withhold"
    )
    assert text == "Das Siegtor im Finale schoss Andrés Iniesta [2]."
    assert checker.grounding.withheld == ["Täter war Karl Schmidt."]
    assert checker.grounding.cited == {2: 1} and checker.grounding.borne_out


@pytest.mark.parametrize(
    "sentence", ["Dazu enthalten die Meldungen keine Angaben.", "Folgendes geschah:", "Meinen Sie das Finale?"]
)
def test_what_claims_nothing_needs_no_source(sentence):
    text, checker = verdict(sentence)
    assert text == sentence and not checker.grounding.unsupported


def test_links_and_elements_are_not_released_live():
    text, _ = verdict("Siehe [hier](http://boese.example/x) und <img src=x>, sagte Petra Sommer [1].")
    assert "](" not in text and "http://" not in text and " <img" not in text


PIECES = st.lists(
    st.sampled_from([*"„“\"«».:!?[](12) \n-", "Freund", " Die ", "Iniesta schoss", " [1]", "2024", "z. B. ", "Mio. ",
    ]),
    max_size=25,
).map("".join)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(PIECES, st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_the_size_of_the_pieces_changes_nothing(text, sizes):
    whole, cut = CitationChecker(OTHERS), CitationChecker(OTHERS)
    released, start = "", 0
    while start < len(text):
        size = sizes[start % len(sizes)]
        released += cut.feed(text[start : start + size])
        start += size
    assert released + cut.finish() == whole.feed(text) + whole.finish()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(PIECES)
def test_nothing_but_citations_and_marks_is_lost(text):
    checker = CitationChecker(OTHERS)
    released = checker.feed(text) + checker.finish()
    assert re.findall(r"[^\W\d]", released) == re.findall(r"[^\W\d]", text)


def english(text: str) -> tuple[str, CitationChecker]:

    checker = CitationChecker(PASSAGES, question="Who found the backdoor?", unsupported="withhold", foreign=True)
    return checker.feed(text) + checker.finish(), checker


def test_an_answer_in_another_language_stands_on_its_facts():
    text, checker = english("Andres Freund discovered the backdoor.")
    assert text == "Andres Freund discovered the backdoor [1]."
    assert checker.grounding.borne_out


@pytest.mark.parametrize("text", ["Linus Torvalds discovered the backdoor.", "It was discovered by accident."])
def test_without_facts_that_hold_it_is_withheld(text):
    assert english(text)[0] == ""
