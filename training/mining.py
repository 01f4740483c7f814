"""Hard negatives: what the server's own retrieval finds for a question and what does not answer it.

Source for leaving out what outranks the positive: positive-aware mining (Moreira et al., NV-Retriever, 2024).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from archive.archive import Archive
from archive.articles import Article, Hit, Passage
from archive.embedding import Embedder
from archive.settings import Settings
from server.retrieval import Retriever, Search
from server.sentences import sentences
from server.timings import Timings
from training.examples import Candidate, Example, Judged

# Origins whose questions are answered by one passage only: there, what outranks it is the best negative of all. In a
# news archive it may well be another report that answers the question too.
EXACT = frozenset({"squad", "pairs"})
DEPTH = 40  # passages looked through for each question
_PASSAGES_OF_LINES, _LINES = 3, 24  # how many passages lines are taken from beside the one that answers; and lines


def corpus_archive(examples: Iterable[Example], embedder: Embedder, settings: Settings, home: Path) -> Archive:
    """An archive at `home` that holds the passages of examples from outside the archive, each as an article."""
    archive = Archive.open(settings.model_copy(update={"home": home, "chroma_url": ""}), embedder)
    passages = {example.positive.id: example.positive for example in examples}
    known = archive.ledger.known(passages)
    missing = [_as_article(passage) for passage in passages.values() if passage.id not in known]
    with archive.writing():
        archive.ledger.store(missing)
        archive.index_pending()
    return archive


def _as_article(passage: Passage) -> tuple[Article, list[Passage]]:
    article = Article(passage.id, passage.title, passage.text, source="training")
    return article, [replace(passage, id=f"{passage.id}#0", article_id=passage.id, position=0)]


def mine(
    retriever: Retriever, examples: Sequence[Example], on_progress: Callable[[int, int], None] | None = None
) -> list[Judged]:
    """The examples with their candidates; those whose positive is not among the first DEPTH passages are dropped.

    Where the line that answers is known, each question comes a second time, with single lines to choose from.
    A question that does not find the passage it was written for mostly says too little (round-trip consistency, source:
    Alberti et al. 2019). Questions from outside the archive are people's own and stay.
    """
    mined = []
    for done, example in enumerate(examples, 1):
        hits = retriever.retrieve(Search(example.query), DEPTH, Timings()).hits
        exact = example.origin in EXACT
        own = {example.positive.id, example.positive.article_id}
        rank = next((rank for rank, hit in enumerate(hits) if hit.passage.article_id in own), None)
        if exact or rank is not None:
            found = Candidate(example.positive.embedded_text, True, {} if rank is None else dict(hits[rank].scores))
            others = [hit for hit in hits[0 if exact else rank or 0 :] if _other(hit, example, own)]
            negatives = [Candidate(hit.passage.embedded_text, False, dict(hit.scores)) for hit in others]
            group = example.positive.article_id
            if negatives:
                mined.append(Judged(example.query, example.origin, group, (found, *negatives)))
            if len(lines := _lines(example, [hit.passage for hit in others])) > 1:
                mined.append(Judged(example.query, example.origin, group, lines, "line"))
        if on_progress:
            on_progress(done, len(examples))
    return mined


def _lines(example: Example, others: Sequence[Passage]) -> tuple[Candidate, ...]:
    """The line that answers, then the others of its passage, then those of the passages that retrieval found first.

    Each is read as a passage of its own, under its headline, as the chat reads the lines that it chooses from. Empty
    where no line is known.
    """
    if not example.line:
        return ()
    beside = [
        replace(passage, text=text)
        for passage in (example.positive, *others[:_PASSAGES_OF_LINES])
        for text in sentences(passage.text)
        if text not in (example.line, passage.title)
    ]
    answering = Candidate(replace(example.positive, text=example.line).embedded_text, True)
    return (answering, *(Candidate(passage.embedded_text, False) for passage in beside[:_LINES]))


def _other(hit: Hit, example: Example, own: set[str]) -> bool:
    passage = hit.passage
    same_title = passage.title in (example.positive.title, example.query)
    return passage.article_id not in own and not (same_title and example.origin not in EXACT)
