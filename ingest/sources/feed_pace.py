"""How often a feed wants to be read."""

import re

_HEAD = 2**16  # bytes; what a feed says of itself stands before its entries
_TTL = re.compile(rb"<ttl>\s*(\d{1,5})\s*</ttl>", re.IGNORECASE)
_PERIOD = re.compile(rb"<(?:\w+:)?updatePeriod>\s*(\w+)\s*</", re.IGNORECASE)
_FREQUENCY = re.compile(rb"<(?:\w+:)?updateFrequency>\s*(\d{1,4})\s*</", re.IGNORECASE)
_DAY = 86400.0
_PERIODS = {b"hourly": 3600.0, b"daily": _DAY, b"weekly": 7 * _DAY, b"monthly": 30 * _DAY, b"yearly": 365 * _DAY}


def asked_pause(feed: bytes) -> float | None:
    """Seconds between two readings that a feed asks for, the longer of two wishes, at most a day; None: it says none.

    RSS 2.0 has `ttl` in minutes, the syndication module of RSS 1.0 `updatePeriod` and `updateFrequency`.
    """
    head, wishes = feed[:_HEAD], []
    if ttl := _TTL.search(head):
        wishes.append(60.0 * int(ttl[1]))
    if (period := _PERIOD.search(head)) and (seconds := _PERIODS.get(period[1].lower())):
        frequency = _FREQUENCY.search(head)
        wishes.append(seconds / max(1, int(frequency[1]) if frequency else 1))
    return min(max(wishes), _DAY) if any(wishes) else None
