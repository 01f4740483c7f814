"""What errors of SQLite mean for an archive, and what mends them."""

import sqlite3
from pathlib import Path

from archive.disk import FULL, is_full
from archive.swapping import LEDGER

RESTORE = "restore a backup with `archivar restore FILE`, or take the articles in again into a new ARCHIVAR_HOME"


def explained(home: Path, error: Exception) -> str:
    """What an error of SQLite or the disk means for the archive in `home`, and what to do."""
    if is_full(error):
        return f"{home / LEDGER}: {FULL}"
    if "locked" in str(error) or "busy" in str(error):
        return f"{home / LEDGER}: another program holds it; ask again when that has ended"
    if "unable to open" in str(error) or "readonly" in str(error):
        return f"{home / LEDGER}: {error}; make the folder writable: even to read, SQLite writes beside its file"
    if type(error) is sqlite3.DatabaseError:  # malformed, or no database; whatever may pass is of a class below it
        return f"{home / LEDGER}: {error}; {RESTORE}"
    return f"{home / LEDGER}: {error}; check the folder, or set ARCHIVAR_HOME"
