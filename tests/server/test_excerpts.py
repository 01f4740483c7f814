from server.events import Source
from server.excerpts import excerpt

TEXT = (
    "In den XZ Utils steckt eine Hintertür. Andres Freund fand sie durch Zufall. "
    + "Das Wetter bleibt in den nächsten Tagen wechselhaft und kühl. " * 12
).strip()


class WordEmbedder:
    """Near is what shares the word "Hintertür"."""

    def embed_queries(self, texts):
        import numpy as np

        return np.array([[1.0, 0.0] if "Hintertür" in text else [0.0, 1.0] for text in texts], np.float32)

    embed_passages = embed_queries


def source(number: int, text: str) -> Source:
    return Source(number, str(number), "Titel", "http://x", None, text, 1.0)


def test_the_best_sentence_brings_the_one_after_it():
    (found,) = excerpt(WordEmbedder(), "Wer fand die Hintertür?", [source(1, TEXT)], 90)
    assert found.excerpt == "In den XZ Utils steckt eine Hintertür. Andres Freund fand sie durch Zufall."
    assert found.passage == TEXT


def test_what_fits_stays_whole():
    (found,) = excerpt(WordEmbedder(), "Wer?", [source(1, TEXT)], 5000)
    assert found.excerpt == TEXT


def test_every_source_keeps_a_sentence_and_the_budget_holds():
    sources = [source(number, TEXT) for number in (1, 2, 3)]
    found = excerpt(WordEmbedder(), "Wer fand die Hintertür?", sources, 300)
    assert all("Hintertür" in one.excerpt for one in found)
    assert sum(len(one.excerpt) for one in found) < 330
