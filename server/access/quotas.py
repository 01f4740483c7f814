"""Quotas: requests of a key, or of each user of a key that is trusted with users, in a minute and on a day."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil

from archive.articles import TIME_ZONE
from archive.durations import duration
from archive.errors import QuotaUsed
from server.access.keys import Key
from server.access.store import KeyStore, Used


@dataclass(frozen=True, slots=True)
class Standing:
    """The tighter of a key's quotas: requests allowed, requests left, seconds until all are there again."""

    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """As OpenAI's API tells it."""
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": _duration(self.reset),
        }


def take(store: KeyStore, key: Key, user: str) -> Standing:
    """Count one request. Raises QuotaUsed where none is left; then it isn't counted."""
    now = datetime.now(TIME_ZONE)
    used = store.count(key, user, int(now.timestamp() // 60), now.date().isoformat())
    standings = _standings(key, used, now)
    if used.is_refused:
        # Where both are used up, the later one decides.
        full = max((one for one in standings if not one.remaining), key=lambda one: one.reset)
        told = f"the quota of {full.limit} requests is used up; ask again in {duration(full.reset)}"
        raise QuotaUsed(told, full.reset, full.limit)
    return min(standings, key=lambda one: one.remaining)


def _standings(key: Key, used: Used, now: datetime) -> list[Standing]:
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), TIME_ZONE)
    seconds = now.timestamp()  # differences of moments in one zone would leave out a change of the clocks
    minute = (key.per_minute, used.in_minute, 60 - seconds % 60)
    day = (key.per_day, used.in_day, midnight.timestamp() - seconds)
    return [
        Standing(limit, max(limit - count, 0), max(ceil(left), 1))
        for limit, count, left in (minute, day)
        if limit is not None
    ]


def _duration(seconds: int) -> str:
    """`3h0m20s`, as Go writes durations, and OpenAI with it."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"
