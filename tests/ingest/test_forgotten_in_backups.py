"""What was removed is in no file of the archive and in no backup made after it; its words least of all."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from archive.archive import Archive
from archive.articles import Article
from archive.backup import back_up
from archive.backup_file import read_manifest
from archive.forgetting import Forgotten
from archive.restoring import restore
from archive.settings import Settings
from ingest.removal import remove
from ingest.split import split

SECRETS = ("Zwanzigerjahreskandal", "Quastenflosserprozess", "Xylophonbestechung")  # words that no other text has
GONE = Article("gone", f"Der {SECRETS[0]} um Erika Mustermann", source="z.de",
               text="\n\n".join(f"Absatz {n}, {SECRETS[1]} und was sonst war." * 4 for n in range(30)))  # fmt: skip


def fill(archive: Archive) -> None:
    with archive.writing():
        others = [replace(GONE, id=str(n), title=f"Meldung {n}", text="Anderes. " * (n * 40)) for n in range(1, 12)]
        former = replace(GONE, text=f"Früher stand hier etwas zur {SECRETS[2]}. " * 60)
        for article in (*others[:6], former, *others[6:], GONE):
            archive.ledger.store([(article, split(article))])
            archive.index_pending()


def traces(folder: Path) -> dict[str, set[str]]:
    """Which secrets lie in which files; Tantivy writes words so that they can't be seen, but names what is deleted."""
    segments = json.loads((folder / "words" / "meta.json").read_text(encoding="utf-8"))["segments"]
    found = {"words": set(SECRETS)} if any(segment["deletes"] for segment in segments) else {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if words := {word for word in SECRETS if word.encode() in data}:
            found[str(path.relative_to(folder))] = words
    return found


@pytest.fixture(autouse=True)
def _plain_sqlite(monkeypatch):
    """SQLite as it is by default; some systems' overwrites whatever is deleted."""
    connect = sqlite3.connect

    def connected(*arguments, **options):
        db = connect(*arguments, **options)
        db.execute("PRAGMA secure_delete = OFF")
        return db

    monkeypatch.setattr(sqlite3, "connect", connected)


@pytest.mark.parametrize("used", [True, False], ids=["being asked", "at rest"])
def test_what_was_removed_is_in_no_file_and_no_backup(archive, tmp_path, embedder, used):
    fill(archive)
    assert traces(tmp_path / "home")
    server = Archive.open(Settings(home=tmp_path / "home"), embedder) if used else None
    remove(archive, [GONE])
    if server:
        assert server.ledger.article("gone") is None
        server.close()
    archive.close()
    assert traces(tmp_path / "home") == {}
    manifest = back_up(tmp_path / "home", tmp_path / "a.tar.zst")
    assert manifest.left_out == () and manifest.articles == 11
    restore(tmp_path / "a.tar.zst", tmp_path / "again")
    assert traces(tmp_path / "again") == {}


def test_a_removal_that_broke_off_before_the_words_were_made_anew_is_in_no_backup(archive, tmp_path):
    fill(archive)
    Forgotten(archive.ledger).forget(GONE)
    with archive.writing():
        for applied in (False, True):
            if applied:
                archive.index_pending()
    archive.close()
    for number in range(2):
        file = tmp_path / f"{number}.tar.zst"
        assert back_up(tmp_path / "home", file).left_out == ("words",)
        with zstandard.open(file) as packed:
            tar = packed.read()
        assert not [word for word in SECRETS if word.encode() in tar]
    restore(file, tmp_path / "again")
    assert traces(tmp_path / "again") == {}
    assert read_manifest(file).articles == 11
