"""Scores of answers, whoever gave them: claims and what they cite, and what stands in no source."""

from datetime import UTC, datetime

import pytest

from evaluation.claims import claims_of
from evaluation.figures import figures_in, keys_of
from evaluation.given import Evidence, Given, abstained
from evaluation.inventions import Sources
from evaluation.questions import Asked
from evaluation.scores import is_right, score_answer

FREIGHTER = Evidence(
    "a",
    "Frachter brennt im Hamburger Hafen",
    "Ein Frachter mit 300 Tonnen Bananen brannte. Der Schaden liegt bei 5,4 Millionen Euro. „Das war knapp. Sehr "
    "knapp“, sagte Kapitän Jens Ohlsen von der Reederei Nord. Zwei Menschen starben um 14.30 Uhr am 02.05.2023.",
    datetime(2023, 5, 4, 9, tzinfo=UTC),
)
CIRCUS = Evidence("b", "Zirkus zeigt Elefanten", "Der Zirkus Brumbach zeigt 1234 Elefanten.")


def asked(kind="fact", **fields) -> Asked:
    return Asked.model_validate({"qid": "q", "kind": kind, "question": "Was brannte bei Blohm?", **fields})


def given(text, *shown, **fields) -> Given:
    return Given(text, shown or (FREIGHTER, CIRCUS), **fields)


def scores(text, kind="fact", gold="a", wanted=("300",), **fields):
    golds = () if kind == "none" else (frozenset({gold}),)
    return score_answer(asked(kind, must_contain=list(wanted)), golds, given(text, **fields))


@pytest.mark.parametrize(
    ("written", "source", "same"),
    [
        ("1.234 Euro", "1234 Euro", True),
        ("1 234 Euro", "1.234 Euro", True),
        ("3,5 Prozent", "3.5 percent", True),
        ("5.400.000 Euro", "5,4 Millionen Euro", True),
        ("5,4 Milliarden Euro", "5,4 Millionen Euro", False),
        ("2 Mrd. Euro", "zwei Milliarden, also 2.000.000.000", True),
        ("3. Mai 2023", "am 03.05.2023", True),
        ("03.05.2023", "am 3. Mai 2023", True),
        ("4. Mai 2023", "am 3. Mai 2023", False),
        ("14:30 Uhr", "um 14.30 Uhr", True),
        ("drei Tote", "3 Tote", True),
        ("3 Tote", "drei Tote", True),
        ("vier Tote", "drei Tote", False),
        ("12 Tote", "120 Tote", False),
        ("1.234,50 Euro", "1234,5 Euro", True),
    ],
)
def test_figures_are_the_same_however_they_are_written(written, source, same):
    assert all(keys & keys_of(source) for _, keys in figures_in(written)) is same
    assert figures_in(written)


def test_numbers_of_a_list_are_no_figures_but_days_are():
    assert figures_in("1. Bananen\n2) Äpfel") == []
    assert [written for written, _ in figures_in("3. Mai: Brand")] == ["3"]


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Der Hamburger Kapitän Ohlsen", ()),
        ("Ohlsens Reederei in Hamburg", ()),
        ("Angela Merkel und Ohlsen", ("Angela", "Merkel")),
        ("Blohm", ()),  # the question's own word
        ("Das Unglück war laut Regierung eine Herausforderung", ()),  # common nouns
        ("Am Donnerstag im Mai", ()),  # the day of publication
        ("Am Freitag im April", ("Freitag", "April")),
        ("Das sagten Kanzler Scholz, Steinmeier und Lindner", ("Scholz", "Steinmeier", "Lindner")),
        ("Ein Chipkonzern, die neue Notenbank und 3 Urlauber", ()),
        ("In Frankreich und bei der BBC", ("Frankreich", "BBC")),
        ("Nach Angaben der Polizei gab es 3 Tote", ()),
    ],
)
def test_words_that_may_be_names_and_stand_in_no_source(text, foreign):
    assert Sources([FREIGHTER], "Was brannte bei Blohm?").foreign_names(text) == foreign


@pytest.mark.parametrize(
    ("said", "verbatim"),
    [
        ("Das war knapp. Sehr knapp", True),
        ("das war knapp.", True),
        ("Das war […] knapp", True),
        ("Das war sehr knapp", False),
        ("Was brannte bei Blohm?", True),
        ("Zirkus zeigt Elefanten", False),
    ],
)
def test_quotations_are_verbatim_or_not(said, verbatim):
    assert Sources([FREIGHTER], "Was brannte bei Blohm?").holds_verbatim(said) is verbatim


def test_a_quotation_of_several_sentences_belongs_to_one_claim():
    (claim,) = claims_of(given("Ohlsen sagte: „Das war knapp. Sehr knapp.“ [1]"), "")
    assert claim.quoted == ("Das war knapp. Sehr knapp.",) and claim.cited == ("a",) and claim.foreign == ()
    found = scores("Ohlsen sagte: „Das war sehr knapp.“ [1] Er sagte „Das war knapp“ [1].")
    assert (found["unmarked_quotations"], found["quotations_verbatim"]) == (1, 0.5)


def test_what_an_answer_says_of_itself_needs_no_source():
    said = "Wörtliche Zitate dazu finde ich in diesen Meldungen nicht. Ohlsen rief Kowalke."
    ours, theirs = claims_of(given(said), "")
    assert (ours.foreign, theirs.foreign) == ((), ("Kowalke",))


def test_escapes_of_markdown_are_no_part_of_a_quotation():
    source = Evidence("m", "Ein * Stern", 'Er schrieb „a_b* [1]“ und "nichts" <hier>.')
    text = 'Dazu heißt es in „Ein \\* Stern“: „Er schrieb „a_b\\* \\[1\\]“ und "nichts" &lt;hier\\>.“ [1]'
    (claim,) = claims_of(given(text, source), "")
    assert claim.cited == ("m",) and len(claim.quoted) == 2 and claim.foreign == ()


def test_what_is_marked_is_not_counted_as_invented():
    bare = scores("Es brannten 300 Tonnen [1]. Merkel sah 77 Häuser.")
    marked = scores("Es brannten 300 Tonnen [1]. Merkel sah 77 Häuser (nicht belegt).")
    assert (bare["unmarked_figures"], bare["unmarked_names"]) == (1, 1)
    assert (marked["unmarked_figures"], marked["unmarked_names"]) == (0, 0)
    assert (bare["sentences_cited"], bare["sentences_marked"]) == (0.5, 0)
    assert (marked["sentences_cited"], marked["sentences_marked"]) == (0.5, 0.5)


def test_citations_are_judged_sentence_by_sentence():
    found = scores("Es brannten 300 Tonnen [1][2]. Der Schaden ist groß [2]. Sonst nichts.\nDie Liste:")
    assert found["sentences_cited"] == pytest.approx(2 / 3)
    assert (found["citation_precision"], found["citation_recall"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert found["gold_cited"] == found["cited"] == found["right"] == 1


def test_a_system_without_marks_cites_as_a_whole():
    found = scores("Es brannten 300 Tonnen. Der Schaden ist groß.", cited=("a",))
    assert (found["sentences_cited"], found["citation_precision"], found["citation_recall"]) == (1, 1, 1)
    assert scores("Es brannten 300 Tonnen.", cited=())["sentences_cited"] == 0


def test_right_where_the_gold_was_retrieved_and_where_it_was_shown():
    kept = scores("Es waren 300 Tonnen [1].", gold="c", retrieved=("a", "c"))
    assert kept["right"] == kept["right_where_gold_retrieved"] == 1 and "right_where_gold_shown" not in kept
    assert "right_where_gold_retrieved" not in scores("Es waren 300.", gold="c")
    assert scores("Es waren 300.")["right_where_gold_shown"] == 1


def test_the_answer_itself_tells_whether_it_abstained():
    refused = scores("Nichts. Am nächsten: 300 Tonnen Bananen [1]", abstained=True)
    assert (refused["false_abstention"], refused["right"]) == (1, 0) and "sentences_cited" not in refused
    extract = "In der Meldung heißt es: „Ein Frachter mit 300 Tonnen Bananen brannte.“ [1]"
    assert scores(extract, abstained=False)["false_abstention"] == 0 and not abstained(extract)
    assert scores("Es waren 300 [1].", "none", abstained=True)["abstained"] == 1
    assert scores("Das weiß ich nicht.", "none")["abstained"] == 1
    assert scores("Es waren 300 [1].", "none")["abstained"] == 0


@pytest.mark.parametrize(
    ("wanted", "text", "right"),
    [
        ("2", "Es sind 2 [1].", True),
        ("2", "Im Jahr 2015 [2].", False),
        ("2", "Es sind 2,5 Meter.", False),
        ("3.538", "3538 Fälle", True),
        ("3538", "3.538 Fälle", True),
        ("vier", "vierzehn Tore", False),
        ("vier", "vier Tore", True),
        ("den „Ruf“", "Den  Ruf hat er", True),
        ("20-18", "20–18 gewonnen", True),
        ("Insider", "wegen Insiderhandels", True),
    ],
)
def test_right_answers(wanted, text, right):
    assert is_right(asked(must_contain=[wanted]), text) is right


def test_times_that_were_not_taken_are_not_counted():
    found = scores("300 [1].", ttft=5.0, total=9.0)
    assert (found["ttft"], found["total"]) == (5.0, 9.0) and "first_status" not in found and "grounded" not in found
