"""What a running server says of itself: its readiness, and what its metrics come to since it was started."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from archive.errors import ArchivarError

_WITHIN = 10.0  # seconds; readiness itself takes no longer than 4


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds below which half, and 95 of 100, lie; interpolated within Prometheus' buckets, None without any."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class EngineState:
    """An engine: whether it is asked, how many answers it is at, and how often it failed."""

    is_up: bool
    running: int
    failures: int
    said: str


@dataclass(frozen=True, slots=True)
class Status:
    """A server as it is now.

    Without a key that may administer, where keys are needed, the lines are missing and `figures` is None.
    """

    url: str
    is_ready: bool
    missing: tuple[str, ...]
    worrying: tuple[str, ...]
    figures: "ServerFigures | None"


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """What the metrics tell, of all worker processes since the server was started. Times are Unix seconds.

    `models` are by part (generator, embedder, reranker), `engines` by address, `errors` by class, `answers` by end.
    """

    version: str
    models: Mapping[str, str]
    started: float
    workers: int
    engines: Mapping[str, EngineState]
    waiting: int
    refused: int
    requests: int
    errors: Mapping[str, int]
    answers: Mapping[str, int]
    first_token: Latency
    answer: Latency
    articles: int | None
    passages: int | None
    pending: int | None
    newest: float | None
    last_run: float | None


def ask(url: str, key: str = "") -> Status:
    """Ask the server at `url`. Raises ArchivarError where none answers there, or another program does."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=_WITHIN, trust_env=False) as client:
            ready, metrics = client.get("/health/ready"), client.get("/metrics")
        told: dict[str, Any] = ready.json()
        is_ready = told["status"] == "ready"
    except httpx.HTTPError as error:
        raise ArchivarError(f"no server answers at {url} ({error}); start it with `archivar serve`") from error
    except (ValueError, KeyError, TypeError, httpx.InvalidURL) as error:
        raise ArchivarError(f"what answers at {url} is no archivar; name its address with --url") from error
    figures = _figures(metrics.text, told.get("engines", {})) if metrics.status_code == 200 else None
    return Status(url, is_ready, tuple(told.get("missing", ())), tuple(told.get("worrying", ())), figures)


def _figures(text: str, said: Mapping[str, str]) -> ServerFigures:
    told = _Told(text_string_to_metric_families(text))
    build = told.labels("archivar_build_info")
    return ServerFigures(
        version=build.get("version", ""),
        models={name: build.get(name, "") for name in ("generator", "embedder", "reranker")},
        started=told.one("archivar_started_timestamp_seconds") or 0.0,
        workers=told.count("archivar_workers"),
        engines={
            engine: EngineState(
                up == 1,
                int(told.by("archivar_engine_running", "engine").get(engine, 0)),
                int(told.by("archivar_engine_failures_total", "engine").get(engine, 0)),
                said.get(engine, ""),
            )
            for engine, up in told.by("archivar_engine_up", "engine").items()
        },
        waiting=told.count("archivar_queue_waiting"),
        refused=told.count("archivar_queue_refusals_total"),
        requests=told.count("archivar_requests_total"),
        errors={name: int(count) for name, count in told.by("archivar_errors_total", "error").items()},
        answers={name: int(count) for name, count in told.by("archivar_answers_total", "end").items()},
        first_token=told.latency("archivar_first_token_seconds"),
        answer=told.latency("archivar_answer_seconds"),
        articles=_whole(told.one("archivar_archive_articles")),
        passages=_whole(told.one("archivar_archive_passages")),
        pending=_whole(told.one("archivar_archive_pending")),
        newest=told.one("archivar_archive_newest_timestamp_seconds"),
        last_run=told.one("archivar_archive_last_run_timestamp_seconds"),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


class _Told:
    """Metrics as they were read."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._samples = [sample for family in families for sample in family.samples]

    def one(self, name: str) -> float | None:
        """The sum of a metric over all labels; None where it isn't told."""
        values = [sample.value for sample in self._samples if sample.name == name]
        return sum(values) if values else None

    def count(self, name: str) -> int:
        return int(self.one(name) or 0)

    def labels(self, name: str) -> Mapping[str, str]:
        return next((sample.labels for sample in self._samples if sample.name == name), {})

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums of a metric by one of its labels."""
        found: dict[str, float] = {}
        for sample in self._samples:
            if sample.name == name:
                found[sample.labels[label]] = found.get(sample.labels[label], 0.0) + sample.value
        return found

    def latency(self, name: str) -> Latency:
        buckets = sorted((float(bound), count) for bound, count in self.by(f"{name}_bucket", "le").items())
        return Latency(quantile(buckets, 0.5), quantile(buckets, 0.95))


def quantile(buckets: list[tuple[float, float]], share: float) -> float | None:
    """The value that `share` of all lie below, from cumulative buckets as Prometheus' histogram_quantile() has it.

    What lies beyond the last finite bound counts as that bound.
    """
    if not buckets or not buckets[-1][1]:
        return None
    rank, below, before = share * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            return below if math.isinf(bound) else below + (bound - below) * (rank - before) / (count - before)
        below, before = bound, count
    return None
