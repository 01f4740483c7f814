"""What the replies of several systems earn, by the measures of `archivar evaluate`, as one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from archive.articles import Article
from evaluation.exams import Exam
from evaluation.given import Evidence, Given
from evaluation.measures import COUNTS, Scores, summarize
from evaluation.questions import KINDS, Asked
from evaluation.rivals.replies import Reply
from evaluation.scores import score_answer

TITLES = {"archivar": "Archivar", "langchain": "LangChain", "openwebui": "Open WebUI"}
OVERALL = "overall"

_UNKNOWN = Evidence("", "", "")  # a source that is no article of the exam
_SECONDS = ("ttft_ms_p50", "ttft_ms_p95", "first_text_ms_p50", "first_text_ms_p95", "total_ms_p50", "total_ms_p95")
_COUNTED = COUNTS | {"n", "errors"}
_ROWS = (
    ("all: gold article retrieved", OVERALL, "gold_retrieved"),
    ("all: right", OVERALL, "right"),
    ("sentences with a citation", OVERALL, "sentences_cited"),
    ("sentences marked as not borne out", OVERALL, "sentences_marked"),
    ("citations that hold (name a gold article)", OVERALL, "citation_precision"),
    ("nothing in the archive: said so", "none", "abstained"),
    ("answerable: wrongly refused", OVERALL, "false_abstention"),
    ("unmarked figures that stand in no source", OVERALL, "unmarked_figures"),
    ("unmarked names that stand in no source", OVERALL, "unmarked_names"),
    ("unmarked quotations that stand in no source", OVERALL, "unmarked_quotations"),
    ("first token, p50 (s)", OVERALL, "ttft_ms_p50"),
    ("first token, p95 (s)", OVERALL, "ttft_ms_p95"),
    ("first text to read, p50 (s)", OVERALL, "first_text_ms_p50"),
    ("first text to read, p95 (s)", OVERALL, "first_text_ms_p95"),
    ("whole answer, p50 (s)", OVERALL, "total_ms_p50"),
    ("questions asked", OVERALL, "n"),
    ("errors instead of answers", OVERALL, "errors"),
)


@dataclass(frozen=True, slots=True)
class Earned:
    """Measures by kind of question and OVERALL, over the questions that were asked."""

    measures: Mapping[str, Scores]

    def get(self, kind: str, measure: str) -> float | None:
        """A measure, None where it does not apply."""
        return self.measures.get(kind, {}).get(measure)


def earned(exam: Exam, replies: Mapping[str, Reply]) -> Earned:
    """What the replies to the exam's questions earn."""
    articles = {article.id: _evidence(article) for article in exam.articles}
    kinds: dict[str, list[Scores]] = {OVERALL: []}
    for question in exam.questions:
        if reply := replies.get(question.qid):
            row = _score(question, exam.golds[question.qid], reply, articles)
            kinds[OVERALL].append(row)
            kinds.setdefault(question.kind, []).append(row)
    return Earned({kind: _summary(rows) for kind, rows in kinds.items()})


def _evidence(article: Article) -> Evidence:
    return Evidence(article.id, article.title, f"{article.teaser}\n\n{article.text}".strip(), article.published)


def _score(
    question: Asked, golds: tuple[frozenset[str], ...], reply: Reply, articles: Mapping[str, Evidence]
) -> Scores:
    given = Given(
        reply.text, tuple(articles.get(name, _UNKNOWN) for name in reply.shown),
        # An error is no honest answer, though it makes no claim either.
        abstained=False if reply.failed else None,
        ttft=reply.ttft, first_text=reply.first_text, total=None if reply.failed else reply.total,
    )  # fmt: skip
    scores = {**score_answer(question, golds, given), "errors": float(bool(reply.failed))}
    if question.kind != "none" and "right" in scores:
        scores["gold_retrieved"] = float("right_where_gold_shown" in scores)
    return scores


def _summary(rows: Sequence[Scores]) -> Scores:
    summary = summarize(rows)
    if "errors" in summary:
        summary["errors"] = sum(row["errors"] for row in rows)
    return summary


def table(systems: Mapping[str, Earned], failed: Mapping[str, str]) -> str:
    """Markdown: a row for each measure, a column for each system; a dash where a measure does not apply."""
    names = [*systems, *(name for name in failed if name not in systems)]
    asked = [kind for kind in KINDS if kind != "none" and any(kind in one.measures for one in systems.values())]
    right = [(f"{kind}: right where its gold article was retrieved", kind, "right_where_gold_shown") for kind in asked]
    overall = ("all: right where the gold article was retrieved", OVERALL, "right_where_gold_shown")
    lines = [["", *(TITLES[name] for name in names)], ["---", *("---:" for _ in names)]]
    for label, kind, measure in chain(right, [overall], _ROWS):
        cells = [_cell(systems[name].get(kind, measure) if name in systems else None, measure) for name in names]
        lines.append([label, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: float | None, measure: str) -> str:
    if value is None:
        return "–"
    if measure in _SECONDS:
        return f"{value / 1000:.1f}"
    return f"{value:.0f}" if measure in _COUNTED else f"{value:.3f}"


def as_json(systems: Mapping[str, Earned]) -> dict[str, dict[str, Scores]]:
    """The measures by system and kind."""
    return {name: dict(one.measures) for name, one in systems.items()}
