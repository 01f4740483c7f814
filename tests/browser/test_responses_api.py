"""The archive's model attached to real Open WebUI by the Responses API in place of chat completions."""

import httpx
import pytest
from engine_process import ANSWER, wait_for
from newsroom import KEY, Newsroom
from openwebui import STOP, Chat

pytestmark = [pytest.mark.browser, pytest.mark.models]
QUESTION = "Wer hat die Hintertür in den XZ Utils entdeckt?"


@pytest.fixture
def chat(office: Newsroom, desk: Chat) -> Chat:
    desk.open(f"/?model={office.model('responses')}")
    return desk


def test_an_answer_with_sources_and_status_and_a_follow_up_that_survive_a_reload(office, chat):
    first = chat.ask(QUESTION)
    assert "Andres Freund entdeckte die Hintertür in den XZ Utils" in first.text and not first.errors
    assert first.pills and any("XZ" in source for source in first.sources)
    assert any("gelesen in" in status for status in first.statuses)
    chat.wait_follow_ups()
    assert all(link.startswith("http") for link in chat.source_links(1))

    office.engine.behave(answer="Andres Freund fiel auf, dass SSH-Logins langsam waren [1].")
    second = chat.ask("Und wodurch fiel sie auf?")
    assert "Freund" in second.text and second.sources
    chat.wait_follow_ups()
    second = chat.answer()
    assert chat.page.locator(".chat-assistant").count() == 2

    chat.reload()
    later = chat.answer()
    assert (later.text, later.pills, later.sources) == (second.text, second.pills, second.sources)
    assert later.statuses and later.follow_ups == second.follow_ups
    assert not chat.external
    counted = httpx.get(f"{office.api}/metrics", headers={"Authorization": f"Bearer {KEY}"}).text
    assert '"/v1/responses"' in counted


def test_stop_frees_the_engine_and_the_next_question_is_answered(office, chat):
    office.engine.behave(answer=" ".join([ANSWER] * 40), pause=0.1)
    gone = office.engine.notes()["gone"]
    chat.send(QUESTION)
    chat.wait_text("Freund")
    chat.stop()
    assert wait_for(lambda: office.engine.notes()["gone"] == gone + 1)
    chat.page.wait_for_selector(STOP, state="detached", timeout=5_000)
    stopped = chat.answer().text
    chat.page.wait_for_timeout(2_000)
    assert chat.answer().text == stopped

    office.engine.behave()
    assert "Freund" in chat.ask(QUESTION).text


def test_an_engine_that_dies_is_told_once_below_what_was_said(office, chat):
    office.engine.behave(fault="dying", after=24, answer=" ".join([ANSWER] * 4))
    chat.send(QUESTION)
    assert "die Antwort ist nicht vollständig" in chat.wait_error()
    chat.reload()
    kept = chat.answer()
    assert len(kept.errors) == 1 and "die Antwort ist nicht vollständig" in kept.errors[0]
    assert "Freund" in kept.text
