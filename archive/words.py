"""The word side of the index: Tantivy, BM25 over German stems, title and text as separate fields."""

from collections.abc import Sequence
from pathlib import Path

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from archive.articles import Passage, Period
from archive.errors import ArchiveError

_ANALYZER = "german"
_TITLE_BOOST = 1.5
_WRITER_BYTES = 64_000_000
_LONGEST_QUERY = 200  # terms; a pasted article is still searched by its beginning
_ALWAYS, _FOREVER = -(2**62), 2**62


def _analyzer() -> tantivy.TextAnalyzer:
    # Snowball's German folds umlauts and their ae/oe/ue spellings to one stem.
    return (
        TextAnalyzerBuilder(Tokenizer.regex(r"[\p{L}\p{N}]+"))
        .filter(Filter.remove_long(100))
        .filter(Filter.lowercase())
        .filter(Filter.stopword("german"))
        .filter(Filter.stemmer("german"))
        .build()
    )


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name=_ANALYZER)
    builder.add_text_field("text", tokenizer_name=_ANALYZER)
    builder.add_integer_field("published", indexed=True, fast=True)
    return builder.build()


class Words:
    """Passage texts by passage id, searched by words."""

    def __init__(self, home: Path) -> None:
        folder = home / "words"
        self._folder = folder
        self._schema = _schema()
        self._analyzer = _analyzer()
        self._writer: tantivy.IndexWriter | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(folder))
        except (ValueError, OSError) as error:
            raise ArchiveError(f"words in {folder}: {error}; delete that folder and ingest again") from error
        self._index.register_tokenizer(_ANALYZER, self._analyzer)

    def reload(self) -> None:
        """See what another process committed."""
        self._index.reload()

    def count(self) -> int:
        """Passages held, as of the last reload or commit."""
        return self._index.searcher().num_docs

    def apply(self, added: Sequence[Passage], removed: Sequence[str]) -> None:
        """Add passages, replacing those of the same id, take `removed` ids out, commit. Idempotent."""
        try:
            writer = self._writer or self._index.writer(_WRITER_BYTES, 1)
            self._writer = writer
            for passage_id in removed:
                writer.delete_documents_by_term("id", passage_id)
            for passage in added:
                writer.delete_documents_by_term("id", passage.id)
                writer.add_document(_document(passage))
            writer.commit()
        except (ValueError, OSError) as error:
            raise ArchiveError(f"words in {self._folder}: {error}; check the folder and its disk") from error
        self._index.reload()

    def close_writer(self) -> None:
        """Finish merges and give up Tantivy's own lock."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def search(self, text: str, limit: int, period: Period | None) -> list[tuple[str, float]]:
        """Passages of a period that share stems with `text`, as (id, BM25), best first. Any text is a query."""
        terms = list(dict.fromkeys(self._analyzer.analyze(text)))[:_LONGEST_QUERY]
        if not terms:
            return []
        wanted = Query.boolean_query([(Occur.Should, self._term(term)) for term in terms])
        if period is not None:
            wanted = Query.boolean_query([(Occur.Must, wanted), (Occur.Must, self._within(period))])
        searcher = self._index.searcher()
        hits = searcher.search(wanted, limit).hits
        return [(searcher.doc(address).to_dict()["id"][0], float(score)) for score, address in hits]

    def _term(self, term: str) -> Query:
        title = Query.boost_query(Query.term_query(self._schema, "title", term), _TITLE_BOOST)
        text = Query.term_query(self._schema, "text", term)
        return Query.boolean_query([(Occur.Should, title), (Occur.Should, text)])

    def _within(self, period: Period) -> Query:
        first, last = period.timestamps()
        bounds = (_ALWAYS if first is None else first, _FOREVER if last is None else last)
        within = Query.range_query(self._schema, "published", tantivy.FieldType.Integer, *bounds)
        return Query.const_score_query(within, 0.0)


def _document(passage: Passage) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", passage.id)
    document.add_text("title", passage.title)
    document.add_text("text", passage.text)
    if passage.published:
        document.add_integer("published", int(passage.published.timestamp()))
    return document
