"""restore(): a backup becomes the archive of a folder, all or nothing; what it replaces is kept until it has opened."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chromadb.api.shared_system_client import SharedSystemClient

from archive.backup_file import Manifest, read_manifest, unpack
from archive.checking import Comparison, compare
from archive.errors import ArchiveError
from archive.forgetting import mark
from archive.index import Index
from archive.ledger import Ledger
from archive.locking import held
from archive.schema import MIGRATIONS
from archive.swapping import LEDGER, PARTS, REPLACED, RESTORED, RESTORING, close_ledger, finish, sync_folder, undo


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored archive, and what a comparison of its indexes with its ledger found: it may have been damaged before.

    Passages without a vector, since a Chroma server had them, are pending in that comparison.
    """

    manifest: Manifest
    comparison: Comparison


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
            shutil.rmtree(home / REPLACED, ignore_errors=True)
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
        if not before and not (home / RESTORED).exists():
            shutil.rmtree(home, ignore_errors=True)
        raise


def _stage(path: Path, home: Path, manifest: Manifest, chroma_url: str) -> None:
    stage = home / RESTORING
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
            close_ledger(home)
            _forget_again(home, stage)
        shutil.rmtree(home / REPLACED, ignore_errors=True)  # of an earlier restore
        for folder in (*(folder for folder in stage.rglob("*") if folder.is_dir()), stage):
            sync_folder(folder)
        stage.rename(home / RESTORED)
        sync_folder(home)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _check_ledger(path: Path, ledger: Path, manifest: Manifest) -> None:
    with closing(sqlite3.connect(ledger)) as db:
        try:
            (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
            counts = db.execute("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)").fetchone()
        except sqlite3.DatabaseError as error:
            raise ArchiveError(f"{path}: its ledger can't be opened ({error}); take another backup") from error
    if sound != "ok" or counts != (manifest.articles, manifest.passages):
        raise ArchiveError(f"{path}: its ledger is not the one that it lists; take another backup")


def _note_all(stage: Path) -> None:
    """Note every passage for indexes that hold nothing, and that as what is expected of them."""
    ledger = Ledger.open(stage)
    ledger.notes.all_again()
    ledger.db.execute("UPDATE shelves SET version = 0")
    ledger.close()


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


def _opened(home: Path, manifest: Manifest, chroma_url: str) -> Restored:
    """Open and compare the restored archive, make words that it lacks; what was there returns where that fails."""
    # A client that this process has had on the folder would go on with the files that were there.
    SharedSystemClient.clear_system_cache()
    try:
        ledger = Ledger.open(home)
        try:
            index = Index(ledger, home, chroma_url)
            if index.lacks_words:
                index.rebuild_words(ledger.every_passage())
            return Restored(manifest, compare(ledger, index.vectors, index.words))
        finally:
            ledger.close()
    except ArchiveError:
        undo(home)
        raise
