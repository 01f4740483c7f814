"""The report of a comparison: what the runs differ in, differences with their certainty, questions that moved."""

from collections.abc import Iterator
from math import inf

from archive.articles import german_date
from evaluation import plots
from evaluation.answer_page import sentence_table
from evaluation.bootstrap import LEVEL, Difference, Interval
from evaluation.comparison import Comparison, Pair
from evaluation.report import Case, Cell, Page, Plot, Row, Section, Table, Tile, number
from evaluation.run_page import case_facts, found_table
from evaluation.runs import Result, Run

_CASES = 100  # questions shown of those that moved either way
_EXPLAINED = (
    f"B minus A over the questions that both asked, with the {LEVEL:.0%} bootstrap interval of the difference; p tells "
    "how often one as large comes about where a coin says which run is which (paired randomization, two-sided). "
    "Many cells were tried: one in twenty falls below 0.05 by chance alone."
)


def comparison_table(comparison: Comparison) -> Table:
    """One row for each measure, one column for each stage or kind."""
    differences = comparison.differences
    names = dict.fromkeys(name for by_measure in differences.values() for name in by_measure)
    rows = (Row((Cell(name), *(_cell(by_measure.get(name)) for by_measure in differences.values()))) for name in names)
    return Table(("B − A", *differences), tuple(rows))


def _cell(difference: Difference | None) -> Cell:
    if difference is None:
        return Cell("")
    if difference.p == 1 and not any(difference.interval or (0.0,)):
        return Cell("0")  # nothing moved
    return Cell(signed(difference.mean), f"{_bounds(difference.interval)}\np={difference.p:.3g}".strip())


def signed(value: float) -> str:
    """The figure with its sign, and no sign for nothing."""
    return f"{value:+.3f}".replace("-", "−") if value else "0"


def _bounds(interval: Interval | None) -> str:
    return f"{signed(interval[0])} to {signed(interval[1])}" if interval else ""


def comparison_page(comparison: Comparison, *, draw: bool) -> Page:
    """The page of a comparison; `draw` asks for plots."""
    a, b = comparison.a.run, comparison.b.run
    sections = (
        Section("Differences", _EXPLAINED, (comparison_table(comparison),), _plots(comparison) if draw else ()),
        Section("What the runs differ in", tables=(_conditions(a, b),)),
        _moved("Better", comparison.better, comparison),
        _moved("Worse", comparison.worse, comparison),
    )
    dated = (f"{run.name} ({german_date(run.time)}, {run.time:%H:%M} Uhr)" for run in (a, b))
    subtitle = f"A: {next(dated)} · B: {next(dated)} · {len(comparison.pairs):,} questions in both"
    if comparison.unpaired:
        subtitle += f", {comparison.unpaired:,} without their like and left out"
    return Page("Comparison of two runs", subtitle, _tiles(comparison), sections)


def _plots(comparison: Comparison) -> tuple[Plot, ...]:
    measure = comparison.measure
    drawn = {
        group: by_measure[measure] for group, by_measure in comparison.differences.items() if measure in by_measure
    }
    caption = f"Change of {measure} with its {LEVEL:.0%} interval"
    return (Plot("differences", caption, plots.differences(drawn, measure)),)


def _tiles(comparison: Comparison) -> tuple[Tile, ...]:
    difference = comparison.differences[comparison.overall][comparison.measure]
    named = f"{comparison.measure}, {comparison.overall}"
    return (
        Tile(f"{named}: A", Cell(number(difference.a))),
        Tile(f"{named}: B", Cell(number(difference.b))),
        Tile("B − A", Cell(signed(difference.mean), _bounds(difference.interval))),
        Tile("p", Cell(f"{difference.p:.3g}", "paired randomization")),
        Tile("better / worse", Cell(f"{len(comparison.better)} / {len(comparison.worse)}", "questions")),
    )


def _conditions(a: Run, b: Run) -> Table:
    rows = []
    for group in ("models", "archive", "inputs", "counts", "settings", "packages"):
        before, after = getattr(a, group), getattr(b, group)
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                values = (str(values.get(name, "")) for values in (before, after))
                rows.append(Row((Cell(name, group), *map(Cell, values))))
    return Table(
        ("what", "A", "B"), tuple(rows) or (Row((Cell("nothing that was noted"), Cell(""), Cell(""))),), words=3
    )


def _moved(heading: str, pairs: tuple[Pair, ...], comparison: Comparison) -> Section:
    text = f"By {comparison.measure}; the table shows what B found. " if pairs else "None."
    if len(pairs) > _CASES:
        text += f"The {_CASES} that changed most are shown."
    cases = tuple(_case(before, after, comparison) for before, after in pairs[:_CASES])
    return Section(f"{heading} ({len(pairs)})", text, cases=cases)


def _case(before: Result, after: Result, comparison: Comparison) -> Case:
    ranks = [_ranks(result) for result in (before, after)]
    values = [number(_value(result, comparison)) for result in (before, after)]
    verdict = f"rank {ranks[0]} → {ranks[1]} · {comparison.measure} {values[0]} → {values[1]}"
    name = f"{after.id}, {after.kind}" if after.kind else after.id
    facts = tuple(_facts(before, after))
    found, said = found_table(after, comparison.b.articles), sentence_table(after)
    return Case(name, verdict, after.question, facts, found, said)


def _ranks(result: Result) -> str:
    """The rank that counts; of a question that needs several golds, all of them."""
    ranks = sorted(result.last.ranks, key=lambda rank: rank or inf) if result.kind == "multi" else [result.rank()]
    return ", ".join(str(rank or "–") for rank in ranks)


def _value(result: Result, comparison: Comparison) -> float | None:
    scores = result.scores if result.kind else result.last.scores
    return scores.get(comparison.measure)


def _facts(before: Result, after: Result) -> Iterator[tuple[str, str]]:
    if before.understood != after.understood:
        yield "period understood by A", before.understood or "none"
    if before.answer is not None and before.answer != after.answer:
        yield "answer of A", before.answer
    yield from case_facts(after)
