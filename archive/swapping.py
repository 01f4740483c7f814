"""The last step of a restore: the parts of one archive take the place of another's, whatever happens in between.

All is unpacked and verified in `restoring`, whose renaming to `restored` decides: from there on every step can be
repeated, and `mend` does so after a crash. The archive that was there moves to `replaced`. These folders lie within
the archive's own, which may be a volume that can't be renamed.
"""

import logging
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from archive.errors import ArchiveError
from archive.locking import held

log = logging.getLogger(__name__)

LEDGER = "ledger.sqlite3"
PARTS = (LEDGER, "vectors", "words")  # what an archive is made of, as names in its folder
RESTORING, RESTORED, REPLACED = "restoring", "restored", "replaced"
_UNDOING = "undoing"


def mend(home: Path) -> None:
    """End a restore that broke off; where there is none, two looks at the disk. Raises ArchiveLocked while one runs."""
    if (home / RESTORED).is_dir() or (home / _UNDOING).is_dir():
        with held(home, "write"):
            finish(home)


def finish(home: Path) -> None:
    """Bring a restore to its end that broke off while it was moving files, or take it back where that had begun.

    For the one who holds the write lock, and before anything in `home` is opened.
    """
    if (home / RESTORED).is_dir():
        if (home / RESTORED / LEDGER).exists() and (home / LEDGER).exists():
            close_ledger(home)
        _swap(home, RESTORED, REPLACED)
    if (home / _UNDOING).is_dir():
        _swap(home, _UNDOING, RESTORING)
        shutil.rmtree(home / RESTORING, ignore_errors=True)


def _swap(home: Path, source: str, aside: str) -> None:
    """Move each part in `source` to its place in `home`, and what is there to `aside`."""
    (home / aside).mkdir(exist_ok=True)
    for part in PARTS:
        if (home / source / part).exists():
            for name in (part, f"{part}-wal", f"{part}-shm"):  # a log beside another ledger than its own would ruin it
                if (home / name).exists():
                    (home / name).rename(home / aside / name)
            for path in (home / source).glob(f"{part}*"):
                path.rename(home / path.name)
    shutil.rmtree(home / source)
    sync_folder(home)


def undo(home: Path) -> None:
    """Bring back what is in `replaced`, for the one who holds the write lock."""
    for part in PARTS:
        if not (home / REPLACED / part).exists():  # it was missing before
            _remove(home / part)
    (home / REPLACED).rename(home / _UNDOING)
    finish(home)


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def close_ledger(home: Path) -> None:
    """Fold the ledger's log into it. Raises ArchiveError where another process, such as a server, has it open."""
    with closing(sqlite3.connect(home / LEDGER, timeout=1, isolation_level=None)) as db:
        try:
            db.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise ArchiveError(f"{home}: a server or another command is at work on it; stop it first") from error
            # Damaged, perhaps the very reason for the restore.
            log.warning("%s: its ledger is damaged (%s); what it was to forget is not known", home, error)


def sync_folder(folder: Path) -> None:
    """See to it that a renaming in `folder` outlives a power failure, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
