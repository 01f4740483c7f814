"""`python -m setup.sample`, run by .venv's Python: fills an empty archive with the bundled sample articles."""

import subprocess
import sys
from pathlib import Path

from archive.errors import ArchivarError
from archive.ledger import Ledger
from archive.settings import load_settings

SAMPLE = Path(__file__).resolve().parent.parent / "sample" / "articles.jsonl"


def main() -> int:
    """Exit code of `archivar ingest`, or 0 where the archive holds articles already."""
    try:
        home = load_settings().home
        if (home / "ledger.sqlite3").exists():
            ledger = Ledger.open(home)
            articles = ledger.counts().articles
            ledger.close()
            if articles:
                return 0
    except ArchivarError as error:
        sys.stderr.write(f"archivar: {error}\n")
        return 1
    sys.stderr.write(f"the archive in {home} is empty: loading the sample articles\n")
    return subprocess.run([Path(sys.executable).with_name("archivar"), "ingest", SAMPLE], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
