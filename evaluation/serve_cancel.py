"""How soon an engine is free again when a client leaves: in the queue, while the prompt is read, and in mid-answer.

One slot. The one who leaves has it (or waits for it), and another waits behind: free is when the engine is asked the
other's question. In the queue: when the other is told that it has moved up.
"""

import asyncio
import json

import numpy as np

from evaluation.serve_client import Connection, stream, streamed
from evaluation.serve_processes import Figures, Plan, asked, engine, notes, percentiles, server

_LONG = "first=1.5 rate=30 words=300"  # more than anybody waits for
_SHORT = "first=0 rate=1000 words=1"
_WORD = rb'"content": "[^"]'
_READS = 0.7  # seconds after which llama.cpp is amid a long prompt
_SETTLES = 0.15  # seconds until a question stands where it should


def cancelling(plan: Plan) -> Figures:
    """Milliseconds from a client's leaving to the engine's being free, by where its question was."""
    one = {"ARCHIVAR_ENGINE_SLOTS": "1"}
    with engine(plan.home / "bench") as engine_port, server(plan, engine_port, **one) as (port, *_):
        found = asyncio.run(_scripted(engine_port, port, max(10, plan.answers // 4)))
    if plan.in_process:
        with server(plan, None) as (port, *_):
            found["in_process"] = asyncio.run(_in_process(port, max(5, plan.answers // 10)))
    return found


async def _scripted(engine_port: int, port: int, times: int) -> Figures:
    await streamed(port, asked(_SHORT))
    found: dict[str, list[float]] = {"queue": [], "prefill": [], "decode": []}
    for _ in range(times):
        found["queue"].append(await _in_queue(port))
        found["prefill"].append(await _while_asked(engine_port, port, begun=False))
        found["decode"].append(await _while_asked(engine_port, port, begun=True))
    return {where: percentiles(values, 1000, 50, 95, 100) for where, values in found.items()}


async def _in_queue(port: int) -> float:
    writing = await stream(port, asked(_LONG))
    await asyncio.sleep(_SETTLES)
    leaver = await stream(port, asked(_SHORT))
    await leaver.has(b"data:")
    await asyncio.sleep(_SETTLES)
    behind = await stream(port, asked(_SHORT))
    await behind.has(_place(2))
    left = leaver.close()
    moved = await behind.has(_place(1))
    writing.close()
    await behind.ended.wait()
    return moved - left


def _place(number: int) -> bytes:
    return b"Platz %d" % number


async def _while_asked(engine_port: int, port: int, *, begun: bool) -> float:
    orders = _LONG if not begun else _LONG.replace("first=1.5", "first=0")
    await notes(engine_port)
    leaver = await stream(port, asked(orders))
    await (leaver.has(b"Wort") if begun else asyncio.sleep(2 * _SETTLES))
    behind = await stream(port, asked(_SHORT))
    await asyncio.sleep(_SETTLES)
    left = leaver.close()
    await behind.ended.wait()
    asked_behind: float = max(note["asked"] for note in await notes(engine_port))
    return asked_behind - left


async def _in_process(port: int, times: int) -> Figures:
    """With llama.cpp, which notes nothing: when the first word of a short question comes after the other has left.

    Free is the engine that much earlier as an idle one, `idle`, takes for this word; less than 0 is noise.
    """
    short = {"model": await _generator(port), "messages": [{"role": "user", "content": "Sag Ja."}], "max_tokens": 2}
    usual = []
    for number in range(5):  # after another question, as here: what the engine has in its cache is that one's
        await streamed(port, {**_leavers(short, number)["decode"], "max_tokens": 2})
        usual.append(await _first_word(port, short))
    found: dict[str, list[float]] = {"prefill": [], "decode": []}
    for number in range(times):
        for where, body in _leavers(short, number).items():
            leaver = await stream(port, body)
            await (leaver.has(_WORD) if where == "decode" else asyncio.sleep(_READS))
            behind = await stream(port, short)
            await asyncio.sleep(_SETTLES)
            left = leaver.close()
            found[where].append(await behind.has(_WORD) - left)
            await behind.ended.wait()
    idle = float(np.median(usual))
    freed = {f"freed_{where}": percentiles([one - idle for one in found[where]], 1000, 50, 95, 100) for where in found}
    return {"idle": percentiles(usual), **{where: percentiles(values) for where, values in found.items()}, **freed}


async def _first_word(port: int, body: Figures) -> float:
    reply = await streamed(port, body)
    return await reply.has(_WORD) - reply.began


def _leavers(short: Figures, number: int) -> dict[str, Figures]:
    """A prompt that takes seconds to read, each time another, and an answer that takes seconds to write."""
    text = f"{number}. " + " ".join(f"Meldung {place} von {number}." for place in range(250))
    long = {"role": "user", "content": text}
    story = {"role": "user", "content": f"Erzähl eine lange Geschichte mit {number + 3} Personen."}
    return {
        "prefill": {**short, "messages": [long], "max_tokens": 50},
        "decode": {**short, "messages": [story], "max_tokens": 300},
    }


async def _generator(port: int) -> str:
    connection = await Connection.open(port)
    models = json.loads((await connection.ask("/v1/models"))[1])["data"]
    connection.close()
    return str(models[1]["id"])
