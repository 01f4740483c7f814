"""Reports and comparisons of kept runs: what they say, what they must not let in, and what damaged folders are told."""

import json
import re
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from archivar import app
from archive.errors import SettingsError, SourceError
from evaluation import plots
from evaluation.comparison import compare_runs
from evaluation.report import write_page
from evaluation.run_page import run_page
from evaluation.runs import KeptRun, Listed, Result, Run, Shown, choose_folder, read_run, recall_curve, write_run

EVIL = '<script>alert(1)</script> | **x** <img src="https://evil.example/x.png">'


@pytest.fixture(autouse=True, scope="module")
def _fonts(tmp_path_factory):
    """matplotlib lists its fonts here, not in the home of the person who runs the tests."""
    assert plots.can_draw(tmp_path_factory.mktemp("fonts"))


def listed(*found, gold="g", **fields):
    ranks = [found.index(gold) + 1 if gold in found else None]
    scores = {"MRR@10": 1 / ranks[0] if ranks[0] else 0.0}
    return Listed(found=[(one, 0.5) for one in found], ranks=ranks, ms=2.0, scores=scores, **fields)


def kept(evaluation="retrieval", name="mine", finals=(("g",), ("x", "g"), ("x",)), **fields):
    results = tuple(
        Result(id=f"q{number}", question=f"Frage {number}?", gold=[["g"]],
               stages={"words": listed("x", "y", "g"), "fused": listed(*found)}, **fields)
        for number, found in enumerate(finals, 1)
    )  # fmt: skip
    run = Run(
        evaluation=evaluation, name=name, time=datetime(2024, 5, 3, 9, 30, tzinfo=UTC), settings={"top_k": 4},
        models={"embedder": "e"}, packages={}, archive={"articles": 3}, inputs={}, counts={"questions": len(results)},
        measures={"words": {"n": 3, "MRR@10": 0.3333}, "fused": {"n": 3, "MRR@10": 0.5, "ms_p50": 2.04}},
        ci={"fused": {"MRR@10": (0.1, 0.9)}},
    )  # fmt: skip
    shown = {"x": Shown(title=EVIL, published=datetime(2024, 3, 9, tzinfo=UTC)), "g": Shown(title="Das Richtige")}
    return KeptRun(run, results, shown)


def questions_run():
    one = Result(
        id="f1", kind="fact", question="Wann & wo?", gold=[["g"]], earlier=["Und davor?"], must_contain=[["Mai"]],
        stages={"dense": listed("x", "g"), "final": listed("x", "y")}, answer="Im Juni [1].", understood="2024 – …",
        scores={"R@1": 0.0, "R@10": 0.0, "ms": 3.0, "false_period": 1.0},
        failures=["answer is not right", "a period where none is meant"],
    )  # fmt: skip
    none = Result(id="n1", kind="none", question="Nichts?", gold=[], stages={"final": listed("x")}, scores={"ms": 1.0})
    base = kept().run.model_dump()
    measures = {"overall": {"n": 2, "R@1": 0.0}, "fact": {"n": 1, "R@1": 0.0}, "none": {"n": 1}}
    changed = {"evaluation": "questions", "missing": ["lost"], "counts": {"questions": 2}, "measures": measures}
    return KeptRun(Run(**(base | changed)), (one, none), kept().articles)


class Addresses(HTMLParser):
    """Everything in a page that a browser would fetch or run, and that names a place outside it."""

    def __init__(self):
        super().__init__()
        self.tags, self.outside = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [value for _, value in attrs if value and "//" in value and not value.startswith("#")]


@pytest.mark.parametrize("run", [kept(), questions_run()], ids=["retrieval", "questions"])
@pytest.mark.parametrize("draw", [True, False])
def test_the_page_fetches_nothing_and_runs_nothing(tmp_path, run, draw):
    write_page(tmp_path, run_page(run, draw=draw))
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Addresses()
    page.feed(html)
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert page.outside == [] and "url(http" not in html and "@import" not in html
    assert ("svg" in page.tags) is draw
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == (["recall.svg", "times.svg"] if draw else [])


def test_titles_are_no_markup_in_markdown_either(tmp_path):
    write_page(tmp_path, run_page(kept(), draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert r"\<script\>" in text and r"\| \*\*x\*\*" in text and not re.search(r"(?<!\\)<(?:script|img)", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows if "alert" in row} == {5}


def test_the_gold_stands_below_what_was_put_above_it(tmp_path):
    write_page(tmp_path, run_page(kept(), draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    worst, _, second = text.partition("### q2: gold at rank 2")
    assert "### q3: gold not found" in worst and "### q1" not in text
    above, gold = [line for line in second.splitlines() if line.startswith("| ") and "article" not in line][:2]
    assert "9. März 2024" in above and above.rstrip(" |").endswith("1 (0.5)")
    assert gold.startswith("| **Das Richtige (gold, g)**") and "**3 (0.5)**" in gold and "**2 (0.5)**" in gold
    assert "| MRR@10 | 0.333 | 0.500 (0.100–0.900) |" in text and "3. Mai 2024" in text


def test_a_page_of_questions_lists_false_periods_and_failures(tmp_path):
    write_page(tmp_path, run_page(questions_run(), draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## False periods (1)" in text and "| Wann &amp; wo? (f1) | fact | 2024 – … |" in text
    assert "### f1, fact: gold not found; answer is not right; a period where none is meant" in text
    assert "- earlier: Und davor?" in text and r"- answer: Im Juni \[1\]." in text and "lost" in text


def test_a_question_that_needs_two_golds_is_right_with_both_in_front(tmp_path):
    def multi(name, ranks):
        stages = {"final": Listed(found=[("a", 1.0), ("x", 0.5), ("b", 0.4)], ranks=ranks)}
        return Result(id=name, kind="multi", question="Beide?", gold=[["a"], ["b"]], stages=stages, scores={"ms": 1.0})

    base = questions_run()
    results = (multi("m1", [2, 1]), multi("m2", [1, 3]), multi("m3", [1, None]))
    write_page(tmp_path, run_page(KeptRun(base.run, results, base.articles), draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "m1" not in text and "### m2, multi: gold at rank 3" in text and "### m3, multi: gold not found" in text
    assert "| R@5 | 0.667 (" in text


def test_plots_fit_light_and_dark_pages(tmp_path):
    svg = plots.recall({"dense": [0.5, 0.75, 1.0], "words": [0.25, 0.5, 0.5]})
    assert "prefers-color-scheme:dark" in svg and "var(--s1)" in svg and "var(--ink)" in svg
    body = svg.partition("</style>")[2]
    assert not re.search(r"(?:stroke|fill): #", body)
    assert ">dense</text>" in svg and svg == plots.recall({"dense": [0.5, 0.75, 1.0], "words": [0.25, 0.5, 0.5]})


def test_recall_by_depth():
    run = kept()
    assert recall_curve(run.results, "fused", 3) == [pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3)]
    assert recall_curve(run.results, "words", 3) == [0, 0, 1]
    both = Result(id="m", kind="multi", question="?", gold=[["a"], ["b"]],
                  stages={"final": Listed(found=[], ranks=[1, 3])})  # fmt: skip
    assert recall_curve([both], None, 3) == [0, 0, 1]
    assert recall_curve([both.model_copy(update={"kind": ""})], None, 3) == [0.5, 0.5, 1]


def test_a_run_is_read_as_it_was_written(tmp_path):
    for run in (kept(), questions_run()):
        write_run(tmp_path, run)
        assert read_run(tmp_path) == run


def damage(folder, name, change):
    path = folder / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("run.json", lambda text: text[:50], "run.json: it: "),
        ("run.json", lambda text: text.replace('"format": 1', '"format": 2'), "run.json: format: "),
        ("results.jsonl", lambda text: text[:-30], "results.jsonl, line 3: it: "),
        ("results.jsonl", lambda text: text.split("\n")[0], "results.jsonl: is not whole"),
        ("results.jsonl", lambda text: text.replace('"question"', '"query"', 1), "results.jsonl, line 1: question: "),
        ("articles.json", lambda text: "[]", "articles.json: "),
    ],
)
def test_a_damaged_folder_is_one_clear_line(tmp_path, name, change, message):
    write_run(tmp_path, kept())
    damage(tmp_path, name, change)
    with pytest.raises(SourceError, match=message) as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value) and "run the evaluation again" in str(caught.value)


def test_no_folder_no_run(tmp_path):
    with pytest.raises(SourceError, match=r"run\.json: No such file"):
        read_run(tmp_path / "none")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(SettingsError, match="holds other files"):
        choose_folder(tmp_path, "mine", tmp_path)
    with pytest.raises(SettingsError, match="--name a/b"):
        choose_folder(tmp_path, "a/b", None)
    first = choose_folder(tmp_path, "mine", None)
    first.mkdir(parents=True)
    assert not choose_folder(tmp_path, "mine", None).exists()


def test_a_run_against_itself_shows_no_difference():
    same = compare_runs(kept(), kept(), "MRR@10")
    values = [one for by_measure in same.differences.values() for one in by_measure.values()]
    assert values and {(one.mean, one.interval, one.p) for one in values} == {(0.0, (0.0, 0.0), 1.0)}
    assert (same.better, same.worse, same.unpaired) == ((), (), 0)


def test_what_moved_is_told_by_measure():
    after = kept(finals=(("x", "g"), ("g",), ("x", "y", "z", "g"), ("g",)))
    changed = compare_runs(kept(), after, "MRR@10")
    assert [pair[1].id for pair in changed.better] == ["q2", "q3"]
    assert [pair[1].id for pair in changed.worse] == ["q1"]
    assert changed.unpaired == 1 and list(changed.differences) == ["words", "fused"]
    fused = changed.differences["fused"]["MRR@10"]
    assert (fused.a, fused.b, fused.mean) == (0.5, pytest.approx(0.5833, abs=1e-4), pytest.approx(0.0833, abs=1e-4))


def test_a_last_stage_that_only_one_run_has_is_compared_with_the_others_last():
    before, after = kept(), kept()
    reranked = tuple(
        one.model_copy(update={"stages": {**one.stages, "reranked": listed("g")}}) for one in after.results
    )
    changed = compare_runs(before, KeptRun(after.run, reranked, after.articles), "MRR@10")
    assert list(changed.differences) == ["words", "fused", "fused → reranked"]
    assert changed.differences["fused → reranked"]["MRR@10"].mean == 0.5
    assert [pair[1].id for pair in changed.better] == ["q3", "q2"]


def test_runs_that_cannot_be_compared():
    with pytest.raises(SourceError, match="name two runs of one kind"):
        compare_runs(kept(), questions_run(), "MRR@10")
    with pytest.raises(SettingsError, match=r"--measure R@7: .* there are MRR@10"):
        compare_runs(kept(), kept(), "R@7")
    others = tuple(one.model_copy(update={"question": "Anders?"}) for one in kept().results)
    with pytest.raises(SourceError, match="share no question"):
        compare_runs(kept(), KeptRun(kept().run, others, {}), "MRR@10")


def compare(*arguments):
    return CliRunner().invoke(app, ["evaluate", "compare", *map(str, arguments)])


def test_the_command_compares_two_folders(tmp_path):
    write_run(tmp_path / "a", kept())
    write_run(tmp_path / "b", kept(name="other", finals=(("g",), ("g",), ("x",))))
    result = compare(tmp_path / "a", tmp_path / "b", "--out", tmp_path / "report")
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout.splitlines()[-1])
    assert (shown["questions"], shown["better"], shown["worse"]) == (3, ["q2"], [])
    assert shown["differences"]["fused"]["MRR@10"]["mean"] == pytest.approx(0.1667, abs=1e-4)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "### q2: rank 2 → 1 · MRR@10 0.500 → 1.000" in text and "![" in text
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in html and "<script" not in html


def test_without_matplotlib_the_report_has_no_plots_and_says_how_to_get_them(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    write_run(tmp_path / "a", kept())
    result = compare(tmp_path / "a", tmp_path / "a", "--out", tmp_path / "report")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("pip install -c constraints.txt -e '.[report]'") == 1
    assert "<svg" not in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert json.loads(result.stdout.splitlines()[-1])["differences"]["fused"]["MRR@10"]["p"] == 1.0
