"""The report of one run: its measures, its plots, and every question that went wrong with what was found for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import inf

from archive.articles import german_date
from evaluation import plots
from evaluation.answer_page import EXPLAINED, answer_facts, inventions, sentence_table
from evaluation.bootstrap import LEVEL, RESAMPLES, intervals
from evaluation.measures import summarize
from evaluation.report import Case, Cell, Page, Plot, Row, Section, Table, Tile, bounds, number, summary_table
from evaluation.runs import KeptRun, Result, Run, Shown, recall_curve

_DEPTH = 30  # of the recall curves
_RIVALS = 5  # articles shown of those that stand above the gold
_USABLE = 10  # a gold further down is listed with the failures
_CASES = 150  # questions shown in full; all are in results.jsonl

_TILES = {
    "retrieval": ("MRR@10", "R@1", "R@5", "R@30"),
    "questions": ("R@1", "R@5", "MRR@10", "period_understood", "false_period"),
}
_ANSWER_TILES = (
    "right", "right_where_gold_retrieved", "sentences_cited", "citation_precision", "abstained", "false_abstention",
    "unmarked_figures", "unmarked_names", "unmarked_quotations", "first_status_ms_p95", "ttft_ms_p50", "ttft_ms_p95",
)  # fmt: skip
_EXPLAINED = (
    f"Beside each mean stands its {LEVEL:.0%} interval, from {RESAMPLES:,} bootstrap resamples of the questions: where "
    "the mean would lie had other questions of the same kinds been asked. Where all questions of a small group agree, "
    "the interval is narrower than what we know. A measure counts the questions that it applies to."
)


def run_page(kept: KeptRun, *, draw: bool) -> Page:
    """The page of a run; `draw` asks for plots."""
    run, results = kept.run, kept.results
    if run.evaluation == "retrieval":
        measures = Section("Measures by stage", _EXPLAINED, (summary_table(run.measures, run.ci, "measure"),))
        sections = [measures, *_plots_by_stage(results, draw=draw)]
    else:
        text = f"{_EXPLAINED} {EXPLAINED}" if _answered(run) else _EXPLAINED
        measures = Section("Measures by kind", text, (summary_table(run.measures, run.ci, "measure"),))
        plotted = _plots_by_kind(results, list(run.measures), draw=draw)
        sections = [measures, *plotted, _stages(results), *_false_periods(results), *inventions(results)]
    sections.append(_wrong(kept))
    if run.missing:
        left_out = f"The archive lacks the articles that answer them: {', '.join(run.missing)}."
        sections.append(Section(f"Not counted ({len(run.missing)})", left_out))
    kind = "Retrieval" if run.evaluation == "retrieval" else "Answers" if _answered(run) else "Questions"
    title = f"{kind}: {run.name}"
    subtitle = f"{german_date(run.time)}, {run.time:%H:%M} Uhr · {run.counts['questions']:,} questions"
    return Page(title, subtitle, _tiles(run), tuple(sections), tuple(_facts(run)))


def _answered(run: Run) -> bool:
    return "total_ms_p50" in run.measures.get("overall", {})


def _tiles(run: Run) -> tuple[Tile, ...]:
    column = list(run.measures)[-1] if run.evaluation == "retrieval" else "overall"
    values, by_measure = run.measures[column], run.ci.get(column, {})
    names = [name for name in (_ANSWER_TILES if _answered(run) else _TILES[run.evaluation]) if name in values]
    return tuple(
        Tile(f"{name}, {column}", Cell(number(values[name], name), bounds(by_measure.get(name)))) for name in names
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    groups: Mapping[str, Mapping[str, object]] = {
        "models": run.models, "archive": run.archive, "input": run.inputs, "counts": run.counts,
        "settings": run.settings, "packages": run.packages,
    }  # fmt: skip
    for name, values in groups.items():
        if values:
            yield name, ", ".join(f"{key} {value}" for key, value in values.items() if value not in (None, ""))


def _plots_by_stage(results: Sequence[Result], *, draw: bool) -> Iterator[Section]:
    if not draw:
        return
    stages = list(results[0].stages)
    curves = {stage: recall_curve(results, stage, _DEPTH) for stage in stages}
    times = {stage: [ms for result in results if (ms := result.stages[stage].ms) is not None] for stage in stages}
    yield Section(
        "Recall", plots=(Plot("recall", "Share of golds among the first k articles, by stage", plots.recall(curves)),)
    )
    yield Section("Time", plots=(_times_plot(times, "stage"),))


def _plots_by_kind(results: Sequence[Result], kinds: Sequence[str], *, draw: bool) -> Iterator[Section]:
    if not draw:
        return
    by_kind = {kind: [result for result in results if result.kind == kind] for kind in kinds}
    by_kind = {kind: of_kind for kind, of_kind in by_kind.items() if of_kind}
    curves = {kind: recall_curve(of_kind, None, _DEPTH) for kind, of_kind in by_kind.items()}
    if curves := {kind: curve for kind, curve in curves.items() if curve}:
        caption = "Share of questions whose gold is among the first k articles (for multi: all golds), by kind"
        yield Section("Recall", plots=(Plot("recall", caption, plots.recall(curves)),))
    times = {kind: [one.scores["ms"] for one in of_kind] for kind, of_kind in by_kind.items()}
    steps: dict[str, list[float]] = {}
    for result in results:
        for step, ms in result.steps.items():
            steps.setdefault(step, []).append(ms)
    drawn = [_times_plot(times, "kind of question, without the answer")]
    if steps:
        drawn.append(_times_plot(steps, "step of retrieval", "steps"))
    yield Section("Time", plots=tuple(drawn))


def _times_plot(times: Mapping[str, Sequence[float]], by: str, name: str = "times") -> Plot:
    caption = f"Time by {by}: the middle half with the median, whiskers at 5 and 95 %"
    return Plot(name, caption, plots.times(times, name))


def _stages(results: Sequence[Result]) -> Section:
    """Recall of every stage among the passages that retrieval handed back, which each of them scored."""
    rows: dict[str, list[dict[str, float]]] = {}
    for stage in max((result.stages for result in results), key=len):
        for result in results:
            if result.gold:
                rank = (result.rank(stage) if stage in result.stages else None) or inf
                rows.setdefault(stage, []).append({f"R@{k}": float(rank <= k) for k in (1, 5, 10)})
    summaries = {stage: summarize(scored) for stage, scored in rows.items()}
    by_stage = {stage: intervals(scored) for stage, scored in rows.items()}
    text = (
        "The passages that retrieval handed back, put in the order of each stage's scores; final is the order in which "
        "they go to the prompt."
    )
    return Section("Recall by stage", text, (summary_table(summaries, by_stage, "measure"),) if rows else ())


def _false_periods(results: Iterable[Result]) -> Iterator[Section]:
    false = [result for result in results if result.scores.get("false_period")]
    if false:
        rows = [Row((Cell(one.question, one.id), Cell(one.kind), Cell(one.understood or ""))) for one in false]
        text = "Questions that were filtered by a period though they mean none."
        table = Table(("question", "kind", "period that filtered"), tuple(rows), words=3)
        yield Section(f"False periods ({len(false)})", text, (table,))


def _wrong(kept: KeptRun) -> Section:
    wrong = [one for one in kept.results if one.failures or (one.gold and one.rank() != one.best_rank)]
    wrong.sort(key=lambda one: (not one.failures and (one.rank() or inf) <= _USABLE, -(one.rank() or inf)))
    text = f"The gold is the row that stands out, after up to {_RIVALS} articles that the last stage put above it. "
    text += "A stage's figure is its rank, beside it the score of the article's best passage."
    if len(wrong) > _CASES:
        text += f" The worst {_CASES} are shown; results.jsonl holds them all."
    cases = tuple(_case(one, kept.articles) for one in wrong[:_CASES])
    return Section(f"Questions to look at ({len(wrong)})", text, cases=cases)


def _case(result: Result, articles: Mapping[str, Shown]) -> Case:
    rank = result.rank()
    ranked = (f"gold at rank {rank}" if rank else "gold not found") if result.gold else ""
    verdict = "; ".join(part for part in (ranked, *result.failures) if part)
    name = f"{result.id}, {result.kind}" if result.kind else result.id
    found, said = found_table(result, articles), sentence_table(result)
    return Case(name, verdict, result.question, tuple(case_facts(result)), found, said)


def case_facts(result: Result) -> Iterator[tuple[str, str]]:
    """What is known of a question besides what was found for it."""
    yield from (("earlier", turn) for turn in result.earlier)
    if result.meant or result.understood:
        yield "period meant", result.meant or "none"
        yield "period understood", result.understood or "none"
    if result.must_contain:
        yield "must contain", " and ".join(" or ".join(group) for group in result.must_contain)
    yield from answer_facts(result)


def found_table(result: Result, articles: Mapping[str, Shown]) -> Table:
    """What the last stage put above the golds, and the golds, with rank and score at every stage."""
    golds = set(chain.from_iterable(result.gold))
    found = result.last.found
    above = [article for article, _ in found[: (result.rank() or len(found) + 1) - 1]]
    rivals = [article for article in above if article not in golds][:_RIVALS]
    rows = [_found_row(result, articles, article, "") for article in rivals]
    for number_of_gold, gold in enumerate(result.gold):
        best = min(gold, key=lambda article: _place(result, article), default=None)
        if best is not None:
            rows.append(_found_row(result, articles, best, "gold", number_of_gold))
    if any(row.cells[1].text for row in rows):
        return Table(("article", "published", *result.stages), tuple(rows), words=2)
    undated = (Row((row.cells[0], *row.cells[2:]), row.marked) for row in rows)
    return Table(("article", *result.stages), tuple(undated))


def _place(result: Result, article: str) -> float:
    return next((place for place, (found, _) in enumerate(result.last.found) if found == article), inf)


def _found_row(result: Result, articles: Mapping[str, Shown], article: str, note: str, gold: int | None = None) -> Row:
    shown = articles.get(article)
    title = shown.title if shown else article.lstrip("\0")
    dated = german_date(shown.published) if shown and shown.published else ""
    name = article.lstrip("\0")
    cells = [Cell(title, f"{note}, {name}" if note else name), Cell(dated)]
    for listed in result.stages.values():
        places = {found: (rank, score) for rank, (found, score) in enumerate(listed.found, 1)}
        rank, score = places.get(article, (listed.ranks[gold] if gold is not None else None, None))
        cells.append(Cell(str(rank) if rank else "–", f"{score:.3g}" if score is not None else ""))
    return Row(tuple(cells), marked=gold is not None)
