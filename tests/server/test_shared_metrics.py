"""Several processes that count together, as `archivar serve --workers` has them."""

import os
import signal
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

WORKER = """
import sys
from server import metrics
metrics.started("1", "e", "r", "g", ("m",))
metrics.REQUESTS.labels("/a", "200").inc(2)
metrics.WAITING.set(3)
metrics.ENGINE_UP.labels("x").set(int(sys.argv[1]))
outcome = metrics.Outcome("m")
outcome.cancelled("queue")
print("ready", flush=True)
sys.stdin.readline()
sys.stdout.write(metrics.text().decode())
"""


def worker(folder, is_up: int) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(is_up)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    return process


def told(process: subprocess.Popen) -> dict[str, float]:
    text, _ = process.communicate("\n", timeout=60)
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found[one.name] = found.get(one.name, 0) + one.value
    return found


def test_each_worker_tells_the_sum_and_one_that_was_killed_has_nothing_waiting(tmp_path, monkeypatch):
    from server import metrics

    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"left by a server that was killed")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    metrics.share_among_workers(folder)
    assert not list(folder.iterdir()) and os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)

    workers = [worker(folder, is_up) for is_up in (1, 0, 1)]
    workers[0].send_signal(signal.SIGKILL)
    workers[0].communicate()
    found = told(workers[1])
    assert found["archivar_requests_total"] == 6  # what the dead one has counted stays
    assert found["archivar_queue_waiting"] == 6 and found["archivar_workers"] == 2
    assert found["archivar_cancellations_total"] == 3
    assert found["archivar_engine_up"] == 0  # left out by one of them
    told(workers[2])
