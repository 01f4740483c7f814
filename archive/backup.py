"""back_up(): a live archive into one file, while readers go on reading."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from archive.backup_file import Manifest, described, write
from archive.errors import ArchiveError
from archive.ledger import check_archive
from archive.locking import held
from archive.records import stamp
from archive.swapping import LEDGER, sync_folder

_STEP = 1000  # pages of Chroma's database copied at a time; between two steps its readers may do as they like


def back_up(home: Path, target: Path, *, replace: bool = False, wait: float = 0, chroma_url: str = "") -> Manifest:
    """Write the archive in `home` to the file `target`, which is there whole or not at all.

    Holds the write lock meanwhile. What was deleted from the ledger is in no page of the copy. The vectors are left out
    where a Chroma server has them (`chroma_url`), the words where their files may still hold something that was to be
    forgotten. Raises ArchiveLocked after `wait` seconds, ArchiveError where there is no archive, where `target` is
    there already (unless `replace`), or can't be written.
    """
    check_archive(home)
    part, copies = target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.copies")
    try:
        with held(home, "write", wait=wait):
            if target.exists() and not replace:
                raise ArchiveError(f"{target}: is there already; name another file, or give --force")
            with _fresh(copies):
                return _written(home, target, part, copies, chroma_url)
    except (OSError, sqlite3.Error) as error:
        place = getattr(error, "filename", None) or target
        raise ArchiveError(f"{place}: can't be backed up ({error}); check both folders and their disks") from error
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)  # of a backup that was killed
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _written(home: Path, target: Path, part: Path, copies: Path, chroma_url: str) -> Manifest:
    ledger = copies / LEDGER
    _copy_ledger(home / LEDGER, ledger)
    words, vectors = _words(home / "words", ledger), {} if chroma_url else _vectors(home / "vectors", copies)
    files = {LEDGER: ledger, **vectors, **words}
    left_out = [name for name, there in (("vectors", vectors), ("words", words)) if not there]
    manifest = _manifest(ledger, files, left_out)
    with part.open("wb") as out:
        write(out, manifest, files)
        out.flush()
        os.fsync(out.fileno())
    part.replace(target)
    sync_folder(target.parent)
    return manifest


def _manifest(ledger: Path, files: dict[str, Path], left_out: list[str]) -> Manifest:
    with closing(sqlite3.connect(ledger)) as db:
        embedder = db.execute("SELECT value FROM facts WHERE name = 'embedder'").fetchone()
        return Manifest(
            program=version("archivar"),
            made=stamp(),
            schema_version=db.execute("PRAGMA user_version").fetchone()[0],
            embedder=embedder[0] if embedder else None,
            articles=db.execute("SELECT count(*) FROM articles").fetchone()[0],
            passages=db.execute("SELECT count(*) FROM passages").fetchone()[0],
            left_out=tuple(left_out),
            members=tuple(described(name, path) for name, path in files.items()),
        )


def _copy_ledger(source: Path, target: Path) -> None:
    """A copy without free pages, in which deleted rows would live on (source: sqlite.org/lang_vacuum.html)."""
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True, timeout=30)) as db:
        db.execute("VACUUM INTO ?", (str(target),))


def _vectors(folder: Path, copies: Path) -> dict[str, Path]:
    """Files of an embedded Chroma by their names in a backup: its database as a copy, its graphs as they lie there."""
    database = folder / "chroma.sqlite3"
    if not database.is_file():
        return {}
    copy = copies / database.name
    with (
        closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(copy, isolation_level=None)) as db,
    ):
        # Not VACUUM INTO at once: this database isn't in WAL mode, so that a long read would hold its writers up.
        source.backup(db, pages=_STEP, sleep=0.005)
        db.execute("VACUUM")
        # Left behind by collections that were dropped while another process had their graphs open.
        graphs = {row[0] for row in db.execute("SELECT id FROM segments")}
    lying = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name in graphs)
    return {"vectors/chroma.sqlite3": copy} | {f"vectors/{path.relative_to(folder).as_posix()}": path for path in lying}


def _words(folder: Path, ledger: Path) -> dict[str, Path]:
    """Files of the words by their names in a backup; none where they can't be trusted to have forgotten."""
    try:
        state = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        segments = {segment["segment_id"].replace("-", ""): segment["deletes"] for segment in state["segments"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    kept = [path for path in sorted(folder.iterdir()) if path.is_file() and _in_use(path.name, segments)]
    before = min((path.stat().st_mtime for path in kept if segments.get(path.name.partition(".")[0])), default=None)
    if _remembers(ledger, before):
        return {}
    return {f"words/{path.name}": path for path in kept}


def _in_use(name: str, segments: dict[str, dict[str, int] | None]) -> bool:
    """Whether Tantivy reads a file of this name: those of segments that were merged away lie there for a while.

    Its files are `<segment>.<kind>` and `<segment>.<number of the change>.del`.
    """
    segment, _, kind = name.partition(".")
    if kind.endswith(".del"):
        deletes = segments.get(segment)
        return deletes is not None and kind == f"{deletes['opstamp']}.del"
    return name in ("meta.json", ".managed.json") or segment in segments


def _remembers(ledger: Path, before: float | None) -> bool:
    """Whether something was to be forgotten since `before`, the oldest segment with deleted passages (None: no such).

    Tantivy keeps the words of deleted passages until it merges their segment.
    """
    with closing(sqlite3.connect(ledger)) as db:
        try:
            latest = db.execute("SELECT strftime('%s', max(forgotten)) FROM forgotten").fetchone()[0]
        except sqlite3.OperationalError:  # a ledger from before that
            return False
        unapplied = db.execute("SELECT EXISTS (SELECT 1 FROM notes WHERE action = 'remove')").fetchone()[0]
    return latest is not None and (bool(unapplied) or (before is not None and before <= int(latest) + 1))
