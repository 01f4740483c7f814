"""Two runs over the same questions: what changed on the whole, with how much certainty, and for which questions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from archive.errors import SettingsError, SourceError
from evaluation.bootstrap import Difference, compare_paired
from evaluation.measures import TIMES, Scores
from evaluation.runs import KeptRun, Result

Pair = tuple[Result, Result]  # the same question in A and in B
Earned = list[tuple[Scores, Scores]]  # what every pair earned, in A and in B


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences` are {stage or kind: {measure: B minus A}}, the column that stands for the whole under `overall`.

    `better` and `worse` are by `measure` in that column, the most changed first. `unpaired` counts the questions that
    only one run asked, or that both asked with different golds.
    """

    a: KeptRun
    b: KeptRun
    measure: str
    pairs: tuple[Pair, ...]
    unpaired: int
    differences: dict[str, dict[str, Difference]]
    overall: str
    better: tuple[Pair, ...]
    worse: tuple[Pair, ...]

    def as_json(self) -> dict[str, object]:
        """What the command prints."""
        return {
            "questions": len(self.pairs), "unpaired": self.unpaired, "measure": self.measure,
            "differences": {
                group: {name: asdict(one) for name, one in by_measure.items()}
                for group, by_measure in self.differences.items()
            },
            "better": [after.id for _, after in self.better], "worse": [after.id for _, after in self.worse],
        }  # fmt: skip


def usual_measure(a: KeptRun, b: KeptRun) -> str:
    """What tells better from worse where nothing else is asked for: right answers, where both runs have answers."""
    answered = all("right" in one.run.measures.get("overall", {}) for one in (a, b))
    return "right" if answered else "MRR@10"


def compare_runs(a: KeptRun, b: KeptRun, measure: str) -> Comparison:
    """Compare B with A. Raises SourceError where they can't be, SettingsError where no question has the measure."""
    if a.run.evaluation != b.run.evaluation:
        raise SourceError(
            f"{a.run.name} measured {a.run.evaluation}, {b.run.name} {b.run.evaluation}; name two runs of one kind"
        )
    theirs = {result.id: result for result in b.results}
    pairs = tuple((one, theirs[one.id]) for one in a.results if one.id in theirs and _same(one, theirs[one.id]))
    if not pairs:
        raise SourceError(f"{a.run.name} and {b.run.name} share no question; name runs of the same file")
    groups = _by_stage(pairs) if a.run.evaluation == "retrieval" else _by_kind(a, pairs)
    overall = list(groups)[-1] if a.run.evaluation == "retrieval" else "overall"
    differences = {group: _differences(earned) for group, earned in groups.items()}
    if measure not in differences[overall]:
        raise SettingsError(f"--measure {measure}: not in both runs; there are {', '.join(differences[overall])}")
    changes = [
        (pair, after[measure] - before[measure])
        for pair, (before, after) in zip(pairs, groups[overall], strict=True)
        if measure in before and measure in after
    ]
    changes.sort(key=lambda change: -abs(change[1]))
    return Comparison(
        a, b, measure, pairs, len(a.results) + len(b.results) - 2 * len(pairs), differences, overall,
        better=tuple(pair for pair, change in changes if change > 0),
        worse=tuple(pair for pair, change in changes if change < 0),
    )  # fmt: skip


def _same(one: Result, other: Result) -> bool:
    """Whether both runs asked the same. Articles may have other ids in another archive, a benchmark's documents not."""
    if one.kind:
        return (one.kind, one.question, one.earlier, len(one.gold)) == (
            other.kind, other.question, other.earlier, len(other.gold),
        )  # fmt: skip
    return (one.question, one.gold) == (other.question, other.gold)


def _by_stage(pairs: Sequence[Pair]) -> dict[str, Earned]:
    """Every stage that both runs have; last, where their last stages are not the same one, the last of either."""
    first, second = pairs[0]
    groups = {
        stage: [(one.stages[stage].scores, other.stages[stage].scores) for one, other in pairs]
        for stage in first.stages
        if stage in second.stages
    }
    ends = [list(result.stages)[-1] for result in (first, second)]
    if ends[0] != ends[1]:
        groups[" → ".join(ends)] = [(one.last.scores, other.last.scores) for one, other in pairs]
    return groups


def _by_kind(a: KeptRun, pairs: Sequence[Pair]) -> dict[str, Earned]:
    groups = {"overall": [(one.scores, other.scores) for one, other in pairs]}
    for kind in a.run.measures:
        if of_kind := [(one.scores, other.scores) for one, other in pairs if one.kind == kind]:
            groups[kind] = of_kind
    return groups


def _differences(earned: Earned) -> dict[str, Difference]:
    names = dict.fromkeys(name for before, after in earned for name in before if name in after and name not in TIMES)
    return {name: _difference(earned, name) for name in names}


def _difference(earned: Earned, name: str) -> Difference:
    both = [(before[name], after[name]) for before, after in earned if name in before and name in after]
    return compare_paired([before for before, _ in both], [after for _, after in both])
