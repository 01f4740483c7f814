"""What visits to addresses found, kept between runs: so that a page is fetched again only where it has changed."""

from datetime import datetime

from archive.ledger import Ledger
from archive.records import stamp


class Visits:
    """The ledger's notes on addresses: validators of the last visit (RFC 9110, section 8.8), misses since."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def validators(self, url: str) -> tuple[str | None, str | None]:
        """ETag and Last-Modified of the last visit that was noted, each None where the server named none."""
        row = self._ledger.db.execute("SELECT etag, last_modified FROM visits WHERE url = ?", (url,)).fetchone()
        return (row["etag"], row["last_modified"]) if row else (None, None)

    def visited(self, url: str) -> datetime | None:
        """When the address was visited last, or None."""
        row = self._ledger.db.execute("SELECT visited FROM visits WHERE url = ?", (url,)).fetchone()
        return datetime.fromisoformat(row["visited"]) if row else None

    def note(self, url: str, etag: str | None, last_modified: str | None) -> None:
        """Note a visit whose every article is stored: what is noted too early would never be fetched again."""
        self._ledger.db.execute(
            "INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?, 0)", (url, etag, last_modified, stamp())
        )

    def missed(self, url: str) -> int:
        """Count a visit that found nothing there; returns how many that makes one after another."""
        row = self._ledger.db.execute(
            """INSERT INTO visits VALUES (?, NULL, NULL, ?, 1)
               ON CONFLICT (url) DO UPDATE SET missed = missed + 1, visited = excluded.visited RETURNING missed""",
            (url, stamp()),
        ).fetchone()
        return int(row["missed"])
