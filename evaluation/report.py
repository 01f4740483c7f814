"""Results for readers: Rich tables on the terminal, Markdown beside the results file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from evaluation.questions import Asked
from evaluation.scores import Answer, Scores

Summaries = Mapping[str, Mapping[str, float]]  # {row, such as a stage or a kind: {measure: value}}


@dataclass(frozen=True, slots=True)
class Scored:
    """A question with what it earned, and its answer where one was asked for."""

    question: Asked
    scores: Scores
    answer: Answer | None = None

    @property
    def failures(self) -> list[str]:
        """What went wrong, in words."""
        wrong = {
            "gold article not in the first 10": self.scores.get("R@10") == 0,
            "answer is not right": self.scores.get("right") == 0,
            "answered where the archive holds nothing": self.scores.get("abstained") == 0,
            "said that there is nothing": self.scores.get("false_abstention") == 1,
            "no citation": self.scores.get("cited") == 0 and self.scores.get("false_abstention") == 0,
            "cites another article": self.scores.get("citation_precision", 1) < 1,
            "period misunderstood": self.scores.get("period_understood") == 0,
            "a period where none is meant": self.scores.get("false_period") == 1,
        }
        return [name for name, is_so in wrong.items() if is_so]


def _columns(summaries: Summaries) -> list[str]:
    return list(dict.fromkeys(name for row in summaries.values() for name in row))


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) and value < 10 else f"{value:,.0f}"


def table(summaries: Summaries, head: str) -> Table:
    """One row for each measure, one column for each stage or kind: there are more measures than stages."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column(head, no_wrap=True)
    for row in summaries:
        shown.add_column(row, justify="right", no_wrap=True)
    for name in _columns(summaries):
        shown.add_row(name, *(_cell(row.get(name)) for row in summaries.values()))
    return shown


def markdown_table(summaries: Summaries, head: str) -> str:
    """The same as Markdown."""
    lines = [f"| {head} | {' | '.join(summaries)} |", f"|---|{'---:|' * len(summaries)}"]
    for name in _columns(summaries):
        lines.append(f"| {name} | {' | '.join(_cell(row.get(name)) for row in summaries.values())} |")
    return "\n".join(lines)


def questions_report(name: str, summaries: Summaries, missing: Iterable[str], scored: Iterable[Scored]) -> str:
    """A table by kind, then every failure with question, expected and given answer, and the sources."""
    parts = [f"# Questions: {name}", markdown_table(summaries, "measure")]
    if left_out := list(missing):
        parts.append(f"Not counted, since the archive lacks what answers them: {', '.join(left_out)}.")
    failed = [one for one in scored if one.failures]
    parts.append(f"## Failures ({len(failed)})")
    parts += [_failure(one) for one in failed]
    return "\n\n".join(parts) + "\n"


def _failure(one: Scored) -> str:
    question = one.question
    lines = [f"### {question.qid} ({question.kind}): {'; '.join(one.failures)}", ""]
    lines += [f"- earlier: {_one_line(turn.content)}" for turn in question.history]
    lines.append(f"- question: {_one_line(question.question)}")
    lines += [f"- gold: {_one_line(gold.title)} ({gold.moment or 'undated'}, {gold.id})" for gold in question.gold]
    wanted = question.must_all or ([question.must_contain] if question.must_contain else [])
    if wanted:
        lines.append(f"- must contain: {' and '.join(' or '.join(group) for group in wanted)}")
    if one.answer:
        lines.append(f"- answer: {_one_line(one.answer.text)}")
        lines += [f"  - [{s.number}] {_one_line(s.title)} ({s.article_id})" for s in one.answer.sources]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())
