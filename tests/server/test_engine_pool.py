"""Engines that fail and come back, on a real event loop: which is asked, which is left out, and for how long."""

import asyncio

import pytest

from archive.errors import EngineUnavailable, GenerationError
from server import engine_pool
from server.engine_pool import EnginePool


class Engine:
    """Answers check(), or raises what it is `ill` with."""

    def __init__(self, ill: Exception | None = None) -> None:
        self.name, self.ill, self.checked = "engine", ill, 0

    async def check(self) -> None:
        self.checked += 1
        if self.ill:
            raise self.ill


def pool_of(*engines: Engine, slots: int = 1) -> EnginePool:
    return EnginePool(engines, slots, lambda: None)


def test_the_least_busy_is_asked_and_none_beyond_its_slots():
    pool = pool_of(Engine(), Engine(), slots=2)
    asked = []
    while member := pool.free():
        member.running += 1
        asked.append(pool.members.index(member))
    assert sorted(asked[:2]) == sorted(asked[2:]) == [0, 1]
    pool.members[1].running -= 1
    assert pool.free() is pool.members[1]


def test_one_that_failed_is_not_asked_until_it_has_answered():
    async def run() -> None:
        pool = pool_of(Engine(), Engine())
        broken, sound = pool.members
        pool.failed(broken)
        assert pool.free() is sound
        sound.running = 1
        assert pool.free() is None
        pool.worked(broken)
        assert pool.free() is broken
        await pool.close()

    asyncio.run(run())


def test_where_all_failed_each_is_asked():
    async def run() -> None:
        pool = pool_of(Engine(), Engine())
        for member in pool.members:
            pool.failed(member)
        for _ in pool.members:
            asked = pool.free()
            assert asked is not None
            asked.running += 1
        assert [member.running for member in pool.members] == [1, 1]
        await pool.close()

    asyncio.run(run())


def test_the_least_busy_takes_over_then_those_left_out_and_none_twice():
    async def run() -> None:
        pool = pool_of(*(Engine() for _ in range(4)))
        broken, out, busy, idle = pool.members
        busy.running = 1
        pool.failed(out)
        tried = [broken]
        for expected in (idle, busy, out):
            pool.failed(tried[-1])
            assert pool.successor(tried) is expected
            tried.append(expected)
        assert pool.successor(tried) is None
        await pool.close()

    asyncio.run(run())


@pytest.mark.parametrize("ill", [EngineUnavailable("away"), GenerationError("broken"), ValueError("nonsense")])
def test_one_that_is_left_out_comes_back_as_soon_as_it_answers(monkeypatch, ill):
    monkeypatch.setattr(engine_pool, "_PAUSES", (0.001, 0.002))

    async def run() -> None:
        broken, told = Engine(ill), asyncio.Event()
        pool = EnginePool([broken, Engine()], 1, told.set)
        pool.failed(pool.members[0])
        async with asyncio.timeout(5):
            while broken.checked < 5:
                await asyncio.sleep(0.001)
            assert pool.members[0].is_out and not told.is_set()
            broken.ill = None
            await told.wait()
        assert not pool.members[0].is_out
        await pool.close()

    asyncio.run(run())


def test_one_may_be_away_for_days(monkeypatch):
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        if main is None or asyncio.get_running_loop() is not main.get_loop():  # another test's server, in its thread
            await real(seconds)
            return
        if asyncio.current_task() is not main:  # that waits, too
            pauses.append(seconds)
        await real(0)

    async def run() -> None:
        nonlocal main
        main = asyncio.current_task()
        engine = Engine(EngineUnavailable("away"))
        pool = pool_of(engine)
        pool.failed(pool.members[0])
        while engine.checked < 3000:
            await real(0)
        engine.ill = None
        while pool.members[0].is_out:
            await real(0)
        await pool.close()

    main: asyncio.Task[None] | None = None
    real = asyncio.sleep
    monkeypatch.setattr(engine_pool.asyncio, "sleep", sleep)
    asyncio.run(run())
    assert pauses[:3] == [1, 2, 4] and max(pauses) == pauses[-1] == 30


def test_closing_stops_looking_after_engines():
    async def run() -> None:
        pool = pool_of(Engine(EngineUnavailable("away")), Engine())
        pool.failed(pool.members[0])
        assert len(asyncio.all_tasks()) == 2
        await pool.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
