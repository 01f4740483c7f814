"""A live archive into one file and back: real SQLite, Chroma and Tantivy, other processes, damage of every kind."""

import hashlib
import io
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import pytest
import zstandard
from chromadb.api.shared_system_client import SharedSystemClient
from embedders import WordEmbedder
from typer.testing import CliRunner

from archivar import app
from archive import restoring
from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage
from archive.backup import back_up
from archive.backup_file import MANIFEST, read_manifest
from archive.errors import ArchiveError, ArchiveLocked
from archive.forgetting import Forgotten
from archive.ledger import Ledger
from archive.locking import held
from archive.restoring import restore
from archive.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def opened(home):
    SharedSystemClient.clear_system_cache()  # as another process would open it
    return Archive.open(Settings(home=home), WordEmbedder())


def fill(home, *texts: str) -> None:
    """One article each, ids 0, 1, 2, ..."""
    archive = opened(home)
    with archive.writing():
        for number, text in enumerate(texts):
            put(archive, str(number), text)
        archive.index_pending()
    archive.close()


def put(archive, article_id, text):
    moment = datetime(2023, 5, 3, 12, tzinfo=TIME_ZONE)
    made = Article(id=article_id, title=text.split(".")[0], text=text, published=moment, source="z.de")
    archive.ledger.store([(made, [Passage(f"{article_id}#0", article_id, 0, text, made.title, moment)])])


def held_by(home) -> dict[str, str]:
    """Texts by id, after a look that ledger, vectors and words hold the same, hash by hash."""
    archive = opened(home)
    try:
        articles = {article.id: article for article in archive.ledger.articles()}
        passages = {p.id: p.content_hash for id_ in articles for p in archive.ledger.passages_of(id_)}
        vectors, words = map(dict, archive.index.held())
        assert (vectors, words) == (passages, passages)
        for article in articles.values():
            assert archive.index.search_words(article.text, 1)[0][0] == f"{article.id}#0"
        return {id_: article.text for id_, article in articles.items()}
    finally:
        archive.close()


def files_in(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


OLD = ("Der alte Bestand von Hamburg", "Noch ein alter Bericht")
NEW = ("Ein neuer Bericht aus Bremen", "Die neue Meldung", "Dazu ein Drittes")


@pytest.fixture
def home(tmp_path):
    fill(tmp_path / "home", *NEW)
    return tmp_path / "home"


@pytest.fixture
def backup(home, tmp_path):
    back_up(home, tmp_path / "a.tar.zst")
    return tmp_path / "a.tar.zst"


@pytest.fixture
def other(tmp_path):
    fill(tmp_path / "other", *OLD)
    return tmp_path / "other"


def test_what_was_backed_up_comes_back_in_an_empty_folder(backup, tmp_path):
    restored = restore(backup, tmp_path / "again")
    assert (restored.manifest.articles, restored.comparison.vectors, restored.comparison.words) == (3, 3, 3)
    assert restored.comparison.whole and not restored.comparison.pending
    assert held_by(tmp_path / "again") == dict(enumerate_texts(NEW))
    assert {path.name for path in tmp_path.glob("a.tar*")} == {"a.tar.zst"}


def enumerate_texts(texts):
    return ((str(number), text) for number, text in enumerate(texts))


def test_a_restored_archive_can_be_written_to_and_backed_up_again(backup, tmp_path):
    restore(backup, tmp_path / "again")
    archive = opened(tmp_path / "again")
    with archive.writing():
        put(archive, "1", "Die neue Meldung, geändert")
        put(archive, "3", "Ganz Neues")
        archive.index_pending()
    archive.close()
    back_up(tmp_path / "again", tmp_path / "b.tar.zst")
    restore(tmp_path / "b.tar.zst", tmp_path / "third")
    assert held_by(tmp_path / "third") == {
        "0": NEW[0], "1": "Die neue Meldung, geändert", "2": NEW[2], "3": "Ganz Neues",
    }  # fmt: skip


def test_tar_itself_opens_it_with_the_list_of_contents_first(backup):
    with zstandard.open(backup) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        names = tar.getnames()
    assert names[:2] == [MANIFEST, "ledger.sqlite3"]
    assert names[1:] == [member.name for member in read_manifest(backup).members]
    assert not [name for name in names if name.endswith((".lock", "-wal", "-shm"))]


def test_a_file_that_is_there_is_replaced_by_force_alone(home, backup):
    before = backup.read_bytes()
    with pytest.raises(ArchiveError, match="is there already; name another file, or give --force"):
        back_up(home, backup)
    assert backup.read_bytes() == before
    back_up(home, backup, replace=True)
    assert read_manifest(backup).articles == 3


def test_no_archive_is_no_backup(tmp_path):
    with pytest.raises(ArchiveError, match="holds no archive"):
        back_up(tmp_path / "nowhere", tmp_path / "a.tar.zst")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_that_fails_leaves_the_one_before(home, backup, monkeypatch):
    before = backup.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("archive.backup.write", full)
    with pytest.raises(ArchiveError, match="No space left on device"):
        back_up(home, backup, replace=True)
    assert backup.read_bytes() == before
    assert {path.name for path in backup.parent.iterdir()} == {"home", "a.tar.zst"}


def test_a_folder_that_is_not_there_is_named(home, tmp_path):
    for place in (tmp_path / "nowhere" / "a.tar.zst", home / "ledger.sqlite3" / "a.tar.zst"):
        with pytest.raises(ArchiveError, match=f"{place.parent}.*can't be backed up"):
            back_up(home, place)
    assert not (tmp_path / "nowhere").exists()


def test_a_backup_waits_for_a_writer_and_says_who_it_is(home, tmp_path):
    with held(home, "write"):
        with pytest.raises(ArchiveLocked, match=r"process \d+"):
            back_up(home, tmp_path / "a.tar.zst")
        waiting = threading.Thread(target=back_up, args=(home, tmp_path / "a.tar.zst"), kwargs={"wait": 60})
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(60)
    assert read_manifest(tmp_path / "a.tar.zst").articles == 3


_WRITER = """
import sys, time
from pathlib import Path
sys.path[:0] = ["tests", "tests/archive"]
from test_backup import opened, put
archive, number = opened(Path(sys.argv[1])), 100
while True:
    with archive.writing(wait=60):
        for number in range(number + 1, number + 4):
            put(archive, str(number), f"Meldung mit der Nummer {number}")
        archive.index_pending()
    print(number, flush=True)
    time.sleep(0.3)  # until when it would have the lock again before anyone else looks
"""


def test_backups_amid_an_ingest_and_questions_are_each_whole(home, tmp_path):
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    reader, asked, done = opened(home), [], threading.Event()

    def ask():
        while not done.is_set():
            reader.refresh()
            asked.append(reader.index.search_words("Bremen", 1) == [] or reader.ledger.article("0") is None)

    asking = threading.Thread(target=ask)
    try:
        assert writer.stdout
        assert writer.stdout.readline()
        asking.start()
        for number in range(3):
            back_up(home, tmp_path / f"{number}.tar.zst", wait=60)
            writer.stdout.readline()
    finally:
        done.set()
        writer.kill()
        writer.wait()
        writer.stdout.close()
        asking.join()
        reader.close()
    assert len(asked) > 3 and not any(asked)
    held = []
    for number in range(3):
        restored = restore(tmp_path / f"{number}.tar.zst", tmp_path / f"again{number}")
        assert restored.comparison.whole
        held.append(len(held_by(tmp_path / f"again{number}")))
    assert held == sorted(held) and held[0] >= 6


def test_a_backup_that_is_killed_leaves_nothing_that_the_next_minds(home, backup):
    before = backup.read_bytes()
    slow = "import archive.backup_file as f, time; f.zstandard = None; import archive.backup as b; " \
           "b.write = lambda out, *_: (out.write(b'x'), out.flush(), print('at it', flush=True), time.sleep(60)); " \
           f"from pathlib import Path; b.back_up(Path({str(home)!r}), Path({str(backup)!r}), replace=True)"  # fmt: skip
    killed = subprocess.Popen([sys.executable, "-c", slow], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert killed.stdout
    assert killed.stdout.readline() == "at it\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    assert backup.read_bytes() == before
    back_up(home, backup, replace=True)
    assert {path.name for path in backup.parent.iterdir()} == {"home", "a.tar.zst"}


def test_vectors_on_a_server_are_left_to_it(home, tmp_path):
    manifest = back_up(home, tmp_path / "a.tar.zst", chroma_url="http://localhost:1")
    assert manifest.left_out == ("vectors",)
    restored = restore(tmp_path / "a.tar.zst", tmp_path / "again")
    assert restored.comparison.pending == 3
    archive = opened(tmp_path / "again")
    with archive.writing():
        assert archive.index_pending() == 3
    archive.close()
    held_by(tmp_path / "again")


def test_an_archive_that_is_there_is_replaced_by_request_alone(backup, other):
    before = files_in(other)
    with pytest.raises(ArchiveError, match="holds an archive; name another folder, or give --replace"):
        restore(backup, other)
    assert files_in(other) == before
    restore(backup, other, replace=True)
    assert held_by(other) == dict(enumerate_texts(NEW))
    assert not (other / "replaced").exists()


def test_an_archive_that_is_being_asked_is_not_replaced(backup, other):
    server = opened(other)
    with pytest.raises(ArchiveError, match="stop it first"):
        restore(backup, other, replace=True)
    server.close()
    assert held_by(other) == dict(enumerate_texts(OLD))
    assert not (other / "restoring").exists()


def test_what_does_not_open_gives_way_to_what_was_there(backup, other, monkeypatch):
    def broken(*_):
        raise ArchiveError("words: broken")

    with monkeypatch.context() as patch:
        patch.setattr("archive.restoring.compare", broken)
        with pytest.raises(ArchiveError, match="words: broken"):
            restore(backup, other, replace=True)
    assert held_by(other) == dict(enumerate_texts(OLD))
    assert not {"replaced", "restored", "restoring", "undoing"} & {path.name for path in other.iterdir()}


class Crash(BaseException):
    """The end of a process: nothing is tidied up after it."""


@pytest.mark.parametrize("opens, last", [*((True, n) for n in range(8)), *((False, n) for n in range(7, 15))])
def test_a_crash_at_any_step_leaves_one_archive_or_the_other(last, opens, backup, other, monkeypatch):
    """Of the renamings that put one archive in the other's place, and back, number `last` is the last."""
    rename, remove, compare, steps = Path.rename, shutil.rmtree, restoring.compare, iter(range(100))
    crashed = False

    def renaming(path, target):
        nonlocal crashed
        rename(path, target)
        if crashed := next(steps) == last:
            raise Crash

    def comparing(*parts):
        if opens:
            return compare(*parts)
        raise ArchiveError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renaming)
        patch.setattr(restoring, "compare", comparing)
        patch.setattr(shutil, "rmtree", lambda *args, **kind: crashed or remove(*args, **kind))  # the dead tidy nothing
        with suppress(Crash, ArchiveError):
            restore(backup, other, replace=True)
    assert crashed == (last < (7 if opens else 14))
    texts = held_by(other)
    assert texts in (dict(enumerate_texts(NEW)), dict(enumerate_texts(OLD)))
    restore(backup, other, replace=True)
    assert held_by(other) == dict(enumerate_texts(NEW))


def test_what_was_to_be_forgotten_stays_forgotten_when_an_older_backup_returns(home, backup):
    archive = opened(home)
    with archive.writing():
        Forgotten(archive.ledger).forget(archive.ledger.article("1"))
        archive.index_pending()
    archive.close()
    restore(backup, home, replace=True)
    archive = opened(home)
    assert archive.ledger.article("1") is None and archive.index.search_words("Meldung", 5) == []
    assert Forgotten(archive.ledger).among([Article(id="1", title="Die neue Meldung")]) == {"1"}
    with archive.writing():
        archive.index_pending()
    archive.close()
    assert held_by(home) == {"0": NEW[0], "2": NEW[2]}


def repacked(backup, change) -> bytes:
    """The backup with its members, (name, bytes) each, changed; the manifest is the first."""
    with zstandard.open(backup) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        members = [(entry, tar.extractfile(entry).read()) for entry in tar]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w|") as tar:
        for entry, data in change(members):
            entry.size = len(data) if entry.isreg() else 0
            tar.addfile(entry, io.BytesIO(data))
    return zstandard.compress(out.getvalue())


def edited(old: str, new: str):
    def change(members):
        (entry, data), *rest = members
        text = data.decode()
        assert old in text
        return [(entry, text.replace(old, new).encode()), *rest]

    return change


def link(name: str, to: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, to
    return entry


def forged_ledger(members):
    """A manifest that fits, over a ledger that is none."""
    (manifest, text), (ledger, data), *rest = members
    size, digest = len(data), hashlib.sha256(data).hexdigest()
    text = text.decode().replace(digest, hashlib.sha256(b"?" * size).hexdigest())
    return [(manifest, text.encode()), (ledger, b"?" * size), *rest]


DAMAGE = {
    "empty": lambda path: b"",
    "text": lambda path: b"Das ist keine Sicherung." * 100,
    "half": lambda path: path.read_bytes()[: path.stat().st_size // 2],
    "a tenth": lambda path: path.read_bytes()[: path.stat().st_size // 10],
    "without its end": lambda path: path.read_bytes()[:-2000],
    "a bit": lambda path: flipped(path.read_bytes(), 2),
    "a late bit": lambda path: flipped(path.read_bytes(), 1.1),
    "not compressed": lambda path: zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()),
    "a member changed": lambda path: repacked(path, lambda all: [*all[:-1], (all[-1][0], all[-1][1][:-1] + b"~")]),
    "a member missing": lambda path: repacked(path, lambda all: all[:-1]),
    "a member more": lambda path: repacked(path, lambda all: [*all, (tarfile.TarInfo("words/x"), b"x")]),
    "a member twice": lambda path: repacked(path, lambda all: [*all, all[-1]]),
    "no list": lambda path: repacked(path, lambda all: all[1:]),
    "the list last": lambda path: repacked(path, lambda all: [*all[1:], all[0]]),
    "a link": lambda path: repacked(path, lambda all: [*all[:-1], (link(all[-1][0].name, "/etc/passwd"), b"")]),
    "a path out": lambda path: repacked(path, edited("words/meta.json", "words/../../x")),
    "an absolute path": lambda path: repacked(path, edited("words/meta.json", "/tmp/x")),
    "a stranger": lambda path: repacked(path, edited("words/meta.json", "write.lock")),
    "a folder's name": lambda path: repacked(path, edited('"words/meta.json"', '"words"')),
    "another size": lambda path: repacked(path, edited('"size": ', '"size": 1')),
    "another format": lambda path: repacked(path, edited("archivar-backup", "borg")),
    "more articles": lambda path: repacked(path, edited('"articles": 3', '"articles": 4')),
    "no ledger": lambda path: repacked(path, forged_ledger),
    "a bomb": lambda path: zstandard.compress(tarfile.TarInfo("x").tobuf() + b"\0" * 300_000_000),
}


def flipped(data: bytes, part: float) -> bytes:
    at = int(len(data) / part)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_changes_nothing_and_is_told_in_one_line(damage, backup, other, tmp_path):
    backup.write_bytes(DAMAGE[damage](backup))
    before = files_in(other)
    for home in (other, tmp_path / "fresh"):
        with pytest.raises(ArchiveError) as refused:
            restore(backup, home, replace=True)
        assert "\n" not in str(refused.value) and str(backup) in str(refused.value)
    assert files_in(other) == before
    assert not (tmp_path / "fresh").exists()


def test_a_backup_by_a_later_version_is_left_to_it(backup, tmp_path):
    original = backup.read_bytes()
    for old, new in (('"version": 1', '"version": 2'), ('"schema_version": ', '"schema_version": 9')):
        backup.write_bytes(original)
        backup.write_bytes(repacked(backup, edited(old, new)))
        with pytest.raises(ArchiveError, match="this is older and can't read it"):
            restore(backup, tmp_path / "again")


def test_deleted_rows_are_in_no_page_of_a_backup(tmp_path):
    secret = "Geheimnis-" + "x" * 50
    fill(tmp_path / "home", "Eins", *(f"{secret} {number} " + "lang " * 500 for number in range(20)))
    with closing(sqlite3.connect(tmp_path / "home" / "ledger.sqlite3")) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = OFF")  # which some systems' SQLite has on
        db.execute("DELETE FROM articles WHERE id != '0'")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret.encode() in (tmp_path / "home" / "ledger.sqlite3").read_bytes()
    back_up(tmp_path / "home", tmp_path / "a.tar.zst")
    restore(tmp_path / "a.tar.zst", tmp_path / "again")
    assert not [name for name, data in files_in(tmp_path / "again").items() if secret.encode() in data]


def test_a_newer_ledger_has_no_other_backup_in_its_way(home, tmp_path):
    ledger = Ledger.open(home)  # in use, as by a server
    back_up(home, tmp_path / "a.tar.zst")
    ledger.close()
    assert read_manifest(tmp_path / "a.tar.zst").articles == 3


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_commands_say_what_they_did(home, tmp_path, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _: 0)  # it could not be taken back
    file = tmp_path / "a.tar.zst"
    made = run("backup", file, "--home", home)
    assert made.exit_code == 0 and made.stdout.startswith(f"{file}: 3 articles, 3 passages, 0.")
    brought = run("restore", file, "--home", tmp_path / "again")
    assert brought.exit_code == 0 and brought.stderr == ""
    assert brought.stdout.startswith(f"{tmp_path / 'again'}: restored as of 20")
    assert "The archive is whole: 3 articles, 3 passages, each once in vectors and words" in brought.stdout
    assert "give --force" in str(run("backup", file, "--home", home).exception)
    assert "give --replace" in str(run("restore", file, "--home", home).exception)


def test_the_command_names_whom_it_waits_for(home, tmp_path, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _: 0)
    with held(home, "write"):
        waited = run("backup", tmp_path / "a.tar.zst", "--home", home, "--wait", "0.1")
        at_once = run("backup", tmp_path / "a.tar.zst", "--home", home, "--wait", "0")
    assert "the backup waits for it, 0 s at most" in waited.stderr
    assert isinstance(waited.exception, ArchiveLocked) and isinstance(at_once.exception, ArchiveLocked)
    assert not (tmp_path / "a.tar.zst").exists()


def test_the_command_says_what_is_not_in_it(home, tmp_path, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setenv("ARCHIVAR_CHROMA_URL", "http://localhost:1")
    made = run("backup", tmp_path / "a.tar.zst", "--home", home)
    monkeypatch.delenv("ARCHIVAR_CHROMA_URL")
    assert "Vectors are not in it, but in Chroma at http://localhost:1" in made.stderr
    brought = run("restore", tmp_path / "a.tar.zst", "--home", tmp_path / "again")
    assert "3 passages are still to be indexed: the next ingest does it, or check --repair." in brought.stdout
