"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from pathlib import Path

from archive.errors import BadArticle
from ingest.report import Found, Reject
from ingest.sources.raw import LONGEST_LINE, lines
from ingest.sources.records import Origin, article_from


def read_jsonl(path: Path, origin: Origin) -> Iterator[Found | Reject]:
    """Each line's article, or a reject with the line's number."""
    for number, line in lines(path):
        if line is not None and not line.strip():
            continue
        place = f"line {number}"
        try:
            yield Found(article_from(_object(line), origin), origin.file, place)
        except BadArticle as error:
            yield Reject(origin.file, str(error), place)


def _object(line: str | None) -> dict[str, object]:
    if line is None:
        raise BadArticle(f"longer than {LONGEST_LINE // 2**20} MB")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadArticle(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadArticle(f"a JSON {type(value).__name__}, not an object with fields")
    return value
