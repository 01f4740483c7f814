"""What long commands say, boiled down: few events, and a summary for whoever asks every ten seconds."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Protocol, TextIO

UNITS = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


class Console:
    """Writes one line per event, with the time since the start and the part's name; threads may share it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._start = time.monotonic()

    def say(self, part: str, text: str) -> None:
        """One line."""
        seconds = int(time.monotonic() - self._start)
        with self._lock:
            self._out.write(f"{seconds // 60:3d}:{seconds % 60:02d}  {part:<9} {text}\n")
            self._out.flush()


class Progress(Protocol):
    """Reads a command's output line by line."""

    def read(self, line: str) -> str | None:
        """Take a line in; what is worth showing at once comes back."""

    def summary(self) -> str:
        """Where the command stands, for a line every ten seconds; empty: nothing to tell."""


class PipProgress:
    """pip: packages found, megabytes fetched, then packages installed, counted in `site_packages`."""

    def __init__(self, site_packages: Path) -> None:
        self._site = site_packages
        self._before = 0
        self._installing = 0
        self._found = 0
        self._megabytes = 0.0
        self._now = ""

    def read(self, line: str) -> str | None:  # noqa: D102 (see Progress)
        if found := re.match(r"Collecting (\S+)", line):
            self._found += 1
            self._now = found[1]
        elif fetched := re.match(r"\s+Downloading (\S+) \(([\d.]+) (bytes|kB|MB|GB)\)", line):
            megabytes = float(fetched[2]) * UNITS[fetched[3]]
            self._megabytes += megabytes
            if megabytes >= 20:
                return f"fetching {fetched[1].rsplit('/', 1)[-1]} ({megabytes:.0f} MB)"
        elif line.startswith("Installing collected packages:"):
            self._before = self._installed()
            self._installing = line.count(",") + 1
            return f"{self._found} packages found, {self._megabytes:.0f} MB fetched; installing {self._installing}"
        elif "Retrying (" in line or "Connection timed out while downloading" in line:
            return "the package registry does not answer; trying again"
        return None

    def summary(self) -> str:  # noqa: D102 (see Progress)
        if self._installing:
            return f"installed {max(0, self._installed() - self._before)} of {self._installing} packages"
        if not self._found:
            return "starting pip"
        return f"{self._found} packages found, {self._megabytes:.0f} MB fetched, now {self._now}"

    def _installed(self) -> int:
        return sum(1 for _ in self._site.glob("*.dist-info"))


class BuildProgress:
    """A compilation by CMake with ninja (`[12/80]`) or make (`[ 15%]`), as `pip wheel -v` shows it."""

    def __init__(self) -> None:
        self._percent = -1

    def read(self, line: str) -> str | None:  # noqa: D102 (see Progress)
        if step := re.search(r"\[(\d+)/(\d+)\]", line):
            self._percent = 100 * int(step[1]) // int(step[2])
        elif share := re.search(r"\[\s*(\d+)%\]", line):
            self._percent = int(share[1])
        elif fetched := re.match(r"\s+Downloading (\S+\.tar\.gz) \(([\d.]+ \S+)\)", line):
            return f"fetching {fetched[1].rsplit('/', 1)[-1]} ({fetched[2]})"
        return None

    def summary(self) -> str:  # noqa: D102 (see Progress)
        return f"{self._percent} % compiled" if self._percent >= 0 else "getting the sources and build tools"


class FolderProgress:
    """One of our own commands: its lines are shown as they are; between them, how much lies in `folder` by now."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def read(self, line: str) -> str | None:  # noqa: D102 (see Progress)
        return line.strip() or None

    def summary(self) -> str:  # noqa: D102 (see Progress)
        if self._folder is None:
            return ""
        return f"{sum(size_of(path) for path in self._folder.rglob('*')) / 1e6:.0f} MB in {self._folder}"


def size_of(path: Path) -> int:
    """Bytes of a file; 0 for a folder, and for what is gone since it was listed."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
