"""Turns at engines, on a real event loop: who is next, who is refused, who takes over, and that nothing is kept."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import Busy, EngineTimeout, EngineUnavailable, GenerationError
from server import engine_pool
from server import turns as turns_module
from server.events import Finished, Status, Text
from server.generation import Piece, Sampling, Usage
from server.running import Running, Runnings
from server.turns import Turn, Turns


class Engine:
    """Says `words` words, one a round of the event loop; `fails` is raised before the first word or the `after`th."""

    def __init__(self, name: str = "engine", words: int = 1) -> None:
        self.name, self.words = name, words
        self.fails: Exception | None = None
        self.after = 0
        self.ill: Exception | None = None  # what check() raises
        self.meanwhile: Callable[[], None] = lambda: None  # happens while it fails
        self.at_work, self.most, self.asked, self.checked = 0, 0, 0, 0

    async def check(self) -> None:
        self.checked += 1
        if self.ill:
            raise self.ill

    async def stream(self, messages, sampling) -> AsyncGenerator[Piece]:
        self.asked += 1
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            for number in range(self.words):
                await asyncio.sleep(0)
                if self.fails and number == self.after:
                    self.meanwhile()
                    raise self.fails
                yield Piece(f"{self.name} ")
            yield Piece("", "stop", Usage(1, self.words))
        finally:
            self.at_work -= 1

    async def weigh(self, messages, words, begun="") -> list[float]:
        self.asked += 1
        if self.fails:
            self.meanwhile()
            raise self.fails
        return [0.0] * len(words)

    def count_tokens(self, text: str) -> int:
        return len(text)


async def said(turn: Turn) -> str:
    """What the engine of a turn says, waited for."""
    async for _ in turn.wait():
        pass
    return "".join([piece.text async for piece in turn.stream([], Sampling(9))])


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def places(turns: Turns, *waiting: Turn) -> list[int]:
    return [turns.place(turn) for turn in waiting]


def test_a_readers_one_goes_before_a_scripts_many():
    turns = Turns([Engine()], 1, 100)
    using = turns.take("script")
    many = [turns.take("script") for _ in range(20)]
    one = turns.take("reader")
    assert places(turns, many[0], one, many[1]) == [1, 2, 3]
    order = []
    using.end()
    while turns.waiting:
        [serving] = [turn for turn in (*many, one) if turn not in order and turn._member]
        order.append(serving)
        serving.end()
    assert order.index(one) == 1


def test_two_scripts_take_turns_however_late_one_comes():
    async def run() -> list[str]:
        turns = Turns([Engine()], 1, 100)
        using = turns.take("early")
        waiting = [turns.take("early") for _ in range(6)] + [turns.take("late") for _ in range(6)]
        using.end()
        served = []
        while turns.running:
            [serving] = [turn for turn in waiting if turn._member and not turn._ended]
            served.append(serving.caller)
            serving.end()
        return served

    served = asyncio.run(run())
    assert len(served) == 12 and set(served[:2]) == {"early", "late"}
    assert all(abs(Counter(served[:end])["early"] - Counter(served[:end])["late"]) <= 1 for end in range(12))


def test_who_was_served_long_ago_has_no_claim_left_and_no_debt():
    turns = Turns([Engine()], 1, 100)
    using = turns.take("a")
    for _ in range(5):
        then = turns.take("a")
        using.end()
        using = then
    first, second = turns.take("b"), turns.take("a")
    assert places(turns, first, second) == [1, 2]
    assert set(turns._rounds) == {"a", "b"}


def test_beyond_the_bound_is_refused_with_a_time_to_come_back():
    turns = Turns([Engine()], 1, 4)
    turns.take("a")
    turns.take("a"), turns.take("a")
    with pytest.raises(Busy, match="2 questions of yours are waiting already; ask again in 15 s") as own:
        turns.take("a")
    assert own.value.retry_after == 15
    turns.take("b"), turns.take("c")
    with pytest.raises(Busy, match="4 questions are waiting already") as all_:
        turns.take("d")
    assert all_.value.retry_after == 25


def test_without_a_queue_what_is_free_is_given_and_the_rest_refused():
    turns = Turns([Engine(), Engine()], 1, 0)
    first, _ = turns.take(), turns.take()
    with pytest.raises(Busy):
        turns.take()
    first.end()
    turns.take()


def test_the_wait_that_is_told_follows_how_long_turns_last(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(turns_module.time, "monotonic", lambda: now[0])
    turns = Turns([Engine()], 1, 0)
    for _ in range(40):
        turn = turns.take()
        now[0] += 60
        turn.end()
    turns.take()
    with pytest.raises(Busy) as refused:
        turns.take()
    assert refused.value.retry_after == 60


def test_places_are_told_as_they_change_and_each_once():
    async def run() -> tuple[list[list[int]], list[str]]:
        turns = Turns([Engine(words=3)], 1, 100)
        told: list[list[int]] = [[] for _ in range(4)]

        async def ask(number: int, turn: Turn) -> str:
            with turn:
                async for place in turn.wait():
                    told[number].append(place)
                return "".join([piece.text async for piece in turn.stream([], Sampling(9))])

        asked = [asyncio.create_task(ask(number, turns.take("abcd"[number]))) for number in range(4)]
        await settled()
        said = await asyncio.gather(*asked)
        assert turns.waiting == turns.running == 0
        return told, said

    told, said = asyncio.run(run())
    assert told == [[], [1], [2, 1], [3, 2, 1]]
    assert set(said) == {"engine engine engine "}


def test_one_that_is_given_up_while_it_waits_lets_the_others_move_up():
    async def run() -> list[int]:
        turns = Turns([Engine()], 1, 100)
        turns.take("a")
        first, second = turns.take("b"), turns.take("c")
        told = []

        async def listen() -> None:
            async for place in second.wait():
                told.append(place)

        listening = asyncio.create_task(listen())
        await settled()
        first.end()
        await settled()
        listening.cancel()
        return told

    assert asyncio.run(run()) == [2, 1]


def test_a_turn_is_ended_once():
    turns = Turns([Engine()], 1, 4)
    turn, other = turns.take(), turns.take("b")
    turn.end()
    turn.end()
    assert (turns.running, turns.waiting) == (1, 0)
    other.end()
    assert turns.running == 0


def test_several_engines_share_the_work():
    async def run() -> None:
        engines = [Engine("a", 5), Engine("b", 5), Engine("c", 5)]
        turns = Turns(engines, 2, 100)

        async def ask(number: int) -> str:
            with turns.take(str(number)) as turn:
                return await said(turn)

        await asyncio.gather(*(ask(number) for number in range(30)))
        assert [engine.most for engine in engines] == [2, 2, 2]
        assert [engine.asked for engine in engines] == [10, 10, 10]

    asyncio.run(run())


@pytest.mark.parametrize("error", [EngineUnavailable("away"), EngineTimeout("silent")])
@pytest.mark.parametrize("way", ["stream", "weigh"])
def test_another_engine_takes_over_before_the_first_word(error, way):
    async def run() -> None:
        broken, sound = Engine("broken"), Engine("sound")
        broken.fails = broken.ill = error
        turns = Turns([broken, sound], 1, 4)
        with turns.take() as turn:
            if way == "stream":
                assert await said(turn) == "sound "
            else:
                assert await turn.weigh([], ["a", "b"]) == [0.0, 0.0]
            assert [member.running for member in turns.members] == [0, 1]
        assert turns.running == 0
        with turns.take() as first, turns.take("b") as second:
            assert await said(first) == "sound " and turns.place(second) == 1
        assert broken.asked == 1  # left out from there on
        await turns.close()

    asyncio.run(run())


def test_what_has_begun_is_not_begun_again_elsewhere():
    async def run() -> None:
        broken, sound = Engine("broken", 4), Engine("sound", 4)
        broken.fails, broken.after = EngineUnavailable("away"), 2
        turns = Turns([broken, sound], 1, 4)
        heard = []
        with turns.take() as turn, pytest.raises(EngineUnavailable):
            async for piece in turn.stream([], Sampling(9)):
                heard.append(piece.text)
        assert heard == ["broken ", "broken "] and sound.asked == 0 and turns.running == 0
        await turns.close()

    asyncio.run(run())


@pytest.mark.parametrize("error", [EngineUnavailable("away"), EngineTimeout("silent")])
@pytest.mark.parametrize("way", ["stream", "weigh"])
def test_each_engine_is_tried_once_even_if_it_seems_well_again_at_once(error, way):
    """An engine that lists its models and answers nothing comes back and fails again, for ever."""

    async def run() -> None:
        engines = [Engine("a"), Engine("b"), Engine("c")]
        for engine in engines:
            engine.fails = error
        turns = Turns(engines, 1, 4)

        async def ask() -> None:
            with turns.take() as turn:
                await (said(turn) if way == "stream" else turn.weigh([], ["a"]))

        def back() -> None:
            for member in turns.members:
                member.is_out = False

        for engine in engines:
            engine.meanwhile = back
        with pytest.raises(type(error)):
            async with asyncio.timeout(5):
                await ask()
        assert [engine.asked for engine in engines] == [1, 1, 1]
        assert turns.running == 0
        await turns.close()

    asyncio.run(run())


def test_one_that_is_left_out_is_tried_where_all_others_fail():
    async def run() -> None:
        engines = [Engine("a"), Engine("b")]
        turns = Turns(engines, 1, 4)
        engines[0].fails = EngineUnavailable("away")
        with turns.take() as turn:
            assert await said(turn) == "b "
        engines[0].fails, engines[1].fails = None, EngineUnavailable("away")
        with turns.take() as turn:  # b's, since a is left out still
            assert await said(turn) == "a "
        assert not turns.members[0].is_out and turns.members[1].is_out
        await turns.close()

    asyncio.run(run())


def test_a_single_engine_that_failed_is_asked_again_at_once():
    async def run() -> None:
        engine = Engine()
        engine.fails = EngineUnavailable("away")
        turns = Turns([engine], 1, 4)
        with turns.take() as turn, pytest.raises(EngineUnavailable):
            await said(turn)
        engine.fails = None
        with turns.take() as turn:
            assert await said(turn) == "engine "
        assert not turns.members[0].is_out
        await turns.close()

    asyncio.run(run())


def test_who_waits_is_served_by_an_engine_that_comes_back(monkeypatch):
    monkeypatch.setattr(engine_pool, "_PAUSES", (0.001, 0.002))

    async def run() -> None:
        broken, sound = Engine("broken"), Engine("sound", 500)
        broken.fails = broken.ill = EngineUnavailable("away")
        turns = Turns([broken, sound], 1, 4)
        first = turns.take()
        taken = asyncio.create_task(said(first))
        await settled()
        waiting = turns.take("b")
        waited = asyncio.create_task(said(waiting))
        async with asyncio.timeout(5):
            while broken.checked < 5:
                await asyncio.sleep(0.001)
            assert waiting._member is None
            broken.fails = broken.ill = None
            assert await waited == "broken "  # with no question asked in between
            await taken
        first.end(), waiting.end()
        await turns.close()

    asyncio.run(run())


def test_an_engine_is_not_asked_before_its_turn():
    async def run() -> None:
        turns = Turns([Engine()], 1, 4)
        turns.take()
        with pytest.raises(RuntimeError, match="before its turn"):
            await turns.take("b").weigh([], ["a"])

    asyncio.run(run())


async def answer(turn: Turn, engine_seconds: int) -> AsyncGenerator[Status | Text | Finished]:
    """An answer as the chat makes one: something first, then the engine, then something more."""
    yield Status("looking")
    for _ in range(engine_seconds % 3):
        await asyncio.sleep(0)
    async for place in turn.wait():
        yield Status(str(place))
    async for piece in turn.stream([], Sampling(9)):
        yield Text(piece.text)
    await asyncio.sleep(0)
    yield Finished("stop", Usage(1, 1), {})


@pytest.mark.parametrize("rounds", range(12))
def test_an_answer_that_is_cancelled_at_any_moment_leaves_nothing(rounds):
    """From before its task has begun, over the queue and the engine, to after its end."""

    async def run() -> None:
        engine = Engine(words=2)
        turns = Turns([engine], 1, 4)
        using = turns.take("other")
        runnings = Runnings()
        turn = turns.take()
        running = runnings.start(answer(turn, 1), turn)
        for number in range(rounds):
            if number == 4:
                using.end()
            await asyncio.sleep(0)
        running.cancel()
        using.end()
        await settled()
        assert running.done and not len(runnings)
        assert (turns.waiting, turns.running, engine.at_work) == (0, 0, 0)

    asyncio.run(run())


def test_an_answer_that_ends_without_its_end_is_told_from_a_whole_one():
    async def half() -> AsyncGenerator[Text]:
        yield Text("Halb")

    async def run() -> None:
        running = Running(half(), None)
        with pytest.raises(GenerationError, match="broke off"):
            [event async for event in running.read()]

    asyncio.run(run())


class Crowd:
    """Questions at some engines, and what becomes of each."""

    def __init__(self, engines: list[int], slots: int, bound: int, failures: list[tuple[int, int, bool]]) -> None:
        self.engines = [Engine(str(number), words) for number, words in enumerate(engines)]
        self.turns, self.runnings = Turns(self.engines, slots, bound), Runnings()
        self.slots, self.bound, self.failures = slots, bound, failures
        self.outcomes: list[str] = []

    async def ask(self, question: dict) -> None:
        turns, bound = self.turns, self.bound
        try:
            turn = turns.take(question["caller"])
        except Busy as busy:
            assert busy.retry_after >= 1 and turns.waiting >= bound / 2
            self.outcomes.append("refused")
            return
        running = self.runnings.start(answer(turn, question["retrieval"]), turn)
        if question["given_up_after"] is not None:
            for _ in range(question["given_up_after"]):
                await asyncio.sleep(0)
            running.cancel()
            self.outcomes.append("given up")
            return
        try:
            events = [event async for event in running.read()]
        except (EngineUnavailable, EngineTimeout):
            self.outcomes.append("failed")
            return
        told = [int(event.text) for event in events if isinstance(event, Status) and event.text.isdigit()]
        assert all(1 <= place <= bound for place in told) and all(a != b for a, b in pairwise(told))
        assert isinstance(events[-1], Finished)
        self.outcomes.append("served")

    async def watch(self) -> None:
        """Let engines fail and come back, and look at the queue meanwhile."""
        turns = self.turns
        for number in range(80):
            for when, which, away in self.failures:
                if when == number and which < len(self.engines):
                    engine = self.engines[which]
                    engine.fails = None if engine.fails else (EngineUnavailable if away else EngineTimeout)("away")
            if not self.failures:  # else one that takes over may have more
                assert all(member.running <= self.slots for member in turns.members)
            assert turns.running <= self.slots * len(self.engines)
            waiting = [turns.place(turn) for turn in turns._waiting]
            assert waiting == list(range(1, len(waiting) + 1)) and len(waiting) <= self.bound
            assert not waiting or turns.running
            await asyncio.sleep(0)
        for engine in self.engines:
            engine.fails = None

    async def gather(self, questions: list[dict]) -> None:
        watching = asyncio.create_task(self.watch())
        asked = []
        for question in questions:
            for _ in range(question["comes_after"]):
                await asyncio.sleep(0)
            asked.append(asyncio.create_task(self.ask(question)))
        async with asyncio.timeout(20):
            await asyncio.gather(*asked, watching)
            while len(self.runnings):
                await asyncio.sleep(0)
        await settled()
        await self.turns.close()


_QUESTION = st.fixed_dictionaries(
    {
        "caller": st.sampled_from("abc"),
        "comes_after": st.integers(0, 6),  # rounds of the event loop after the one before
        "given_up_after": st.none() | st.integers(0, 25),
        "retrieval": st.integers(0, 3),
    }
)
_FAILURE = st.tuples(st.integers(0, 60), st.integers(0, 2), st.booleans())  # when, which engine, away or silent


@settings(max_examples=150, deadline=None)
@given(
    questions=st.lists(_QUESTION, min_size=1, max_size=25),
    engines=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    slots=st.integers(1, 3),
    bound=st.integers(0, 12),
    failures=st.lists(_FAILURE, max_size=4),
)
def test_everybody_who_stays_is_served_and_nothing_is_kept(questions, engines, slots, bound, failures):
    crowd = Crowd(engines, slots, bound, failures)
    asyncio.run(crowd.gather(questions))
    assert len(crowd.outcomes) == len(questions)
    assert failures or "failed" not in crowd.outcomes
    assert (crowd.turns.waiting, crowd.turns.running) == (0, 0) and not crowd.turns._rounds
    assert not any(engine.at_work for engine in crowd.engines)
