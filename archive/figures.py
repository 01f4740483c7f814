"""What an operator watches of an archive while it is served: how much it holds, and how current it is."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.errors import ArchiveError
from archive.ledger import Ledger
from archive.ledger_faults import explained
from archive.schema import MOMENT

_NEWEST = (
    f"SELECT {MOMENT} FROM articles WHERE {MOMENT} IS NOT NULL AND withdrawn IS NULL ORDER BY {MOMENT} DESC LIMIT 1"
)
_LAST_RUN = "SELECT ended FROM runs WHERE ended IS NOT NULL ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Figures:
    """Articles, passages and changes that wait for the indexes; times are Unix seconds, None where there are none."""

    articles: int
    passages: int
    pending: int
    newest: int | None
    last_run: float | None


def figures(ledger: Ledger, home: Path) -> Figures:
    """The figures of the archive in `home` as they stand. Raises ArchiveError where its ledger can't be read."""
    try:
        counts = ledger.counts()
        newest = ledger.db.execute(_NEWEST).fetchone()
        ended = ledger.db.execute(_LAST_RUN).fetchone()
    except sqlite3.Error as error:
        raise ArchiveError(explained(home, error)) from error
    return Figures(
        counts.articles, counts.passages, counts.pending,
        newest[0] if newest else None, datetime.fromisoformat(ended[0]).timestamp() if ended else None,
    )  # fmt: skip
