"""Keys and quotas without a server: what is stored of a key, and that several processes count together."""

import base64
import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from given_keys import Keys
from pydantic import SecretStr

from archive.articles import TIME_ZONE
from archive.backup import back_up
from archive.backup_file import read_manifest
from archive.errors import ArchiveError, BadKey, QuotaUsed, SettingsError
from archive.settings import Settings
from server.access import quotas, store
from server.access.callers import Caller, user_of
from server.access.keys import KeyRing, Right, new_key, operators_key
from server.openwebui import environment


@pytest.fixture
def keys(tmp_path):
    keys = Keys(tmp_path)
    yield keys
    keys.store.close()


@pytest.fixture
def clock(monkeypatch):
    """Sets the time that quotas see."""

    class Clock(datetime):
        moment = datetime(2026, 11, 26, 12, 0, 30, tzinfo=TIME_ZONE)

        @classmethod
        def now(cls, tz=None):
            return cls.moment.astimezone(tz)

    monkeypatch.setattr(quotas, "datetime", Clock)

    def set_to(*parts: int) -> None:
        Clock.moment = datetime(*parts, tzinfo=TIME_ZONE)

    return set_to


def test_a_secret_has_160_bits_and_is_nowhere_stored(tmp_path, keys):
    texts = [keys.add(f"k{number}") for number in range(20)]
    secrets = [text.split("-")[2] for text in texts]
    assert len(set(secrets)) == 20 and all(len(base64.b32decode(secret.upper())) == 20 for secret in secrets)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"k19" in stored
    assert not any(secret.encode() in stored for secret in secrets)


def test_nobody_else_can_read_the_file(tmp_path, keys):
    before = os.umask(0)
    try:
        keys.add("ute")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) > 1 and set(modes.values()) == {0o600}


def test_a_ring_finds_a_key_by_the_whole_of_it(keys):
    text, operators = keys.add("ute"), new_key()[2]
    ring = KeyRing(keys.store.all(), operators_key(operators))
    assert ring.find(text).name == "ute" and ring.find(operators).name == "ARCHIVAR_API_KEY"
    for other in ("", "archivar", text[:-1], f"{text}a", text.upper(), text.removeprefix("archivar-"), "archivar--"):
        assert ring.find(other) is None


def test_a_name_is_taken_until_its_key_is_revoked(keys):
    first = keys.add("ute")
    with pytest.raises(BadKey, match="ute"):
        keys.add("ute")
    keys.revoke("ute")
    assert KeyRing(keys.store.all()).find(first).state == "revoked"
    keys.add("ute")
    assert KeyRing(keys.store.all()).find(first) is None


def test_a_file_that_is_none_is_told(tmp_path):
    (tmp_path / store.FILE).write_text("kein SQLite" * 100)
    with pytest.raises(ArchiveError, match=r"keys\.sqlite3"):
        store.KeyStore(tmp_path).all()


def test_another_file_in_its_place_is_seen(tmp_path, keys):
    keys.add("ute")
    other = Keys(tmp_path / "other")
    other.add("max")
    other.store.close()
    for path in tmp_path.glob(f"{store.FILE}-*"):
        path.unlink()
    (tmp_path / "other" / store.FILE).replace(tmp_path / store.FILE)
    assert [key.name for key in keys.store.all()] == ["max"]


def test_a_minute_and_a_day_begin_anew(keys, clock):
    keys.add("ute", per_minute=2, per_day=3)
    key = keys.store.all()[0]

    def take() -> int:
        return quotas.take(keys.store, key, "").remaining

    assert [take(), take()] == [1, 0]
    with pytest.raises(QuotaUsed) as refused:
        take()
    assert refused.value.retry_after == 30
    clock(2026, 11, 26, 12, 1, 0)
    assert take() == 0  # of the day
    with pytest.raises(QuotaUsed) as refused:
        take()
    assert refused.value.retry_after == 12 * 3600 - 60
    clock(2026, 11, 27, 0, 0, 0)
    assert take() == 1


def test_a_day_has_23_hours_when_the_clocks_go_forward(keys, clock):
    keys.add("ute", per_day=1)
    key = keys.store.all()[0]
    clock(2027, 3, 28, 0, 0, 0)
    assert quotas.take(keys.store, key, "").reset == 23 * 3600


def test_users_of_a_key_are_counted_apart(keys, clock):
    keys.add("webui", per_day=1, trusts_users=True)
    key = keys.store.all()[0]
    for user in ("ute", "max", ""):
        quotas.take(keys.store, key, user)
        with pytest.raises(QuotaUsed):
            quotas.take(keys.store, key, user)


COUNTING = """
import sys, pathlib
from archive.errors import QuotaUsed
from server.access import quotas, store
keys = store.KeyStore(pathlib.Path(sys.argv[1]))
key, taken = keys.all()[0], 0
for _ in range(200):
    try:
        quotas.take(keys, key, "")
        taken += 1
    except QuotaUsed:
        pass
print(taken)
"""


def test_several_processes_hand_out_a_quota_once(tmp_path, keys):
    keys.add("ute", per_day=500)
    command = [sys.executable, "-c", COUNTING, str(tmp_path)]
    servers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(server.communicate(timeout=60)[0]) for server in servers) == 500


def test_processes_that_all_come_first_make_one_secret(tmp_path):
    code = (
        "import sys, pathlib; from server.access.store import KeyStore; "
        "print(KeyStore(pathlib.Path(sys.argv[1])).secret('pages').hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "home")]
    servers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {server.communicate(timeout=60)[0].strip() for server in servers}
    assert len(told) == 1 and len(bytes.fromhex(told.pop())) == 32


def test_counts_of_past_days_are_dropped(keys, clock):
    keys.add("ute", per_day=1)
    key = keys.store.all()[0]
    quotas.take(keys.store, key, "")
    keys.store.forget_days_before("2026-11-27")
    quotas.take(keys.store, key, "")


def test_a_key_ends_at_its_moment(keys):
    now = datetime.now(UTC)
    keys.add("old", expires=now - timedelta(seconds=1))
    keys.add("new", expires=now + timedelta(minutes=1))
    assert [key.state for key in keys.store.all()] == ["valid", "expired"]


@pytest.mark.parametrize("named", ["a b", "\x1b[31m", "ü", "a" * 65, "u\u202ev", "a/b"])
def test_ids_of_users_that_no_log_should_hold_are_told_by_their_digest(named):
    told = user_of({"x-openwebui-user-id": named})
    assert told.startswith("user-") and told.isascii() and len(told) == 21
    assert told != user_of({"x-openwebui-user-id": f"{named}x"})


def test_callers_are_told_apart():
    usual = user_of({"x-owui-user-id": "3f0c1c9e-1b2a-4c0e-9d55-5b1d2c1f0a77"})
    assert usual == "3f0c1c9e-1b2a-4c0e-9d55-5b1d2c1f0a77"
    operators = operators_key("geheim")
    names = [
        Caller(frozenset(), host="127.0.0.1"), Caller(frozenset(), user=usual, host="127.0.0.1"),
        Caller(frozenset(), operators), Caller(frozenset(), operators, usual),
    ]  # fmt: skip
    assert len({caller.counted_as for caller in names}) == 4


def test_a_backup_holds_no_keys(archive_home, tmp_path):
    """A file of their own is why; this holds it there."""
    home = tmp_path / "home"
    shutil.copytree(archive_home, home)
    keys = Keys(home)
    keys.add("ute")
    keys.store.close()
    back_up(home, tmp_path / "archive.tar.zst")
    assert not [member for member in read_manifest(tmp_path / "archive.tar.zst").members if "keys" in str(member)]


def test_open_webui_is_not_started_without_the_key_it_needs(tmp_path, keys):
    where = ("http://127.0.0.1:8000", ("http://localhost:8080",))
    assert environment(Settings(home=tmp_path), *where)["OPENAI_API_KEYS"] == "none"
    keys.add("ute")
    with pytest.raises(SettingsError, match="ARCHIVAR_API_KEY"):
        environment(Settings(home=tmp_path), *where)
    settings = Settings(home=tmp_path, api_key=SecretStr("geheim"))
    assert environment(settings, *where)["OPENAI_API_KEYS"] == "geheim"


def test_open_webui_has_a_key_of_its_own_where_one_is_set_and_opens_something(tmp_path, keys):
    where = ("http://127.0.0.1:8000", ("http://localhost:8080",))
    texts = [
        keys.add("webui", trusts_users=True),
        keys.add("old", expires=datetime.now(UTC)),
        keys.add("s", Right.SEARCH),
    ]
    for operators in ("", "geheim"):
        settings = Settings(home=tmp_path, api_key=SecretStr(operators), webui_key=SecretStr(texts[0]))
        given = environment(settings, *where)
        assert given["OPENAI_API_KEYS"] == given["RAG_OPENAI_API_KEY"] == texts[0]
    for wrong in (*texts[1:], "falsch"):
        settings = Settings(home=tmp_path, api_key=SecretStr("geheim"), webui_key=SecretStr(wrong))
        with pytest.raises(SettingsError, match="ARCHIVAR_WEBUI_KEY") as refused:
            environment(settings, *where)
        assert wrong not in str(refused.value)
