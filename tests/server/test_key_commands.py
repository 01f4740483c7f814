"""`archivar keys`, as it is typed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from archive.errors import BadKey
from archive.settings import load_settings
from server.access.keys import KeyRing
from server.access.store import KeyStore
from server.key_commands import keys_app


def run(*arguments: str):
    return CliRunner().invoke(keys_app, list(arguments), catch_exceptions=False)


def ring() -> KeyRing:
    store = KeyStore(load_settings().home)
    try:
        return KeyRing(store.all())
    finally:
        store.close()


def listed() -> list[dict]:
    return [json.loads(line) for line in run("list", "--json").stdout.splitlines()]


def test_a_key_is_shown_once_alone_on_standard_output():
    done = run("add", "ute")
    text = done.stdout.strip()
    assert ring().find(text).name == "ute"
    assert "every request needs a key" in done.stderr and text not in done.stderr
    assert text.split("-")[2] not in run("list").stdout + run("list", "--json").stdout
    assert "every request" not in run("add", "max").stderr


def test_what_is_asked_for_is_kept():
    run("add", "webui", "--rights", "ask, admin", "--per-minute", "5", "--per-day", "100", "--trust-users")
    run("add", "plain")
    plain, webui = listed()
    assert (webui["rights"], webui["per_minute"], webui["per_day"]) == (["ask", "admin"], 5, 100)
    assert (webui["trusts_users"], webui["expires"]) == (True, None)
    assert (plain["rights"], plain["per_minute"], plain["trusts_users"]) == (["ask", "search"], None, False)


def test_a_day_is_the_last_one_and_an_age_counts_from_now():
    last = (datetime.now(UTC) + timedelta(days=400)).date()
    run("add", "a", "--expires", last.isoformat())
    run("add", "b", "--expires", "90d")
    ends = [datetime.fromisoformat(key["expires"]) for key in listed()]
    assert timedelta(hours=20) < ends[0] - datetime(last.year, last.month, last.day, tzinfo=UTC) < timedelta(hours=24)
    assert abs(ends[1] - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["b d"], "choose another"), (["ARCHIVAR_API_KEY"], "choose another"), (["x\x1b[31m"], "choose another"),
        (["x", "--rights", "ask,foo"], "none of ask, search, admin"), (["x", "--rights", ""], "none of ask"),
        (["x", "--expires", "2020-01-01"], "has passed"), (["x", "--expires", "morgen"], "2027-01-31"),
        (["x", "--expires", "9999-12-31"], "2027-01-31"), (["ute"], "already"),
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_told(arguments, complaint):
    run("add", "ute")
    with pytest.raises(BadKey, match=complaint):
        run("add", *arguments)


def test_change_leaves_the_rest():
    text = run("add", "ute", "--per-day", "5", "--expires", "90d").stdout.strip()
    run("change", "ute", "--rights", "search", "--per-day", "0")
    key = ring().find(text)
    assert (set(key.rights), key.per_day, key.expires is not None) == ({"search"}, None, True)
    run("change", "ute", "--expires", "never", "--trust-users")
    assert (ring().find(text).expires, ring().find(text).trusts_users) == (None, True)


def test_revoked_keys_stay_in_the_list_until_they_are_removed():
    text = run("add", "ute").stdout.strip()
    assert "refused until" in run("revoke", "ute").stderr
    assert ring().find(text).state == "revoked" and ring()
    with pytest.raises(BadKey, match="there are: none"):
        run("revoke", "ute")
    assert "need no key any more" in run("remove", "ute").stderr
    assert not ring()
