"""How long questions take and how much memory they need, measured in a process that does nothing else."""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from archive.archive import Archive
from archive.articles import Period
from archive.embedding import Embedder
from archive.errors import ArchiveError
from archive.settings import Settings
from server.retrieval import Retriever, Search
from server.timings import Timings

KINDS = ("no period", "month", "year", "open period")
_WARM_UP = 10
_TOP_K = 10


@dataclass(frozen=True, slots=True)
class Query:
    """A question, and the periods that it is asked with in turn."""

    question: str
    periods: dict[str, Period | None]


def write_queries(path: Path, queries: list[Query]) -> None:
    """Queries as JSON, for the process that asks them."""
    records = [
        {"question": query.question, "periods": {kind: _record(period) for kind, period in query.periods.items()}}
        for query in queries
    ]
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")


def read_queries(path: Path) -> list[Query]:
    """What write_queries wrote."""
    records = json.loads(path.read_text(encoding="utf-8"))
    return [
        Query(record["question"], {kind: _period(period) for kind, period in record["periods"].items()})
        for record in records
    ]


def _record(period: Period | None) -> list[str | None] | None:
    return [day.isoformat() if day else None for day in (period.start, period.end)] if period else None


def _period(record: list[str | None] | None) -> Period | None:
    return Period(*(date.fromisoformat(day) if day else None for day in record)) if record else None


def probe(settings: Settings, embedder: Embedder, queries: list[Query]) -> dict[str, Any]:
    """Milliseconds of retrieval by kind of period (fused, and each index alone), and memory in MB at the end."""
    started = perf_counter()
    archive = Archive.open(settings, embedder)
    held, indexed = archive.ledger.counts().passages, archive.index.counts()
    if set(indexed) != {held}:
        raise ArchiveError(f"{settings.home}: {held:,} passages, but {indexed} in its indexes; delete it and run again")
    retriever = Retriever(archive, None, settings.candidates)

    vectors = {query.question: embedder.embed_queries([query.question])[0] for query in queries}

    def fused(query: Query, period: Period | None) -> None:
        retriever.retrieve(Search(query.question, period), _TOP_K, Timings())

    def dense(query: Query, period: Period | None) -> None:
        archive.index.search_dense(vectors[query.question], settings.candidates, period)

    def words(query: Query, period: Period | None) -> None:
        archive.index.search_words(query.question, settings.candidates, period)

    fused(queries[0], None)
    first = perf_counter() - started
    for query in queries[:_WARM_UP]:
        for kind in KINDS:
            fused(query, query.periods[kind])
    stages = (("fused", fused), ("dense", dense), ("words", words))
    times = {kind: {name: _times(ask, queries, kind) for name, ask in stages} for kind in KINDS}
    archive.close()
    return {"first_question_s": round(first, 2), "ms": times, "memory_mb": _memory()}


def _times(ask: Callable[[Query, Period | None], None], queries: list[Query], kind: str) -> dict[str, float]:
    """Milliseconds that pass, and that the processor works on it (all threads), which other programs slow less."""
    ms, worked = [], process_time()
    for query in queries:
        started = perf_counter()
        ask(query, query.periods[kind])
        ms.append((perf_counter() - started) * 1000)
    cpu = (process_time() - worked) * 1000 / len(queries)
    p50, p95 = np.percentile(ms, (50, 95))
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1), "cpu": round(cpu, 1)}


def _memory() -> dict[str, int]:
    """`resident` counts mapped files too (the words), `own` leaves them out; Linux tells them apart."""
    status = Path("/proc/self/status")
    if not status.exists():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"resident": round(peak / (2**20 if sys.platform == "darwin" else 2**10))}
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return {
        name: round(int(fields[field].split()[0]) / 1024) for name, field in (("resident", "VmRSS"), ("own", "RssAnon"))
    }
