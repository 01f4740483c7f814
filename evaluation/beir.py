"""BEIR files: corpus.jsonl, queries.jsonl and qrels.tsv, read whole and checked. Source: Thakur et al., BEIR, 2021."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.errors import SourceError

_TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Document:
    """One document; `title` is never empty, since the archive stores nothing without one."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A corpus with queries (text by id) and what is relevant to each; only judged queries are kept."""

    documents: tuple[Document, ...]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def read_benchmark(corpus: Path, queries: Path, qrels: Path, limit: int | None = None) -> Benchmark:
    """Read the three files; `limit` keeps the first judged queries. Raises SourceError naming file and line."""
    documents = tuple(_document(record) for record in _records(corpus))
    if not documents:
        raise SourceError(f'{corpus}: holds no documents; a line is {{"_id": ..., "title": ..., "text": ...}}')
    judged = _read_qrels(qrels)
    texts = {str(record["_id"]): str(record.get("text") or "") for record in _records(queries)}
    kept = [query for query in texts if any(score > 0 for score in judged.get(query, {}).values())][:limit]
    if not kept:
        raise SourceError(f"{qrels}: judges none of the queries in {queries}; do the files belong together?")
    known = {document.id for document in documents}
    if not any(article in known for query in kept for article in judged[query]):
        raise SourceError(f"{qrels}: names no document of {corpus}; do the files belong together?")
    return Benchmark(documents, {query: texts[query] for query in kept}, {query: judged[query] for query in kept})


def _document(record: dict[str, object]) -> Document:
    text = str(record.get("text") or "").strip()
    title = str(record.get("title") or "").strip()
    if not title:
        # Many corpora have no titles. The text's beginning adds no word that the text hasn't.
        title = " ".join(text.split())[:_TITLE_LENGTH].rsplit(" ", 1)[0] or str(record["_id"])
    return Document(str(record["_id"]), title, text)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise SourceError(f"{path}: {reason}; check the path") from error


def _records(path: Path) -> Iterator[dict[str, object]]:
    for number, line in _lines(path):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise SourceError(f"{path}, line {number}: is no JSON; each line is one object") from error
        if not isinstance(record, dict) or "_id" not in record:
            raise SourceError(f"{path}, line {number}: has no _id; each line is one object with _id and text")
        yield record


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        fields = line.split("\t")
        if number == 1 and fields[-1].strip() == "score":
            continue
        try:
            query, article, score = fields
            judged.setdefault(query, {})[article] = int(score)
        except ValueError as error:
            raise SourceError(f"{path}, line {number}: is not query-id, corpus-id and score between tabs") from error
    return judged
