"""What Prometheus is told: requests, answers, the queue and its engines. Labels are few and known beforehand.

With several worker processes all of them count into files of one folder, see share_among_workers(); whichever worker
is asked then tells the sum.
"""

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client import generate_latest as _generate
from prometheus_client.registry import Collector

from server.events import Finished
from server.timings import Timings

CONTENT_TYPE = CONTENT_TYPE_LATEST

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is imported
_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300)

REQUESTS = Counter("archivar_requests_total", "HTTP requests that have ended", ("route", "status"))
FIRST_BYTE = Histogram(
    "archivar_first_byte_seconds", "Time until a response's first byte", ("route",), buckets=(*_QUICK, 30, 60)
)
REQUEST = Histogram(
    "archivar_request_seconds", "Time until a response has ended", ("route",), buckets=(*_QUICK, 30, 60, 120)
)
ERRORS = Counter("archivar_errors_total", "Requests and streams that ended in an error, by its class", ("error",))
STAGES = Histogram("archivar_stage_seconds", "Time by stage of a request", ("stage",), buckets=(*_QUICK, 30, 60, 120))

ANSWERS = Counter("archivar_answers_total", "Answers by how they ended", ("model", "end"))
ANSWER = Histogram(
    "archivar_answer_seconds", "Time from a question to the end of its answer", ("model",), buckets=_SLOW
)
FIRST_TOKEN = Histogram(
    "archivar_first_token_seconds", "Time from a question to the first token of its answer", ("model",), buckets=_SLOW
)
TOKENS = Counter("archivar_tokens_total", "Tokens that the engines read, had in their cache, and wrote", ("kind",))
SENTENCES = Counter(
    "archivar_sentences_total", "Sentences of answers by what their sources say of them", ("grounding",)
)
CANCELLATIONS = Counter("archivar_cancellations_total", "Answers that their client gave up, by phase", ("phase",))

WAITING = Gauge("archivar_queue_waiting", "Questions that wait for an engine", multiprocess_mode="livesum")
WAITED = Histogram("archivar_queue_seconds", "Time that a question waited for its engine", buckets=(*_QUICK, 30, 60))
REFUSALS = Counter("archivar_queue_refusals_total", "Questions that were refused since too many waited")
RUNNING = Gauge(
    "archivar_engine_running", "Answers that an engine is at", ("engine",), multiprocess_mode="livesum"
)  # fmt: skip
ENGINE_UP = Gauge("archivar_engine_up", "0 while an engine is left out", ("engine",), multiprocess_mode="livemin")
ENGINE_FAILURES = Counter("archivar_engine_failures_total", "Failures of an engine", ("engine",))

WORKERS = Gauge("archivar_workers", "Worker processes that serve", multiprocess_mode="livesum")
STARTED = Gauge("archivar_started_timestamp_seconds", "When the server was started", multiprocess_mode="livemin")
BUILD = Gauge(
    "archivar_build_info", "What serves", ("version", "embedder", "reranker", "generator"), multiprocess_mode="livemax"
)  # fmt: skip

PHASES = ("search", "queue", "prefill", "decode")
ENDS = ("whole", "abstained", "failed", "cancelled")

for _phase in PHASES:
    CANCELLATIONS.labels(_phase)
for _kind in ("prompt", "cached", "completion"):
    TOKENS.labels(_kind)
for _grounding in ("supported", "corrected", "unsupported", "withheld"):
    SENTENCES.labels(_grounding)


def started(version: str, embedder: str, reranker: str, generator: str, models: Iterable[str]) -> None:
    """Tell that this process serves from now on; `models` are those that answer."""
    WORKERS.set(1)
    STARTED.set(time.time())
    BUILD.labels(version, embedder, reranker, generator).set(1)
    for model in models:
        for end in ENDS:
            ANSWERS.labels(model, end)


class Outcome:
    """How an answer of `model` ends: counted once, whichever comes first."""

    def __init__(self, model: str) -> None:
        self._model, self._is_told = model, False

    def finished(self, finished: Finished) -> None:
        """It came to its end."""
        if not self._is("abstained" if finished.abstained else "whole"):
            return
        for metric, mark in ((FIRST_TOKEN, "first_token"), (ANSWER, "total")):
            if (ms := finished.timings.get(mark)) is not None:
                metric.labels(self._model).observe(ms / 1000)
        usage = finished.usage
        TOKENS.labels("prompt").inc(usage.prompt_tokens)
        TOKENS.labels("cached").inc(usage.cached_tokens)
        TOKENS.labels("completion").inc(usage.completion_tokens)
        if held := finished.grounding:
            SENTENCES.labels("supported").inc(held.supported)
            SENTENCES.labels("corrected").inc(held.corrected)
            SENTENCES.labels("unsupported").inc(len(held.unsupported))
            SENTENCES.labels("withheld").inc(len(held.withheld))

    def failed(self) -> None:
        """It broke off in an error."""
        self._is("failed")

    def cancelled(self, phase: str) -> bool:
        """Its client has gone; `phase` is one of PHASES. False where it had ended before."""
        if is_so := self._is("cancelled"):
            CANCELLATIONS.labels(phase).inc()
        return is_so

    def _is(self, end: str) -> bool:
        if is_first := not self._is_told:
            ANSWERS.labels(self._model, end).inc()
            self._is_told = True
        return is_first


def requested(route: str, status: int, first_byte: float | None, seconds: float, timings: Iterable[Timings]) -> None:
    """A request has ended; times in seconds, `first_byte` None where none was sent."""
    REQUESTS.labels(route, str(status)).inc()
    REQUEST.labels(route).observe(seconds)
    if first_byte is not None:
        FIRST_BYTE.labels(route).observe(first_byte)
    for timing in timings:
        for stage in timing.stages:
            if stage.end is not None:
                STAGES.labels(stage.name).observe(stage.end - stage.start)


def text(*collectors: Collector) -> bytes:
    """All metrics in Prometheus' text format, with what `collectors` tell at the moment."""
    now = CollectorRegistry()
    for collector in collectors:
        now.register(collector)
    if folder := os.environ.get(_FOLDER):
        _forget_the_dead(Path(folder))
        everyone = CollectorRegistry()
        multiprocess.MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return _generate(everyone) + _generate(now)
    return _generate(REGISTRY) + _generate(now)


def share_among_workers(folder: Path) -> None:
    """Have worker processes that are started from here on count together, in files of `folder`, which is emptied.

    It has to happen before they import this module, so their parent does it; the folder may go when all have ended.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[_FOLDER] = str(folder)


def _forget_the_dead(folder: Path) -> None:
    """What a worker that was killed had waiting and running counts no more; what it has counted does."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker was asked at the same time
                multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass
