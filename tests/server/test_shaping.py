"""Where an answer's text stops, and JSON around it; however it comes in pieces."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator

from hypothesis import given
from hypothesis import strategies as st

from server.events import Event, Finished, Source, Status, Text
from server.generation import Usage
from server.shaping import as_object, cut

SOURCE = Source(1, "a", "Titel", "https://example.org/a", None, "Text", 0.5)


async def answer(pieces, reason="stop") -> AsyncGenerator[Event]:
    yield Status("liest")
    for piece in pieces:
        yield Text(piece)
    yield Finished(reason, Usage(1, 1), {}, (SOURCE,))


def collected(events: AsyncGenerator[Event]) -> tuple[str, Finished]:
    async def read() -> list[Event]:
        return [event async for event in events]

    told = asyncio.run(read())
    assert isinstance(told[0], Status) and isinstance(told[-1], Finished)
    return "".join(event.text for event in told if isinstance(event, Text)), told[-1]


def words(text: str) -> int:
    return len(text.split())


def cut_off(pieces, stop=(), most=None):
    text, finished = collected(cut(answer(pieces), stop, most, words))
    return text, finished.finish_reason


def test_text_ends_before_a_stop_string_that_comes_in_pieces():
    assert cut_off(["Eins zw", "ei dr", "ei"], ["zwei"]) == ("Eins ", "stop")
    assert cut_off(["Eins zw", "ölf"], ["zwei"]) == ("Eins zwölf", "stop")
    assert cut_off(["Eins zw"], ["zwei"]) == ("Eins zw", "stop")


def test_text_ends_at_its_length_with_a_whole_word():
    assert cut_off(["eins zwei ", "drei vier fünf"], most=4) == ("eins zwei drei vier", "length")
    assert cut_off(["eins zwei", " drei"], most=3) == ("eins zwei drei", "stop")
    assert cut_off(["eins zwei drei"], ["drei"], most=1) == ("eins", "length")


@given(
    st.text("ab c", max_size=30),
    st.lists(st.integers(0, 30)),
    st.lists(st.text("abc", min_size=1, max_size=4), max_size=4),
)
def test_pieces_make_no_difference(text, places, stop):
    ends = sorted({min(place, len(text)) for place in places} | {0, len(text)})
    pieces = [text[start:end] for start, end in itertools.pairwise(ends)]
    assert cut_off(pieces, stop) == cut_off(list(text), stop) == cut_off([text], stop)
    assert not any(string in cut_off(pieces, stop)[0] for string in stop)


@given(st.lists(st.text()))
def test_a_json_object_holds_the_text_to_the_letter(pieces):
    text, finished = collected(as_object(answer(pieces)))
    told = json.loads(text)
    assert told["answer"] == "".join(pieces)
    assert told["sources"] == [{"number": 1, "title": "Titel", "url": "https://example.org/a", "published": None}]
    assert finished.sources == (SOURCE,)
