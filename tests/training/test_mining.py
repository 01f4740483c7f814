"""Hard negatives out of a real archive, and questions written by a scripted generator."""

from dataclasses import replace
from datetime import datetime

import pytest
from embedders import WordEmbedder
from scripted import ScriptedGenerator

from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage
from archive.settings import Settings
from server.retrieval import Retriever
from training.examples import Example
from training.mining import corpus_archive, mine
from training.synthesis import Synthesis, Written, choose_passages, read_written

TEXTS = {
    "fähre": "Wegen des Sturms fährt keine Fähre nach Borkum. " * 4,
    "bahn": "Wegen des Sturms fährt keine Bahn nach Sylt. " * 4,
    "wal": "Ein Wal wurde vor der Küste von Sylt gesehen. " * 4,
}


@pytest.fixture
def archive(tmp_path):
    archive = Archive.open(Settings(home=tmp_path), WordEmbedder())
    moment = datetime(2023, 5, 1, tzinfo=TIME_ZONE)
    with archive.writing():
        archive.ledger.store(
            (
                Article(name, name.title(), text, published=moment),
                [Passage(f"{name}#0", name, 0, text, name.title(), moment)],
            )
            for name, text in TEXTS.items()
        )
        archive.index_pending()
    yield archive
    archive.close()


def example(archive, name, query, origin="synthetic"):
    return Example(query, archive.ledger.passages([f"{name}#0"])[f"{name}#0"], origin)


def test_negatives_are_what_retrieval_finds_beside_the_answer(archive):
    (judged,) = mine(Retriever(archive, None, 10), [example(archive, "fähre", "Fährt eine Fähre nach Borkum?")])

    assert "Borkum" in judged.positive.text and judged.positive.scores["fused"]
    assert [candidate.answers for candidate in judged.candidates].count(True) == 1
    assert "Bahn" in judged.negatives[0].text


def test_a_known_line_is_to_be_chosen_among_those_of_its_passage_first(archive):
    line = "Wegen des Sturms fährt keine Fähre nach Borkum."
    passage = replace(archive.ledger.passages(["fähre#0"])["fähre#0"], text=f"Es stürmt. {line}")
    asked = Example("Fährt eine Fähre nach Borkum?", passage, "squad", line)
    whole, lines = mine(Retriever(archive, None, 10), [asked])

    assert (whole.unit, lines.unit) == ("passage", "line")
    head, _, said = lines.positive.text.partition("\n")
    assert head.startswith("Fähre") and said == line
    assert lines.negatives[0].text == f"{head}\nEs stürmt."
    assert any("Bahn" in candidate.text for candidate in lines.negatives)


def test_a_question_that_does_not_find_its_own_passage_is_dropped(archive, monkeypatch):
    monkeypatch.setattr("training.mining.DEPTH", 1)
    lost = example(archive, "wal", "Fährt eine Fähre nach Borkum?")

    assert mine(Retriever(archive, None, 1), [lost]) == []


def test_what_outranks_a_report_may_answer_too_and_is_no_negative(archive):
    """In news another report may answer; a benchmark's question has one paragraph."""
    asked = "Wegen des Sturms fährt keine Fähre nach Borkum"
    for origin, first in (("synthetic", False), ("squad", True)):
        (judged,) = mine(Retriever(archive, None, 10), [example(archive, "bahn", asked, origin)])
        assert any("Borkum" in candidate.text for candidate in judged.negatives) is first


def test_passages_from_outside_get_an_archive_of_their_own(tmp_path):
    passage = Passage("squad-0#3", "squad-0", 3, "Der Rhein ist lang.", "Rhein")
    examples = [Example("Wie lang ist der Rhein?", passage, "squad")] * 2
    for _ in range(2):  # again: nothing is doubled
        archive = corpus_archive(examples, WordEmbedder(), Settings(home=tmp_path / "other"), tmp_path / "corpus")
        assert archive.ledger.counts().articles == 1
        archive.close()


def test_questions_are_read_out_of_what_a_model_writes():
    text = "Der Turm ist 38 Meter hoch. Gebaut wurde er 1899 von Amalie Voss."
    told = (
        "1. Wie hoch ist der alte Turm? | 38 Meter\n- Wann wurde der Turm gebaut, und von wem? | 1899\nDas ist keine.\n"
        "Wie hoch ist der alte Turm? | 38 Meter\nVon wem ist der Turm? |\nKurz? | 1899"
    )

    assert read_written(told, text) == [
        Written("Wie hoch ist der alte Turm?", "38 Meter"),
        Written("Wann wurde der Turm gebaut, und von wem?", "1899"),
    ]


def test_a_question_whose_answer_the_passage_does_not_hold_is_dropped():
    text = "Der Turm ist 38 Meter hoch. Gebaut wurde er 1899 von Amalie Voss."
    invented = "Wer hat den Turm in Wismar gebaut? | Karl Voss"
    part_of_a_number = "Wie viele Stufen hat der Turm? | 8"
    given_away = "Wie hoch ist der Turm von Amalie Voss? | Amalie Voss"

    assert read_written("\n".join((invented, part_of_a_number, given_away)), text) == []


def test_an_interrupted_writing_goes_on(archive, tmp_path):
    passages = choose_passages(archive.ledger, 10, frozenset({"wal"}))
    assert sorted(passage.article_id for passage in passages) == ["bahn", "fähre"]
    path, generator = tmp_path / "written.jsonl", ScriptedGenerator()
    generator.enqueue("Weswegen fährt heute nichts mehr? | des Sturms\nWas fährt heute alles nicht mehr? | keine")
    Synthesis(path).write(generator, passages[:1])
    path.write_text(path.read_text() + '{"passage": "cut')
    generator.enqueue("Warum ist die Insel abgeschnitten? | Wegen des Sturms")
    synthesis = Synthesis(path)
    synthesis.write(generator, passages)

    assert len(generator.asked) == 2
    assert [one.query for one in synthesis.examples(passages)] == [
        "Weswegen fährt heute nichts mehr?", "Was fährt heute alles nicht mehr?", "Warum ist die Insel abgeschnitten?"
    ]  # fmt: skip
    assert passages[1].id in Synthesis(path)


def test_the_answer_tells_the_line_unless_it_stands_in_several(tmp_path):
    text = "Der Turm ist 38 Meter hoch. Gebaut wurde er 1899 von Amalie Voss. Voss starb 1921."
    passage = Passage("turm#0", "turm", 0, text, "Turm")
    generator = ScriptedGenerator()
    generator.enqueue("Wann wurde der Turm gebaut? | 1899\nWer baute damals den Turm? | Voss")
    synthesis = Synthesis(tmp_path / "written.jsonl")
    synthesis.write(generator, [passage])

    assert [one.line for one in synthesis.examples([passage])] == ["Gebaut wurde er 1899 von Amalie Voss.", ""]
