"""What the server itself costs: time it adds to an engine's, streams at once, searches a second, start, memory.

A real server in a process of its own, a scripted engine in another (serve_engine.py), and a client in this one, all on
loopback. Where two ways are compared, they take turns, so that both meet the same machine.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle

import numpy as np

from evaluation.serve_client import Connection, Reply, streamed
from evaluation.serve_processes import Figures, Plan, asked, cpu_seconds, engine, percentiles, resident, server


def added(plan: Plan) -> Figures:
    """Milliseconds to the first token beyond the engine's own, directly and through the server; loss of pace."""
    written = {"ARCHIVAR_WORDING": "written"}
    with engine(plan.home / "bench") as engine_port, server(plan, engine_port, **written) as (port, *_):
        return asyncio.run(_added(plan, engine_port, port))


async def _added(plan: Plan, engine_port: int, port: int) -> Figures:
    first = 0.05
    body = asked(f"first={first} rate=30 words=2")
    found: dict[int, list[float]] = {engine_port: [], port: []}
    for number in range(plan.answers + 10):
        for where, times in found.items():
            reply = await streamed(where, body)
            if number >= 10:  # the first ones open connections and fill caches
                times.append(reply.words()[0] - reply.began - first)
    usual = float(np.median(found[engine_port]))
    rates: dict[int, list[float]] = {where: [] for where in found}
    for _ in range(3):
        for rate in (30, 100):
            both = await asyncio.gather(*(streamed(where, asked(f"rate={rate} words={rate * 2}")) for where in found))
            for where, reply in zip(found, both, strict=True):
                rates[where].append(_rate(reply) / rate)
    loss = 1 - np.array(rates[port]) / np.array(rates[engine_port])
    return {
        "direct_ms": percentiles(found[engine_port]),
        "added_ms": percentiles([one - usual for one in found[port]]),
        "archive_ms": await _own_time(plan, port, first),
        "loss_percent": round(100 * float(np.median(loss)), 2),
    }


async def _own_time(plan: Plan, port: int, first: float) -> Figures:
    """What an answer from the archive takes to its first token beside the stages of retrieval and the engine."""
    own = []
    for question in plan.questions[: max(5, plan.answers // 10)]:
        reply = await streamed(port, asked(f"{question} first={first} rate=100 words=3", "heise-archiv"))
        timings = reply.events()[-1].get("timings", {})
        if "first_token" in timings and "generate" in timings:
            stages = sum(ms for name, ms in timings.items() if name in _STAGES)
            sent = 1000 * (reply.parts[-1][0] - reply.began) - timings["total"]
            own.append(timings["first_token"] - stages - 1000 * first + sent)
    return percentiles(own, 1.0)


_STAGES = frozenset({"queue", "understand", "embed", "search", "fuse", "rerank", "order", "compose", "prompt"})


def _rate(reply: Reply) -> float:
    """Words a second, between the first and the last."""
    times = reply.words()
    return (len(times) - 1) / (times[-1] - times[0])


def streams(plan: Plan) -> Figures:
    """Many streams at once, each at 30 words a second: rates, gaps, errors; the engine directly, then the server."""
    with engine(plan.home / "bench") as engine_port:
        direct = asyncio.run(_many(engine_port, plan))
        with server(plan, engine_port, ARCHIVAR_ENGINE_SLOTS="256", ARCHIVAR_QUEUE="1024") as (port, pid, *_):
            before = cpu_seconds(pid)
            through = asyncio.run(_many(port, plan))
            through["server_cpu"] = round((cpu_seconds(pid) - before) / plan.seconds, 2)
    return {"direct": direct, "through": through}


async def _many(port: int, plan: Plan) -> Figures:
    words = int(30 * plan.seconds)
    body = asked(f"first=0.5 rate=30 words={words}")
    replies = await asyncio.gather(*(streamed(port, body) for _ in range(plan.streams)))
    whole = [reply for reply in replies if reply.whole and len(reply.words()) == words]
    gaps = np.concatenate([np.diff(reply.words()) for reply in whole]) if whole else np.array([])
    return {
        "streams": plan.streams,
        "failed": len(replies) - len(whole),
        "words_per_second": percentiles([_rate(reply) for reply in whole], 1.0, 0, 5, 50),
        "gap_ms": percentiles(gaps.tolist(), 1000.0, 50, 95, 99, 100),
    }


def searches(plan: Plan) -> Figures:
    """Searches a second, by dense and word retrieval without the reranker, several at once on kept connections."""
    with engine(plan.home / "bench") as engine_port, server(plan, engine_port) as (port, pid, *_):
        asyncio.run(_search(port, plan, 3.0))
        before = cpu_seconds(pid)
        found = asyncio.run(_search(port, plan, plan.seconds))
        found["server_cpu_ms"] = round(1000 * (cpu_seconds(pid) - before) / max(found["requests"], 1), 1)
        return found


async def _search(port: int, plan: Plan, seconds: float) -> Figures:
    questions, end = cycle(plan.questions), time.monotonic() + seconds
    times: list[float] = []
    failed = 0

    async def ask() -> None:
        nonlocal failed
        connection = await Connection.open(port)
        while (began := time.monotonic()) < end:
            status, body = await connection.ask("/v1/search", {"query": next(questions), "rerank": False})
            times.append(time.monotonic() - began)
            failed += status != 200 or b'"passage_id"' not in body
        connection.close()

    began = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(plan.at_once)))
    return {
        "requests": len(times), "failed": failed, "at_once": plan.at_once,
        "per_second": round(len(times) / (time.monotonic() - began), 1), "ms": percentiles(times),
    }  # fmt: skip


def start(plan: Plan, times: int = 3) -> Figures:
    """Seconds to live and to ready, without and with the generator in the process; memory after a few searches."""
    found: Figures = {}
    with engine(plan.home / "bench") as engine_port:
        measured = [_start(plan, engine_port) for _ in range(times)]
    found["without_generator"] = _best(measured)
    if plan.in_process:
        found["with_generator"] = _best([_start(plan, None) for _ in range(times)])
    return found


def _start(plan: Plan, engine_port: int | None) -> tuple[float, float, float, float]:
    with server(plan, engine_port) as (port, pid, live, ready):
        cpu = cpu_seconds(pid)
        asyncio.run(_ask_some(port, plan))
        return live, ready, cpu, resident(pid)


async def _ask_some(port: int, plan: Plan) -> None:
    connection = await Connection.open(port)
    for question in plan.questions[:20]:
        await connection.ask("/v1/search", {"query": question})
    connection.close()


def _best(measured: Sequence[tuple[float, float, float, float]]) -> Figures:
    live, ready, cpu, memory = zip(*measured, strict=True)
    return {
        "live_s": round(min(live), 2), "ready_s": round(min(ready), 2),
        "ready_median_s": round(float(np.median(ready)), 2), "cpu_s": round(min(cpu), 2),
        "resident_mb": round(max(memory)),
    }  # fmt: skip
