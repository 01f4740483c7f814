"""`archivar keys`: who may ask the server, for what, and how much. A running server follows within a second."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from archive.articles import TIME_ZONE
from archive.errors import BadKey
from archive.settings import Settings, load_settings
from server.access.keys import SET_BY_OPERATOR, Key, Right, digest_of, new_key
from server.access.store import KeyStore

keys_app = typer.Typer(help="The keys that let programs and people ask the server.", no_args_is_help=True)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_AGE = re.compile(r"(\d{1,5})([hd])")
_NEVER = "never"

Home = Annotated[Path | None, typer.Option("--home", help="Where the archive lives (default: ARCHIVAR_HOME).")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Whom or what the key is for, as logs shall tell it.")]
Rights = Annotated[
    str | None, typer.Option(metavar="LIST", help="Of ask, search, admin, with commas (new keys: ask,search).")
]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="The last day, as 2027-01-31, an age, as 90d or 12h, or never.")
]
PerMinute = Annotated[int | None, typer.Option(min=0, metavar="N", help="Requests in a minute at most; 0: any number.")]
PerDay = Annotated[int | None, typer.Option(min=0, metavar="N", help="Requests on a day at most; 0: any number.")]
TrustUsers = Annotated[
    bool | None,
    typer.Option("--trust-users/--no-trust-users", help="Count each user that the client names, as Open WebUI does."),
]


@keys_app.command()
def add(
    name: Name,
    rights: Rights = None,
    expires: Expires = None,
    per_minute: PerMinute = None,
    per_day: PerDay = None,
    trust_users: TrustUsers = None,
    home: Home = None,
) -> None:
    """Make a key and show it, this once: only its hash is kept."""
    if not _NAME.fullmatch(name) or name == SET_BY_OPERATOR:
        raise BadKey(f"{name!a}: a name has letters, digits, dots, hyphens and underscores, 64 at most; choose another")
    key_id, secret, text = new_key()
    fresh = Key(key_id, name, digest_of(secret), frozenset({Right.ASK, Right.SEARCH}), _now())
    with _store(home) as (store, settings):
        is_first = not store.all() and not settings.api_key.get_secret_value()
        store.add(_changed(fresh, rights, expires, per_minute, per_day, trust_users))
    typer.echo(text)  # alone on standard output, for scripts
    typer.echo("This is shown once; clients send it as Authorization: Bearer <key>.", err=True)
    if is_first:
        typer.echo("From now on every request needs a key, on this machine too.", err=True)


@keys_app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one object a key.")] = False, home: Home = None
) -> None:
    """List all keys, without their secrets."""
    with _store(home) as (store, settings):
        keys = store.all()
    if as_json:
        for key in keys:
            typer.echo(json.dumps(_told(key)))
        return
    _print(keys)
    if settings.api_key.get_secret_value():
        typer.echo(f"{SET_BY_OPERATOR} is set, too: a key with all rights.", err=True)
    elif not keys:
        typer.echo("There are none: on loopback the server asks for none, elsewhere it doesn't start.", err=True)


@keys_app.command()
def change(
    name: Name,
    rights: Rights = None,
    expires: Expires = None,
    per_minute: PerMinute = None,
    per_day: PerDay = None,
    trust_users: TrustUsers = None,
    home: Home = None,
) -> None:
    """Change what a key allows; what isn't named stays as it is."""
    with _store(home) as (store, _):
        store.change(_changed(_named(store, name), rights, expires, per_minute, per_day, trust_users))
    typer.echo(f"{name}: changed.")


@keys_app.command()
def revoke(name: Name, home: Home = None) -> None:
    """Let a key open nothing any more. It stays in the list, so that its requests in logs can be told."""
    with _store(home) as (store, settings):
        store.change(replace(_named(store, name), revoked=_now()))
        is_last = not any(key.state == "valid" for key in store.all())
    typer.echo(f"{name}: revoked.")
    if is_last and not settings.api_key.get_secret_value():
        typer.echo("No valid key is left: every request is refused until there is one, or none at all.", err=True)


@keys_app.command()
def remove(name: Name, home: Home = None) -> None:
    """Forget a key altogether."""
    with _store(home) as (store, settings):
        store.remove(_named(store, name, is_revoked=True))
        is_last = not store.all()
    typer.echo(f"{name}: removed.")
    if is_last and not settings.api_key.get_secret_value():
        typer.echo("That was the last one: on loopback, requests need no key any more.", err=True)


@contextmanager
def _store(home: Path | None) -> Iterator[tuple[KeyStore, Settings]]:
    settings = load_settings(home=home)
    store = KeyStore(settings.home)
    try:
        yield store, settings
    finally:
        store.close()


def _named(store: KeyStore, name: str, *, is_revoked: bool = False) -> Key:
    keys = store.all()
    for key in keys:
        if key.name == name and (is_revoked or not key.revoked):
            return key
    there = ", ".join(key.name for key in keys if is_revoked or not key.revoked) or "none"
    raise BadKey(f"there is no key {name!a}; there are: {there}")


def _changed(
    key: Key, rights: str | None, expires: str | None, per_minute: int | None, per_day: int | None, trust: bool | None
) -> Key:
    return replace(
        key,
        rights=key.rights if rights is None else _rights(rights),
        expires=key.expires if expires is None else _end(expires),
        per_minute=key.per_minute if per_minute is None else per_minute or None,
        per_day=key.per_day if per_day is None else per_day or None,
        trusts_users=key.trusts_users if trust is None else trust,
    )


def _rights(text: str) -> frozenset[Right]:
    named = {part.strip() for part in text.split(",")}
    if unknown := sorted(named - set(Right)):
        raise BadKey(f"--rights: {unknown[0]!a} is none of {', '.join(Right)}")
    return frozenset(Right(part) for part in named)


def _end(text: str) -> datetime | None:
    """The moment from which a key opens nothing: after the day that is named, in the archive's time zone."""
    if text == _NEVER:
        return None
    if age := _AGE.fullmatch(text):
        return _now() + timedelta(**{{"h": "hours", "d": "days"}[age[2]]: int(age[1])})
    try:
        end = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), TIME_ZONE).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadKey(f"--expires: {text!a} is no day such as 2027-01-31, no age such as 90d, and not never") from error
    if end <= _now():
        raise BadKey(f"--expires: {text} has passed; name a day to come")
    return end


def _print(keys: Sequence[Key]) -> None:
    rows = [("NAME", "ID", "STATE", "RIGHTS", "QUOTA", "USERS", "EXPIRES", "ADDED")]
    for key in keys:
        quotas = [f"{key.per_minute}/min" if key.per_minute else "", f"{key.per_day}/day" if key.per_day else ""]
        rows.append((
            key.name, key.id, key.state, _listed(key.rights), ", ".join(filter(None, quotas)) or "-",
            "trusted" if key.trusts_users else "-", _local(key.expires) or _NEVER, _local(key.added),
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if keys else ():
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _told(key: Key) -> dict[str, object]:
    return {
        "name": key.name, "id": key.id, "state": key.state, "rights": _listed(key.rights).split(","),
        "per_minute": key.per_minute, "per_day": key.per_day, "trusts_users": key.trusts_users,
        "added": key.added.isoformat(), "expires": key.expires.isoformat() if key.expires else None,
        "revoked": key.revoked.isoformat() if key.revoked else None,
    }  # fmt: skip


def _listed(rights: frozenset[Right]) -> str:
    return ",".join(right for right in Right if right in rights)


def _local(moment: datetime | None) -> str:
    return moment.astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M") if moment else ""


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
