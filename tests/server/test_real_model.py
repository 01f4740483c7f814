"""The default models for real: one process holds them for all of these tests."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time

import pytest
from scripted import ROOT, SAMPLE

from archive.errors import BadRequest
from archive.settings import Settings
from server.asked import Ask
from server.engine import load_engine
from server.events import Finished, Text
from server.generation import Message, Sampling

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def engine(archive_home):
    engine = load_engine(Settings(home=archive_home, offline=True, context_tokens=2048))
    yield engine
    engine.close()


def write(engine, turns, sampling=None):
    async def pieces():
        return [piece async for piece in engine.generator.stream(turns, sampling or Sampling(24))]

    found = asyncio.run(pieces())
    return "".join(piece.text for piece in found), found[-1]


def test_it_writes_german_and_counts_its_tokens(engine):
    text, last = write(engine, [Message("user", "Was ist die Hauptstadt von Bayern? Antworte mit einem Wort.")])
    assert "München" in text
    assert last.finish_reason == "stop"
    assert 10 < last.usage.prompt_tokens < 60 and 1 <= last.usage.completion_tokens <= 24


def test_the_same_head_is_read_once(engine):
    head = Message("system", "Du antwortest knapp und auf Deutsch. " * 8)
    write(engine, [head, Message("user", "Eins?")], Sampling(4))
    _, last = write(engine, [head, Message("user", "Zwei?")], Sampling(4))
    assert last.usage.cached_tokens > 50


def test_the_length_ends_an_answer(engine):
    text, last = write(engine, [Message("user", "Zähle von eins bis hundert.")], Sampling(5))
    assert text and last.finish_reason == "length"


def test_giving_up_while_it_reads_frees_the_engine(engine):
    long = [Message("user", "Eine lange Frage, die gelesen werden will. " * 110)]

    async def give_up() -> float:
        pieces = engine.generator.stream(long, Sampling(4))
        reading = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0.7)
        start = time.monotonic()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await pieces.aclose()
        return time.monotonic() - start

    assert asyncio.run(give_up()) < 3
    assert "Berlin" in write(engine, [Message("user", "Was ist die Hauptstadt von Deutschland?")])[0]


def test_it_weighs_words_without_writing_any(engine):
    def odds(question: str) -> float:
        asked = [Message("user", f"{question} Antworte nur mit Ja oder Nein.")]
        yes, no = asyncio.run(engine.generator.weigh(asked, ("Ja", "Nein")))
        return yes - no

    assert odds("Ist Berlin die Hauptstadt von Deutschland?") > odds("Ist Lyon die Hauptstadt von Deutschland?")


def test_words_are_weighed_after_what_the_answer_begins_with(engine):
    asked = [Message("user", "(A) Der Himmel ist blau.\n(B) Gras ist grün.\nWelche Zeile spricht vom Himmel?")]
    a, b = asyncio.run(engine.generator.weigh(asked, "AB", begun="("))
    assert a > b


def test_a_prompt_beyond_the_context_is_refused(engine):
    with pytest.raises(BadRequest, match="ARCHIVAR_CONTEXT_TOKENS"):
        write(engine, [Message("user", "Wort " * 4000)])


def test_a_question_is_answered_from_the_sample_archive(engine):
    questions = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text().splitlines()]
    question = next(question for question in questions if question["qid"] == "s301")

    async def answer() -> tuple[str, Finished]:
        events = [event async for event in engine.chat.stream(Ask(question["question"]))]
        return "".join(event.text for event in events if isinstance(event, Text)), events[-1]

    text, finished = asyncio.run(answer())
    assert any(word in text for word in question["must_contain"])
    cited = [source.article_id for source in finished.sources if f"[{source.number}]" in text]
    assert question["gold"][0]["id"] in cited
    assert finished.usage.prompt_tokens > 200


def test_the_default_models_need_no_torch(archive_home):
    code = (
        "import sys; from pathlib import Path; from archive.settings import Settings\n"
        "from server.app import create_app; from server.engine import load_engine\n"
        "from server.retrieval import Search; from server.timings import Timings\n"
        f"settings = Settings(home=Path({str(archive_home)!r}), offline=True); create_app(settings)\n"
        "engine = load_engine(settings)\n"
        "assert engine.retriever.retrieve(Search('XZ Utils'), 3, Timings()).hits\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)\n"
        "engine.close(); sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
