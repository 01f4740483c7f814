"""What a report shows of answers: every sentence with its verdict, the sources, and what stands in none of them."""

from collections.abc import Iterable, Iterator, Sequence

from evaluation.report import Cell, Row, Section, Table
from evaluation.runs import CitedSource, Result, Sentence

EXPLAINED = (
    "right: the answer holds what it must; where_gold_retrieved counts the questions whose gold the chat got, "
    "where_gold_shown those whose gold stood in the prompt. sentences_cited, citation_precision, citation_recall are "
    "ALCE's, by sentence: with a citation; citations that name a gold; sentences that cite one. Another article may "
    "bear a sentence out as well, so the last two are a lower bound where several articles report the same. "
    "sentences_marked: those that the answer marks as not borne out. unmarked_figures, unmarked_names and "
    "unmarked_quotations are sums over all questions, counted by a reading that knows only the words of the sources. "
    "grounded is the answer's own account. first_text is when a reader sees the first checked words."
)
_SHOWN = 600  # characters of a source that are shown with a question


def sentence_table(result: Result) -> Table | None:
    """Every sentence with what it cites and its verdict; those that something is wrong with stand out."""
    if not result.sentences:
        return None
    rows = (
        Row(
            (Cell(one.text), Cell(", ".join(_cited(one, result.sources))), Cell(verdict(one))),
            marked=bool(one.foreign and not one.marked) or one.holds is False,
        )
        for one in result.sentences
    )
    return Table(("sentence", "cites", "verdict"), tuple(rows), words=3)


def _cited(sentence: Sentence, sources: Iterable[CitedSource]) -> Iterator[str]:
    numbers = {source.article_id: source.number for source in sources}
    for article in sentence.cited:
        yield f"[{numbers[article]}]" if article in numbers else article or "no source of that number"


def verdict(sentence: Sentence) -> str:
    """What is known of a sentence, in words."""
    if sentence.marked:
        found = "marked as not borne out"
    elif sentence.holds is None:
        found = "cited" if sentence.cited else ""
    elif sentence.holds:
        found = "cites the gold"
    else:
        found = "cites another article" if sentence.cited else "no citation"
    foreign = f"in no source: {', '.join(sentence.foreign)}" if sentence.foreign else ""
    return "; ".join(part for part in (found, foreign) if part)


def answer_facts(result: Result) -> Iterator[tuple[str, str]]:
    """The answer, what it was written from, and its own account of its sentences."""
    if result.expected:
        yield "expected", result.expected
    if result.answer is None:
        return
    yield "answer", result.answer
    for source in result.sources:
        read = source.excerpt or source.passage
        shortened = f"{read[:_SHOWN]} …" if len(read) > _SHOWN else read
        yield f"[{source.number}]", f"{source.title} ({source.article_id}){f': {shortened}' if shortened else ''}"
    if result.grounding:
        yield "its own account", "; ".join(_account(result.grounding))


def _account(grounding: dict[str, object]) -> Iterator[str]:
    for name, value in grounding.items():
        if isinstance(value, list) and value:
            yield f"{name}: {' | '.join(map(str, value))}"
        elif isinstance(value, int):
            yield f"{value} {name}"


def inventions(results: Sequence[Result]) -> Iterator[Section]:
    """What stands in no source and bears no mark, for reading: a name may be a common noun, a figure a sum."""
    rows = [
        Row((Cell(result.question, result.id), Cell(one.text), Cell(", ".join(one.foreign))))
        for result in results
        for one in result.sentences
        if one.foreign and not one.marked
    ]
    if rows:
        text = "Figures, names and quotations that none of the articles shown holds in any form, in unmarked sentences."
        table = Table(("question", "sentence", "in no source"), tuple(rows), words=3)
        yield Section(f"In no source ({len(rows)})", text, (table,))
