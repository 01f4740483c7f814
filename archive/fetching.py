"""What every fetch of a model needs: progress, hashes, room on the disk; and files from a model hub."""

import hashlib
import importlib.util
import logging
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archive.catalogue import HubFile, ModelFile
from archive.errors import ModelError

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what is fetched, bytes done, bytes in all

HUB_PATIENCE = 3.0  # seconds until a hub that does not answer counts as out of reach


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of the whole file; about a second per gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_space(folder: Path, needed: int) -> None:
    """Raise ModelError where the disk of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"not enough disk space in {folder}: {needed:,} bytes needed, {free:,} free; "
            "free some or set ARCHIVAR_MODELS to a folder on another disk"
        )


def bytes_in(folder: Path) -> int:
    """Bytes of all files below `folder`, which others may be writing and moving; 0 where it does not exist."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:  # pip and the hub client move files while we look
                continue
    return total


def hub_reachable() -> bool:
    """Whether the hub client is installed and its hub answers at all within seconds (the client itself would retry)."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    import httpx  # only a fetch needs it

    try:
        httpx.head(constants.ENDPOINT, timeout=HUB_PATIENCE)
    except httpx.HTTPError as error:
        log.debug("model hub out of reach: %s", error)
        return False
    return True


def fetch_from_hub(source: HubFile, file: ModelFile, folder: Path, progress: Progress) -> bool:
    """Put `file` into `folder` from the hub; False where that fails for any reason, for other sources to try."""
    from huggingface_hub import hf_hub_download

    scratch = folder / "hub.part"
    with ThreadPoolExecutor(1) as pool:
        download = pool.submit(hf_hub_download, source.repository, source.file, revision=source.revision,
                               local_dir=scratch, etag_timeout=HUB_PATIENCE)  # fmt: skip
        while not download.done():
            progress(file.name, min(bytes_in(scratch), file.size), file.size)
            time.sleep(0.2)
    try:
        path = Path(download.result())
    except Exception as error:  # the client raises its own, httpx's, urllib3's and OSError; each means: not from here
        log.info("%s not from the hub: %s", file.name, str(error).splitlines()[0] if str(error) else repr(error))
        return False
    if sha256_of(path) == file.sha256:
        path.replace(folder / file.name)
        shutil.rmtree(scratch, ignore_errors=True)
        return True
    log.info("%s of the hub is not the file the catalogue names", file.name)
    shutil.rmtree(scratch, ignore_errors=True)
    return False
