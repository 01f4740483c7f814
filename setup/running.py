"""Steps that wait for each other and otherwise run side by side, each command in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from setup.checks import SetupError, explain
from setup.progress import Console, Progress

HEARTBEAT = 10.0  # seconds between two summaries of one part
GRACE = 10.0  # seconds between asking a process to end and killing it


@dataclass(frozen=True)
class Step:
    """One thing to do once those named in `after` are done; `part` is the column that its lines carry."""

    name: str
    part: str
    do: Callable[[], None]
    after: tuple[str, ...] = ()


class Runner:
    """Runs steps and the commands in them; `stop` ends every process that was started, with all that it started."""

    def __init__(self, console: Console, logs: Path) -> None:
        self._console = console
        self._logs = logs
        self._processes: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def run(self, steps: Sequence[Step]) -> None:
        """Runs them all. Raises the first SetupError, after ending what was still running."""
        done = {step.name: threading.Event() for step in steps}
        errors: list[Exception] = []

        def work(step: Step) -> None:
            try:
                for name in step.after:
                    if name in done:
                        done[name].wait()
                if not self._stopping.is_set():
                    step.do()
            except (SetupError, OSError) as error:
                if not self._stopping.is_set():
                    errors.append(error)
                self._stopping.set()
            finally:
                done[step.name].set()

        threads = [threading.Thread(target=work, args=(step,), daemon=True) for step in steps]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and not errors:
            time.sleep(0.1)  # a plain join would keep Ctrl-C waiting
        if errors:
            self.stop()
            raise errors[0] if isinstance(errors[0], SetupError) else SetupError(str(errors[0])) from errors[0]

    def command(
        self, part: str, argv: Sequence[str | Path], progress: Progress, env: Mapping[str, str] | None = None
    ) -> None:
        """Runs one command to its end, its output in `logs`. Raises SetupError with what it said when it fails."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{part}.log"
        last: deque[str] = deque(maxlen=200)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(map(str, argv))}\n")
            process = self._start(argv, env)
            heartbeat = threading.Thread(target=self._beat, args=(part, process, progress), daemon=True)
            heartbeat.start()
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                last.append(line.rstrip("\n"))
                if event := progress.read(line.rstrip("\n")):
                    self._console.say(part, event)
            code = process.wait()
        if code:
            raise SetupError(f"{part}: {explain(list(last))}; all it said: {log}")

    def _start(self, argv: Sequence[str | Path], env: Mapping[str, str] | None) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopping.is_set():
                raise SetupError("stopped")
            process = subprocess.Popen(
                list(map(str, argv)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
                start_new_session=True,
            )
            self._processes.append(process)
            return process

    def _beat(self, part: str, process: subprocess.Popen[str], progress: Progress) -> None:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(HEARTBEAT)
                return
            if summary := progress.summary():
                self._console.say(part, summary)

    def stop(self) -> None:
        """Ends all process groups: asks, waits up to GRACE seconds, kills."""
        with self._lock:
            self._stopping.set()
            running = [process for process in self._processes if process.poll() is None]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + GRACE
            while any(process.poll() is None for process in running) and time.monotonic() < deadline:
                time.sleep(0.05)
