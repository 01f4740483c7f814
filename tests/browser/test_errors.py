"""What goes wrong, as a person sees it in real Open WebUI: told in German, with what to do, and never half an answer
that looks whole.
"""

import pytest
from engine_process import ANSWER
from newsroom import Newsroom
from openwebui import Chat

pytestmark = [pytest.mark.browser, pytest.mark.models]
QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"


@pytest.fixture
def open_chat(office: Newsroom, desk: Chat):
    """A new chat with the archive's model, attached in one of the ways."""

    def opened(way: str = "") -> Chat:
        desk.open(f"/?model={office.model(way)}")
        return desk

    return opened


def test_an_engine_that_is_away_is_told_and_the_next_question_answered_once_it_is_back(office, open_chat):
    chat = open_chat()
    office.engine.kill()
    chat.send(QUESTION)
    told = chat.wait_error()
    assert told.startswith("Das Sprachmodell ist gerade nicht erreichbar. Bitte in einer Minute noch einmal fragen.")
    answer = chat.answer()
    assert not answer.text and answer.statuses == ["Abgebrochen"]  # it would say for good that it reads

    office.engine.start()
    answer = chat.ask(QUESTION)
    assert "Freund" in answer.text and not answer.errors


def test_an_engine_that_dies_amid_an_answer_leaves_no_half_that_looks_whole(office, open_chat):
    chat = open_chat()
    office.engine.behave(fault="dying", after=24, answer=" ".join([ANSWER] * 4))
    chat.send(QUESTION)
    assert "die Antwort ist nicht vollständig. Bitte noch einmal fragen." in chat.wait_error()
    assert "Freund" in chat.answer().text

    chat.reload()
    kept = chat.answer()
    assert "Freund" in kept.text and "die Antwort ist nicht vollständig" in kept.errors[0]


def test_a_quota_that_is_used_up_says_when_it_goes_on(open_chat):
    chat = open_chat("knapp")
    assert "Freund" in chat.ask(QUESTION).text
    chat.send("Und wodurch fiel sie auf?")
    told = chat.wait_error()
    assert told.startswith("Das Kontingent an Fragen ist für heute aufgebraucht. Morgen geht es weiter.")


@pytest.mark.parametrize("way", ["alt", "falsch"])
def test_a_key_that_opens_nothing_is_told_to_whoever_can_mend_it(open_chat, way):
    chat = open_chat(way)
    chat.send(QUESTION)
    told = chat.wait_error()
    assert told.startswith("Der Schlüssel zum Archiv ist falsch oder abgelaufen.")
    assert "Wer diesen Chat betreibt" in told


def test_too_long_a_question_says_so(open_chat):
    chat = open_chat()
    chat.send(f"{QUESTION} {'Wort ' * 50_000}")
    assert chat.wait_error().startswith("Das ist mehr Text, als sich lesen lässt.")
