"""The list of rejects, `rejects.jsonl` in the archive's folder: what was left out, when and why."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from archive.articles import Article
from archive.errors import SourceError
from archive.records import stamp
from ingest.report import Reject

NAME = "rejects.jsonl"


def note_rejects(rejected: Sequence[Reject], home: Path) -> Path:
    """Append rejects to the list of the archive in `home`; returns its file. Raises SourceError where that can't be."""
    file, now = home / NAME, stamp()
    if rejected:
        try:
            with file.open("a", encoding="utf-8") as out:
                for reject in rejected:
                    out.write(json.dumps({"time": now} | asdict(reject), ensure_ascii=False) + "\n")
        except OSError as error:
            raise SourceError(f"{file}: can't be written ({error.strerror}); check the folder's rights") from error
    return file


def strike(articles: Sequence[Article], home: Path) -> None:
    """Take the lines that name one of the articles by title or address out of the list."""
    file = home / NAME
    names = [name for article in articles for name in (article.title, article.url) if name]
    written = [json.dumps(name, ensure_ascii=False)[1:-1] for name in names]
    if file.is_file():
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not any(name in line for name in written)]
        beside = file.with_suffix(".new")
        beside.write_text("".join(kept), encoding="utf-8")
        beside.replace(file)
