"""Killed at any moment, an archive goes on with nothing lost, nothing double, and the answers of one never killed.

`ARCHIVAR_KILLS=100 pytest tests/archive/test_kills.py` kills a hundred times.
"""

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from killed import Writers

KILLS = int(os.environ.get("ARCHIVAR_KILLS", "4"))
LOG = os.environ.get("ARCHIVAR_KILLS_LOG")  # a file that gets what the killed archives said
EACH = 25  # kills that one archive is taken through
SEEDS = range(-(-KILLS // EACH))
# What is killed, in turn: mostly an ingest, which removes and makes words anew as well; a repair; a rebuild of words.
_TURNS = ("step", "mend", "step", "words", *["step"] * 6)
_AGAIN = 0.25  # share of the runs after a kill that are killed, too


@pytest.fixture(scope="module")
def writers():
    writers = Writers()
    yield writers
    writers.close()


def seen(writers: Writers, home: Path) -> dict:
    result = home.with_suffix(".json")
    assert writers.run("look", home, result) == 0, home.with_suffix(".log").read_text()
    return json.loads(result.read_text())


def assert_same(writers: Writers, killed: Path, never_killed: Path) -> None:
    found, expected = seen(writers, killed), seen(writers, never_killed)
    assert found["findings"] == expected["findings"] == []
    for side in ("articles", "vectors", "words", "answers"):
        assert found[side] == expected[side]


def damage(home: Path, chance: random.Random) -> None:
    """What a repair is for: a graph without its ids, which Chroma opens without a word."""
    graphs = sorted(home.glob("vectors/*/index_metadata.pickle"))
    if graphs:
        chance.choice(graphs).unlink()


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_moment_nothing_is_lost_or_doubled(writers, tmp_path, seed):
    killed, never_killed, chance = tmp_path / "killed", tmp_path / "never", random.Random(seed)
    wanted = min(EACH, KILLS - EACH * seed)
    assert writers.run("step", killed, 0) == 0
    assert writers.run("step", never_killed, 0) == 0
    kills, number = 0, 0
    while kills < wanted:
        number += 1
        began = time.monotonic()
        assert writers.run("step", never_killed, number) == 0, never_killed.with_suffix(".log").read_text()
        lasts = time.monotonic() - began
        turn = _TURNS[number % len(_TURNS)]
        if turn == "mend":
            damage(killed, chance)
        job = ("step", killed, number) if turn == "step" else (turn, killed)
        while kills < wanted and writers.run(*job, after=chance.uniform(0, lasts)) == -9:
            kills += 1
            if chance.random() > _AGAIN:
                break
        assert writers.run("step", killed, number) == 0, killed.with_suffix(".log").read_text()
        assert_same(writers, killed, never_killed)
        if LOG:
            shutil.copy(killed.with_suffix(".log"), f"{LOG}-{seed}")
            with Path(f"{LOG}-{seed}").open("a") as log:
                log.write(f"after {kills} kills of {wanted}, of `{turn}` last, all is as it should be\n")
