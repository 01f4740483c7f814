"""restore(): a backup becomes the archive of a folder, all of it or none; what it replaces is kept until it has opened.

All is unpacked and verified in `restoring`, whose renaming to `restored` decides: from there on every step can be
repeated, and `finish` does so after a crash. The archive that was there moves to `replaced`. These folders lie within
the archive's own, which may be a volume that can't be renamed.
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.backup import sync_folder
from archive.backup_file import LEDGER, PARTS, Manifest, read_manifest, unpack
from archive.errors import ArchiveError
from archive.forgetting import mark
from archive.index import Index
from archive.ledger import Ledger
from archive.locking import held
from archive.schema import MIGRATIONS

log = logging.getLogger(__name__)

_RESTORING, _RESTORED, _REPLACED, _UNDOING = "restoring", "restored", "replaced", "undoing"


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored archive: how many passages it holds, and how many of them are still without a vector."""

    manifest: Manifest
    passages: int
    without_vector: int


def restore(path: Path, home: Path, *, replace: bool = False, chroma_url: str = "") -> Restored:
    """Make the backup at `path` the archive in `home`. Nothing there changes before all of the backup is verified.

    What the archive that is replaced was to forget is forgotten in the restored one too. Raises ArchiveError where the
    backup is damaged or of a later version, where `home` holds an archive (unless `replace`), or that is in use.
    """
    manifest = read_manifest(path)
    if manifest.schema_version > len(MIGRATIONS):
        raise ArchiveError(f"{path}: a backup by archivar {manifest.program[:20]}; this is older and can't read it")
    try:
        with _made(home), held(home, "write"):
            finish(home)
            if any((home / part).exists() for part in PARTS) and not replace:
                raise ArchiveError(f"{home}: holds an archive; name another folder, or give --replace")
            _stage(path, home, manifest, chroma_url)
            finish(home)
            restored = _opened(home, manifest, chroma_url)
            shutil.rmtree(home / _REPLACED, ignore_errors=True)
            return restored
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"{home}: {error}; check the folder and its disk") from error


@contextmanager
def _made(home: Path) -> Iterator[None]:
    """Make the folder where it is missing; where nothing comes of it, it is as before."""
    before = home.exists()
    home.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if not before and not (home / _RESTORED).exists():
            shutil.rmtree(home, ignore_errors=True)
        raise


def _stage(path: Path, home: Path, manifest: Manifest, chroma_url: str) -> None:
    stage = home / _RESTORING
    shutil.rmtree(stage, ignore_errors=True)
    free = shutil.disk_usage(home).free
    if manifest.size > free:
        raise ArchiveError(f"{home}: {manifest.size / 1e6:,.0f} MB to restore, {free / 1e6:,.0f} MB free; make room")
    try:
        for part in PARTS[1:]:  # an empty one replaces what is there, and is filled from the ledger
            (stage / part).mkdir(parents=True)
        unpack(path, stage)
        _check_ledger(path, stage / LEDGER, manifest)
        if chroma_url or not any((stage / "vectors").iterdir()):
            _note_all(stage)
        if (home / LEDGER).exists():
            _close_ledger(home)
            _forget_again(home, stage)
        shutil.rmtree(home / _REPLACED, ignore_errors=True)  # of an earlier restore
        for folder in (*(folder for folder in stage.rglob("*") if folder.is_dir()), stage):
            sync_folder(folder)
        stage.rename(home / _RESTORED)
        sync_folder(home)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _check_ledger(path: Path, ledger: Path, manifest: Manifest) -> None:
    with closing(sqlite3.connect(ledger)) as db:
        try:
            (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
            counts = tuple(
                db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("articles", "passages")
            )
        except sqlite3.DatabaseError as error:
            raise ArchiveError(f"{path}: its ledger can't be opened ({error}); take another backup") from error
    if sound != "ok" or counts != (manifest.articles, manifest.passages):
        raise ArchiveError(f"{path}: its ledger is not the one that it lists; take another backup")


def _note_all(stage: Path) -> None:
    ledger = Ledger.open(stage)
    ledger.note_all()
    ledger.close()


def _close_ledger(home: Path) -> None:
    """Fold the ledger's log into it. Raises ArchiveError where another process, such as a server, has it open."""
    with closing(sqlite3.connect(home / LEDGER, timeout=1, isolation_level=None)) as db:
        try:
            db.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            raise ArchiveError(f"{home}: a server or another command is at work on it; stop it first") from error
        except sqlite3.DatabaseError as error:  # damaged, perhaps the very reason for the restore
            log.warning("%s: its ledger is damaged (%s); what it was to forget is not known", home, error)


def _forget_again(home: Path, stage: Path) -> None:
    """Carry over what the archive in `home` was to forget, and remove that from the one in `stage`."""
    with closing(sqlite3.connect(home / LEDGER)) as db:
        try:
            marks = db.execute("SELECT mark, forgotten FROM forgotten").fetchall()
        except sqlite3.DatabaseError:  # from before that, or damaged
            return
    ledger = Ledger.open(stage)
    try:
        with ledger.transaction() as db:
            db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", marks)
        known, rows = {mark for mark, _ in marks}, ledger.db.execute("SELECT id, url FROM articles").fetchall()
        gone = [row["id"] for row in rows if not known.isdisjoint(map(mark, filter(None, row)))]
        for article_id in gone:
            ledger.remove(article_id)
        ledger.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        ledger.close()
    if gone:
        shutil.rmtree(stage / "words")  # made again without them
        (stage / "words").mkdir()


def finish(home: Path) -> None:
    """Bring a restore to its end that broke off while it was moving files, or take it back where that had begun.

    For the one who holds the write lock, and before anything in `home` is opened; costs two looks at the disk.
    """
    if (home / _RESTORED).is_dir():
        if (home / _RESTORED / LEDGER).exists() and (home / LEDGER).exists():
            _close_ledger(home)
        _swap(home, _RESTORED, _REPLACED)
    if (home / _UNDOING).is_dir():
        _swap(home, _UNDOING, _RESTORING)
        shutil.rmtree(home / _RESTORING, ignore_errors=True)


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


def _opened(home: Path, manifest: Manifest, chroma_url: str) -> Restored:
    """Open the restored archive and make words that it lacks; what was there before comes back where that fails."""
    try:
        ledger = Ledger.open(home)
        try:
            index, passages = Index(ledger, home, chroma_url), ledger.counts().passages
            if passages and index.lacks_words:
                index.rebuild_words(p for article in ledger.articles() for p in ledger.passages_of(article.id))
            return Restored(manifest, passages, max(passages - index.counts()[0], ledger.counts().pending))
        finally:
            ledger.close()
    except ArchiveError:
        for part in PARTS:
            if not (home / _REPLACED / part).exists():  # it was missing before
                _remove(home / part)
        (home / _REPLACED).rename(home / _UNDOING)
        finish(home)
        raise


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
