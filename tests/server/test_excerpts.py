import numpy as np

from server.blending import Blend
from server.events import Source
from server.excerpts import Excerpt, excerpt, judged, located
from server.expectations import Expectation

TEXT = (
    "In den XZ Utils steckt eine Hintertür. Andres Freund fand sie durch Zufall. "
    + "Das Wetter bleibt in den nächsten Tagen wechselhaft und kühl. " * 12
).strip()


class WordEmbedder:
    """Near is what shares the word "Hintertür"."""

    def embed_queries(self, texts):
        return np.array([[1.0, 0.0] if "Hintertür" in text else [0.0, 1.0] for text in texts], np.float32)

    embed_passages = embed_queries


def source(number: int, text: str) -> Source:
    return Source(number, str(number), "Titel", "http://x", None, text, 1.0)


def test_the_best_sentence_brings_the_one_after_it():
    found = excerpt(WordEmbedder(), "Wer fand die Hintertür?", [source(1, TEXT)], 110)
    assert found.sources[0].excerpt == "In den XZ Utils steckt eine Hintertür. Andres Freund fand sie durch Zufall."
    assert found.sources[0].passage == TEXT


def test_lines_come_in_reading_order_each_source_headed_by_its_headline():
    found = excerpt(WordEmbedder(), "Wer fand die Hintertür?", [source(1, TEXT), source(2, TEXT)], 5000)
    assert [line.position for line in found.lines if line.source == 0] == list(range(-1, 14))
    assert [line.source for line in found.lines] == [0] * 15 + [1] * 15
    assert found.lines[0].text == "Titel"
    assert max(found.lines, key=lambda line: line.relevance).text == "In den XZ Utils steckt eine Hintertür."


def test_what_fits_stays_whole():
    found = excerpt(WordEmbedder(), "Wer?", [source(1, TEXT)], 5000)
    assert found.sources[0].excerpt == TEXT


def test_a_source_that_brings_nothing_is_left_out_and_the_rest_numbered_anew():
    sources = [source(1, "Das Wetter bleibt wechselhaft. Morgen regnet es."), source(2, TEXT)]
    found = excerpt(WordEmbedder(), "Wer fand die Hintertür?", sources, 110)
    assert [(one.article_id, one.number) for one in found.sources] == [("2", 1)]
    assert {line.source for line in found.lines} == {0}


def test_the_budget_holds_with_what_heads_a_source():
    sources = [source(number, TEXT) for number in (1, 2, 3)]
    found = excerpt(WordEmbedder(), "Wer fand die Hintertür?", sources, 200)
    assert 0 < sum(len(line.text) for line in found.lines) + 25 * len(found.sources) <= 200


def test_a_question_for_several_things_keeps_every_source():
    sources = [source(number, TEXT) for number in (1, 2, 3)]
    found = excerpt(WordEmbedder(), "Wer fand die Hintertür?", sources, 100, each=True)
    assert [one.number for one in found.sources] == [1, 2, 3]
    assert all("Hintertür" in one.excerpt for one in found.sources)


def test_what_the_question_expects_weighs():
    text = "Der Fund machte Schlagzeilen. Es kamen 400 Leute. Das Wetter bleibt kühl."
    expectation = Expectation("Wie viele Leute kamen?")
    found = excerpt(WordEmbedder(), "Wie viele Leute kamen?", [source(1, text)], 60, expectation)
    assert found.sources[0].excerpt == "Es kamen 400 Leute."


def test_what_lies_between_two_passages_is_a_gap():
    assert located("Eins ist so. Zwei auch. […] Drei nicht.") == {0: "Eins ist so.", 1: "Zwei auch.", 3: "Drei nicht."}


def test_rows_of_a_table_are_no_sentences():
    assert list(located("Eins ist so.\n| Frage | Antwort |\n|---|---|\nZwei auch.").values()) == [
        "Eins ist so.",
        "Zwei auch.",
    ]


def test_without_sources_there_is_nothing_to_show():
    assert excerpt(WordEmbedder(), "Wer?", [], 500) == Excerpt((), ())


class KeenReranker:
    """Sure of every text that names Andres Freund; it remembers what it read."""

    name = "keen"

    def __init__(self, blend):
        self.blend, self.read = blend, []

    def logits(self, query, passages):
        self.read.append((query, list(passages)))
        return np.array([4.0 * ("Freund" in text) for text in passages], np.float32)


ASKED = "Wer fand die Hintertür?"


def test_a_reranker_judges_each_line_under_its_headline():
    found = excerpt(WordEmbedder(), ASKED, [source(1, TEXT)], 5000)
    keen = KeenReranker(Blend((1.0, 1.0), 0.0))
    told = judged(found, ASKED, keen)

    ((asked, texts),) = keen.read
    assert asked == ASKED
    assert texts[:2] == ["Titel", "Titel\nIn den XZ Utils steckt eine Hintertür."]
    gained = [now.relevance - before.relevance for now, before in zip(told.lines, found.lines, strict=True)]
    assert [line.text for line, gain in zip(told.lines, gained, strict=True) if gain > 0] == [
        "Andres Freund fand sie durch Zufall."
    ]
    assert told.sources == found.sources


def test_without_a_calibrated_reranker_the_lines_stay_as_they_are():
    found = excerpt(WordEmbedder(), ASKED, [source(1, TEXT)], 5000)
    assert judged(found, ASKED, None) is found
    assert judged(found, ASKED, KeenReranker(None)) is found
