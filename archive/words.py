"""The word side of the index: Tantivy, BM25 over German stems, the parts of compounds, names, and phrases."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import tantivy
from tantivy import Occur, Query

from archive import german
from archive.articles import Passage, Period
from archive.disk import FULL, REPAIR, is_full
from archive.errors import ArchiveError
from archive.index_files import torn_words
from archive.queries import Sought, WordQuery, parse_query
from archive.weighing import marked_part, weigh

# The analyzer's name is part of the schema, so that an index whose words were made otherwise is noticed: count on when
# german.py or compounds.py finds other words in a text.
_ANALYZER = "words-2"

# BM25 takes a short document for a relevant one. Where most articles are known by their headline alone, that would put
# every headline before every full passage, so none counts as shorter than this, in words (source: Singhal, Buckley,
# Mitra: Pivoted Document Length Normalization, 1996). Anything from 80 to 150, a passage's length, does the same.
_SHORTEST = 100
_FILLER = "~~"  # a term that no text and no query has

_WRITER_BYTES = 64_000_000
_PAGE = 100_000  # passages listed at a time
_BATCH = 1024  # passages in one commit of a rebuilt index
_ALWAYS, _FOREVER = -(2**62), 2**62


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("hash", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field("text", tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field("wording", tokenizer_name=_ANALYZER)
    builder.add_integer_field("published", indexed=True, fast=True)
    return builder.build()


_SCHEMA = _schema()


class Words:
    """Passage texts by passage id, searched by words."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "words"
        self._writer: tantivy.IndexWriter | None = None
        self._open()

    def _open(self) -> None:
        """Open or create the index. One of another schema stays on disk and counts as empty until it is written to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.outdated = _is_outdated(self._folder)
            self._index = tantivy.Index(_SCHEMA, path=None if self.outdated else str(self._folder))
        except (ValueError, OSError) as error:
            raise ArchiveError(f"words in {self._folder}: {error}; {REPAIR}") from error
        self._index.register_tokenizer(_ANALYZER, german.space_analyzer())

    def reload(self) -> None:
        """See what another process committed. Raises ArchiveError where the folder is gone."""
        if self.outdated:
            self._open()
        try:
            self._index.reload()
        except (ValueError, OSError) as error:
            raise ArchiveError(f"words in {self._folder}: {error}; {REPAIR}") from error

    def count(self) -> int:
        """Passages held, as of the last reload or commit."""
        return self._index.searcher().num_docs

    def apply(self, added: Sequence[Passage], removed: Sequence[str]) -> None:
        """Add passages, replacing those of the same id, take `removed` ids out, commit. Idempotent."""
        try:
            if self.outdated:
                shutil.rmtree(self._folder)
                self._open()
            writer = self._writer = self._writer or self._new_writer()
            for passage_id in removed:
                writer.delete_documents_by_term("id", passage_id)
            for passage in added:
                writer.delete_documents_by_term("id", passage.id)
                writer.add_document(_document(passage))
            writer.commit()
        except (ValueError, OSError) as error:
            raise ArchiveError(f"words in {self._folder}: {error}; {FULL if is_full(error) else REPAIR}") from error
        self._index.reload()

    def _new_writer(self) -> tantivy.IndexWriter:
        writer = self._index.writer(_WRITER_BYTES, 1)
        # A commit that was killed leaves files that the next one would make again, and Tantivy overwrites none.
        writer.garbage_collect_files()
        return writer

    def held(self) -> Iterator[tuple[str, str]]:
        """(passage id, its content hash) of all that can be found by words."""
        try:
            searcher = self._index.searcher()
            for start in range(0, searcher.num_docs, _PAGE):
                for _, address in searcher.search(Query.all_query(), _PAGE, count=False, offset=start).hits:
                    document = searcher.doc(address).to_dict()
                    yield document["id"][0], document["hash"][0]
        except (ValueError, OSError, KeyError) as error:
            raise ArchiveError(f"words in {self._folder}: {error}; {REPAIR}") from error

    def torn(self) -> str | None:
        """What is wrong with the files, in a few words; None where nothing is. Reads them all."""
        return torn_words(self._folder)

    def rebuild(self, passages: Iterable[Passage]) -> int:
        """Make the index anew from all passages of an archive, for the one who holds its write lock; returns how many.

        The index that was there is searched until the new one is whole, and is there still where this is broken off.
        """
        beside = self._folder.with_name("words-new")
        shutil.rmtree(beside, ignore_errors=True)
        new = Words(beside)
        for batch in _batches(passages):
            new.apply(batch, [])
        new.close_writer()
        self.close_writer()
        before = self._folder.with_name("words-before")
        try:
            shutil.rmtree(before, ignore_errors=True)
            self._folder.rename(before)
            (beside / "words").rename(self._folder)
        except OSError as error:
            raise ArchiveError(f"words in {self._folder}: {error}; {FULL if is_full(error) else REPAIR}") from error
        shutil.rmtree(before, ignore_errors=True)
        shutil.rmtree(beside, ignore_errors=True)
        self._open()
        return self.count()

    def close_writer(self) -> None:
        """Finish merges and give up Tantivy's own lock."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def search(self, text: str | WordQuery, limit: int, period: Period | None) -> list[tuple[str, float]]:
        """Passages of a period that share words with `text` and hold its phrases, as (id, BM25), best first.

        Any text is a query, see queries.py for its operators.
        """
        query = parse_query(text) if isinstance(text, str) else text
        searcher = self._index.searcher()
        weights = weigh(query.plain, searcher.num_docs, cache(searcher.doc_freq))
        if not weights and not query.required:
            return []
        # One flat union: only that is cut short by Tantivy where nothing better can follow (block-max WAND).
        wanted = Query.boolean_query([(Occur.Should, _boosted(*term, weight)) for term, weight in weights.items()])
        clauses = [*_restrictions(query), *([(Occur.Must, _within(period))] if period else [])]
        if clauses:
            wanted = Query.boolean_query([*([(Occur.Must, wanted)] if weights else []), *clauses])
        hits = searcher.search(wanted, limit, count=False).hits
        return [(str(searcher.doc(address).get_first("id")), float(score)) for score, address in hits]


def _is_outdated(folder: Path) -> bool:
    return tantivy.Index.exists(str(folder)) and tantivy.Index.open(str(folder)).schema != _SCHEMA


def _batches(passages: Iterable[Passage]) -> Iterator[list[Passage]]:
    rest = iter(passages)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _boosted(field: str, term: str, boost: float) -> Query:
    return Query.boost_query(Query.term_query(_SCHEMA, field, term, "freq"), boost)


def _restrictions(query: WordQuery) -> list[tuple[Occur, Query]]:
    return [
        *((Occur.Must, _held(sought)) for sought in query.required),
        *((Occur.MustNot, _held(sought)) for sought in query.forbidden),
    ]


def _held(sought: Sought) -> Query:
    """Passages that hold it, all with the same score, so that a phrase counts by its words alone."""
    if sought.kind == "wording" and len(words := sought.term.split()) > 1:
        return Query.const_score_query(Query.phrase_query(_SCHEMA, "wording", list(words)), 0.0)
    fields = ("wording",) if sought.kind == "wording" else ("title", "text")
    terms = [(Occur.Should, Query.term_query(_SCHEMA, field, sought.term, "basic")) for field in fields]
    return Query.const_score_query(Query.boolean_query(terms), 0.0)


def _within(period: Period) -> Query:
    first, last = period.timestamps()
    bounds = (_ALWAYS if first is None else first, _FOREVER if last is None else last)
    within = Query.range_query(_SCHEMA, "published", tantivy.FieldType.Integer, *bounds)
    return Query.const_score_query(within, 0.0)


def _document(passage: Passage) -> tantivy.Document:
    title, text = german.normalized(passage.title), german.normalized(passage.text)
    parts = [marked_part(part) for field in (title, text) for part in german.parts(field)]
    document = tantivy.Document()
    document.add_text("id", passage.id)
    document.add_text("hash", passage.content_hash)
    document.add_text("title", " ".join(german.terms(title)))
    terms = [*german.terms(text), *parts]
    document.add_text("text", " ".join([*terms, *[_FILLER] * (_SHORTEST - len(terms))]))
    for field in (title, text):  # two values, across which no phrase is found
        document.add_text("wording", german.wording(field))
    if passage.published:
        document.add_integer("published", int(passage.published.timestamp()))
    return document
