"""A question in real Open WebUI, in a real browser, answered by the real default models from the sample archive."""

import os
import re
import urllib.request
from pathlib import Path

import pytest
from openwebui import STOP, Chat

pytestmark = [pytest.mark.browser, pytest.mark.models]
QUESTION = "Wie viele Windows-Geräte legte das fehlerhafte CrowdStrike-Update lahm?"


def test_it_greets_in_german_with_our_model_and_suggestions(chat: Chat) -> None:
    body = chat.page.inner_text("body")

    assert chat.page.get_attribute("html", "lang") in ("de", "de-DE")
    assert "Neuer Chat" in body
    assert "heise" in chat.model().lower()
    assert "Die XZ-Hintertür" in body
    assert not chat.external


def test_an_answer_with_pills_sources_and_status_that_survives_a_reload(chat: Chat) -> None:
    live = chat.ask(QUESTION)
    chat.wait_follow_ups()
    live = chat.answer()
    links = [chat.source_links(number)[0] for number in range(1, len(live.sources) + 1)]

    assert re.search(r"8,5|8\.5", live.text)
    assert live.pills and live.sources and live.statuses
    assert any("CrowdStrike" in source for source in live.sources)
    assert live.follow_ups
    for link in links:
        with urllib.request.urlopen(link.split("#")[0], timeout=10) as page:
            assert page.status == 200

    chat.reload()
    later = chat.answer()

    assert later.pills == live.pills and later.sources == live.sources
    assert later.text == live.text
    assert later.statuses and later.follow_ups == live.follow_ups
    assert not chat.external


def test_a_source_opens_the_article_in_a_tab_of_its_own(chat: Chat) -> None:
    chat.ask(QUESTION)
    assert chat.answer().sources
    chat.page.locator('button[id^="source-"]').first.click()
    with chat.page.context.expect_page() as opening:
        chat.page.locator("div[role=dialog].modal a[target=_blank]").first.click()
    article = opening.value
    article.wait_for_load_state("domcontentloaded")

    assert "CrowdStrike" in article.inner_text("body")


def test_stop_stops_and_the_next_question_is_answered(chat: Chat) -> None:
    chat.send("Wer hat die Hintertür in den XZ Utils entdeckt, und wodurch fiel sie auf?")
    chat.page.wait_for_selector(STOP, timeout=5_000)  # the model reads for seconds
    chat.stop()
    chat.page.wait_for_selector(STOP, state="detached", timeout=5_000)
    stopped = chat.page.inner_text(".chat-assistant")
    chat.page.wait_for_timeout(5_000)

    assert chat.page.inner_text(".chat-assistant") == stopped

    chat.open()
    assert re.search(r"8,5|8\.5", chat.ask(QUESTION).text)


@pytest.mark.skipif("ARCHIVAR_SCREENSHOT" not in os.environ, reason="`make screenshot` writes it")
def test_screenshot(chat: Chat) -> None:
    """The picture in the README: a real answer, its list of sources open."""
    chat.ask("Wer hat die Hintertür in den XZ Utils entdeckt, und wodurch fiel sie auf?")
    chat.wait_follow_ups()
    assert chat.answer().sources
    chat.page.wait_for_timeout(5_000)  # the greeting in the corner goes
    path = Path(os.environ["ARCHIVAR_SCREENSHOT"])
    path.parent.mkdir(parents=True, exist_ok=True)
    chat.page.screenshot(path=path)
