"""What a machine must have, and what a failed step most likely means: one line each, with the mend."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

PYTHONS = ((3, 11), (3, 12))  # Open WebUI runs on no other


class SetupError(Exception):
    """Setting up can't go on; the message is the one line that the user sees."""


def check_python() -> None:
    """Raises SetupError for a version that the packages don't support, or a Python without venv."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.version_info[:2] not in PYTHONS:
        raise SetupError(f"Python {version} ({sys.executable}) is not 3.11 or 3.12; add PYTHON=/path/to/python3.11")
    try:
        import ensurepip  # noqa: F401 (Debian splits it off)
        import venv  # noqa: F401
    except ImportError as error:
        raise SetupError(f"Python has no venv module; run `apt-get install python{version}-venv`") from error


def check_compiler() -> None:
    """llama.cpp is compiled here, for this processor. Raises SetupError without a C and a C++ compiler."""
    for variable, names in (("CC", ("cc", "gcc", "clang")), ("CXX", ("c++", "g++", "clang++"))):
        wanted = os.environ.get(variable)
        if not any(shutil.which(name) for name in ((wanted.split()[0],) if wanted else names)):
            raise SetupError(
                f"no {'C++' if variable == 'CXX' else 'C'} compiler ({wanted or ', '.join(names)}) for llama.cpp:"
                " run `apt-get install build-essential`, or set ARCHIVAR_GENERATOR=ollama:<model> to do without"
            )


def check_disk(needs: dict[Path, float]) -> None:
    """`needs`: gigabytes to be written below each folder; those on one disk add up. Raises SetupError if too many."""
    wanted: dict[int, tuple[Path, float]] = {}
    for folder, gigabytes in needs.items():
        there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        device = there.stat().st_dev
        wanted[device] = (there, gigabytes + wanted.get(device, (there, 0.0))[1])
    for there, gigabytes in wanted.values():
        free = shutil.disk_usage(there).free / 1e9
        if free < gigabytes:
            raise SetupError(
                f"disk too full: {free:.1f} GB free at {there}, {gigabytes:.1f} GB needed; make room there"
            )


MENDS = (
    (r"No space left on device|Errno 28\b", "the disk is full; make room and run it again"),
    (
        r"CMAKE_CX*_COMPILER|[Nn]o CMAKE_C|C\+\+ compiler",
        "a C and a C++ compiler are needed: `apt-get install build-essential`",
    ),
    (r"cc1plus.*[Kk]illed|fatal error: Killed", "memory ran out; set CMAKE_BUILD_PARALLEL_LEVEL=1"),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Temporary failure|ProxyError"
        r"|Connection (?:refused|reset)|Network is unreachable|SSLError|Could not fetch URL",
        "the package registry can't be reached; check network and pip's index-url, then run it again",
    ),
    (r"No matching distribution", "the package registry holds no such version; check pip's index-url"),
    (r"hashes? (?:do|does)? ?not match", "a download arrived damaged; run it again"),
)


def explain(lines: list[str]) -> str:
    """The last lines of a failed command, as one line: what it said, and the mend where one is known."""
    spoken = [line.strip() for line in lines if line.strip()]
    said = [line for line in spoken if re.match(r"(ERROR|error|archivar)\b", line)] or spoken
    text = "\n".join(lines)
    mend = next((mend for pattern, mend in MENDS if re.search(pattern, text)), "")
    return (said[-1] if said else "it said nothing") + (f" ({mend})" if mend else "")
