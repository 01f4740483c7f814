"""The chat in its own words and in the archive's: real archive and embedder, a scripted generator."""

import asyncio

import pytest
from scripted import ScriptedGenerator

from archive.settings import Settings
from server.asked import Ask
from server.engine import load_engine
from server.events import Finished, Source, Status, Text
from server.generation import Message

QUESTION = "Wem fiel die Hintertür in den XZ Utils auf?"


@pytest.fixture(scope="module")
def generator():
    return ScriptedGenerator()


@pytest.fixture(scope="module")
def engine(archive_home, generator):
    engine = load_engine(Settings(home=archive_home, offline=True), generator)
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def forgetful(generator):
    generator.__init__()


def answer(engine, question: str, history: tuple[Message, ...] = ()) -> tuple[str, Finished, list]:
    async def events():
        return [event async for event in engine.chat.stream(Ask(question, history))]

    found = asyncio.run(events())
    return "".join(event.text for event in found if isinstance(event, Text)), found[-1], found


def test_the_answer_is_the_line_that_the_generator_chooses_word_by_word(engine, generator):
    generator.favoured = ["B"]
    text, finished, _ = answer(engine, QUESTION)
    lines = generator.weighed[-1][-1].content.splitlines()
    chosen = next(line for line in lines if line.startswith("(B)")).removeprefix("(B) ")
    cited = [source for source in finished.sources if f"[{source.number}]" in text]
    assert len(cited) == 1
    assert text.startswith("In der Meldung „") and chosen[:60] in text
    assert not finished.abstained and finished.grounding.cited[cited[0].number] == 1
    assert not generator.asked  # nothing was generated


def test_status_sources_and_text_come_in_this_order(engine):
    _, _, events = answer(engine, QUESTION)
    kinds = [type(event) for event in events]
    assert kinds[0] is Status and kinds[-1] is Finished
    assert kinds.index(Source) < kinds.index(Text)


def test_every_line_that_is_read_has_a_letter_and_sources_their_headline(engine, generator):
    answer(engine, QUESTION)
    asked = generator.weighed[-1][-1].content
    lines = [line for line in asked.splitlines() if line.startswith("(")]
    assert [line[1] for line in lines] == list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(lines)])
    assert asked.rstrip().endswith("Welche Zeile beantwortet die Frage?") and QUESTION in asked


def test_parts_of_a_question_get_a_line_each(engine, generator):
    text, finished, _ = answer(
        engine, "Wer fand die Hintertür in den XZ Utils und wer verübte den Angriff auf SolarWinds?"
    )
    assert len(finished.understood["parts"]) == 2
    assert text.count("In der Meldung „") == 2
    assert finished.grounding.supported == 2
    assert len(generator.weighed) == 2


def test_what_lacks_what_the_question_expects_is_no_certain_answer(engine, generator):
    text, finished, _ = answer(engine, "Wie schwer ist der Entdecker der Hintertür in den XZ Utils?")
    assert finished.abstained
    assert text.startswith("Eine sichere Antwort finde ich im Archiv nicht") and "In der Meldung „" in text


def test_what_the_archive_does_not_know_costs_no_generator(engine, generator):
    text, finished, _ = answer(engine, "asdf qwertz yxcv jklö")
    assert text.startswith("Dazu finde ich im Archiv nichts")
    assert finished.abstained and finished.sources
    assert not generator.weighed and not generator.asked


def test_a_chronology_is_composed_without_the_generator(engine, generator):
    text, finished, _ = answer(engine, "Chronologie: Emotet")
    days = [line for line in text.splitlines() if line.startswith("- **")]
    assert len(days) >= 2
    assert [source.number for source in finished.sources] == list(range(1, len(finished.sources) + 1))
    assert all(f"[{source.number}]" in text for source in finished.sources)
    assert not generator.weighed and not generator.asked


def test_english_questions_are_answered_in_english(engine, generator):
    generator.favoured = ["Yes"]
    generator.enqueue("Andres Freund found the backdoor in the XZ Utils.")
    text, finished, _ = answer(engine, "Who found the backdoor in the XZ Utils?")
    assert text.startswith("Andres Freund found the backdoor in the XZ Utils [")
    assert finished.understood["language"] == "en"


def test_an_english_answer_that_does_not_hold_gives_way_to_the_archive(engine, generator):
    generator.favoured = ["Yes"]
    generator.enqueue("Linus Torvalds found the backdoor in the XZ Utils in 1991.")
    text, finished, _ = answer(engine, "Who found the backdoor in the XZ Utils?")
    assert "Torvalds" not in text and "The report “" in text
    assert finished.grounding.withheld


def test_a_written_answer_that_nothing_bears_out_gives_way_to_the_archive(archive_home, generator):
    engine = load_engine(Settings(home=archive_home, offline=True, wording="written"), generator)
    try:
        generator.enqueue("Ein Hamster namens Rüdiger Krautwurst entdeckte sie im Jahr 1873.")
        text, finished, _ = answer(engine, QUESTION)
        assert "Krautwurst" not in text and "1873" not in text
        assert finished.grounding.withheld
        assert "XZ" in text and "[1]" in text
    finally:
        engine.close()
