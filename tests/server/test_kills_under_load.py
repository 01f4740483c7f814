"""Engine and Chroma server killed under load: no answer that looks whole is half, and the server goes on by itself.

`ARCHIVAR_KILLS=50 pytest tests/server/test_kills_under_load.py` kills fifty times; with `ARCHIVAR_KILLS_MODEL=1` the
engine is llama-cpp-python's own server with the default model (pip install "llama-cpp-python[server]").
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from asking import QUESTION, Answer, ask, few_articles
from chroma_process import ChromaProcess, forget_clients, is_open
from engine_process import ANSWER, EngineProcess, wait_for
from serving import serving

from archive.archive import Archive
from archive.settings import Settings
from ingest.pipeline import ingest

KILLS = int(os.environ.get("ARCHIVAR_KILLS", "4"))
MODEL = "ARCHIVAR_KILLS_MODEL" in os.environ
SHORT = "Zähle bis elf."
LOG = os.environ.get("ARCHIVAR_KILLS_LOG")  # a file that gets what came of the answers
CLIENTS = 2 if MODEL else 3
# Chroma's client never closes its connections; a server's collection of garbage finds them.
UNCLOSED = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
pytestmark = [UNCLOSED, pytest.mark.models] if MODEL else [UNCLOSED]
LONGEST = 3.0  # seconds of load before a kill
# By the model that is asked: the archive's answers come by the sentence, the bare generator's by the word.
QUESTIONS = (
    ("heise-archiv", QUESTION),
    ("heise-archiv", "Wovor warnt das BSI bei Emotet?"),
    ("scripted", SHORT),
)


class ModelProcess(EngineProcess):
    """llama-cpp-python's server with the default model."""

    def __init__(self, model: Path) -> None:
        super().__init__()
        self._model = model

    def _command(self) -> list[str]:
        return [
            sys.executable, "-m", "llama_cpp.server", "--model", str(self._model), "--host", "127.0.0.1",
            "--port", str(self.port), "--n_ctx", "2048", "--n_threads", "2", "--interrupt_requests", "False",
            "--model_alias", "scripted", "--verbose", "False",
        ]  # fmt: skip

    def answers(self) -> bool:
        return is_open(self.port)  # it lists its models only when it is at nothing else, and listens once it has loaded

    def start(self) -> None:
        self.kill()
        self._process = subprocess.Popen(self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(self.answers, 120)


@pytest.fixture(scope="module")
def engine(model_store) -> Iterator[EngineProcess]:
    if MODEL and (find_spec("llama_cpp") is None or find_spec("starlette_context") is None):
        pytest.skip('the server of llama-cpp-python is missing: pip install "llama-cpp-python[server]"')
    name = Settings.model_fields["generator"].default.partition(":")[2]
    with (
        ModelProcess(model_store.path(name))
        if MODEL
        else EngineProcess(pause=0.05, answer=f"{ANSWER} {ANSWER}") as process
    ):
        yield process


@pytest.fixture(scope="module")
def chroma(tmp_path_factory) -> Iterator[ChromaProcess]:
    with ChromaProcess(tmp_path_factory.mktemp("chroma")) as process:
        yield process


@pytest.fixture(scope="module")
def base(tmp_path_factory, real_embedder, engine, chroma) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("killed")
    settings = Settings(
        home=folder / "home", chroma_url=chroma.url, wording="written", generator="openai:scripted", engine_slots=2,
        generator_url=f"{engine.address}/v1", reranker="none", answer_tokens=32, prompt_characters=300,
        context_tokens=2048,
    )  # fmt: skip
    archive = Archive.open(settings, real_embedder)
    assert ingest([str(few_articles(folder))], archive).stored >= 4
    archive.close()
    with serving(settings, None) as address:
        yield address
    forget_clients()


class Load:
    """Clients that ask all the while, streamed and not; what they get is judged by what nobody disturbed."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.undisturbed = {
            (model, question): ask(base, model=model, question=question, timeout=200) for model, question in QUESTIONS
        }
        assert all(answer.is_whole and answer.text for answer in self.undisturbed.values()), self.undisturbed
        self.counts: Counter[str] = Counter()
        self.bad: list[Answer] = []
        self.errors: Counter[str] = Counter()
        self.seen: object = None  # at the last look whether all is well again
        self._ended = threading.Event()
        self._clients = [threading.Thread(target=self._client, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for client in self._clients:
            client.join(300)

    def _client(self, number: int) -> None:
        chance = random.Random(number)
        while not self._ended.is_set():
            model, question = chance.choice(QUESTIONS)
            answer = ask(self.base, model=model, question=question, stream=chance.random() < 0.7, timeout=200)
            self._judge(self.undisturbed[model, question].text, answer)
            time.sleep(0.2)

    def _judge(self, undisturbed: str, answer: Answer) -> None:
        if answer.is_whole and answer.text == undisturbed:
            self.counts["whole"] += 1
        elif answer.failed_visibly:
            self.counts["failed, half" if answer.text else "failed"] += 1
            self.errors[str(answer.error)] += 1
        elif MODEL and answer.is_whole and answer.finish_reason == "length":
            # A model reads the same prompt a little otherwise with another cache; what says that it was cut is no half
            # that looks whole.
            self.counts["cut at its length, and says so"] += 1
        else:
            self.counts["looks whole and is not"] += 1
            self.bad.append(answer)
            if LOG:
                with Path(f"{LOG}.bad").open("a", encoding="utf-8") as log:
                    log.write(f"expected {undisturbed!r}, got {answer}\n")

    def failures(self) -> str:
        """What was told of those that failed, the most frequent first."""
        return "".join(f"{count} x {error}\n" for error, count in self.errors.most_common())

    def recovered(self) -> bool:
        """Whether the archive can be searched and the engine answers, both at once."""
        found = httpx.post(f"{self.base}/v1/search", json={"query": QUESTION}, timeout=200)
        answer = ask(self.base, model="scripted", question=SHORT, timeout=200)
        self.seen = found.status_code, answer
        return found.status_code == 200 and answer.is_whole


def test_killed_at_any_moment_nothing_half_looks_whole_and_the_server_goes_on(base, engine, chroma):
    chance, recoveries = random.Random(7), []
    began = time.monotonic()
    load = Load(base)
    lasts = (time.monotonic() - began) / len(QUESTIONS)
    with load:
        for number in range(KILLS):
            victim = (engine, chroma)[number % 2]
            time.sleep(chance.uniform(0.2, min(1.5 * lasts + 0.5, LONGEST)))
            victim.kill()
            time.sleep(chance.uniform(0, 1))
            victim.start()
            back = time.monotonic()
            assert wait_for(load.recovered, 120), f"not recovered after kill {number + 1} of {KILLS}: {load.seen}"
            recoveries.append(time.monotonic() - back)
            if LOG:
                told = f"{number + 1} kills so far, {dict(load.counts)}, {recoveries[-1]:.1f} s\n"
                Path(LOG).write_text(told + load.failures(), "utf-8")
    told = f"{KILLS} kills, {dict(load.counts)}, recovered after {sorted(recoveries)[KILLS // 2]:.1f} s at the median, "
    told += f"{max(recoveries):.1f} s at most\n"
    if LOG:
        Path(LOG).write_text(told + load.failures() + "\n".join(f"{answer}" for answer in load.bad), "utf-8")
    assert not load.bad, (told, load.bad)
    assert load.counts["whole"] and len(recoveries) == KILLS
