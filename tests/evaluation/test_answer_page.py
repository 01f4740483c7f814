"""What a report says of answers: verdicts by sentence, sources, what stands in no source; nothing in it is markup."""

from datetime import UTC, datetime

from evaluation.comparison import compare_runs, usual_measure
from evaluation.comparison_page import comparison_page
from evaluation.judging import failures
from evaluation.report import write_page
from evaluation.run_page import run_page
from evaluation.runs import CitedSource, KeptRun, Listed, Result, Run, Sentence, Shown

EVIL = "<script>alert(1)</script>"


def answered(right=0.0, **fields):
    scores = {
        "R@1": 1.0, "ms": 3.0, "ttft": 900.0, "total": 1500.0, "right": right, "sentences_cited": 0.5, "cited": 1.0,
        "sentences_marked": 0.25, "unmarked_names": 1.0, "false_abstention": 0.0, "citation_precision": 0.5,
    }  # fmt: skip
    return Result(
        id="f1", kind="fact", question="Wann?", gold=[["g"]], must_contain=[["Mai"]], expected="Im Mai.",
        stages={"final": Listed(found=[("g", 1.0)], ranks=[1])}, answer="Im Juni.", scores=scores,
        sources=[CitedSource(number=1, article_id="g", title="Das Richtige", passage=f"Es war im Mai. {EVIL}"),
                 CitedSource(number=2, article_id="x", title="Falsches", passage="x" * 700)],
        sentences=[
            Sentence(text="Im Mai [1].", cited=["g"], holds=True),
            Sentence(text=f"Im Juni {EVIL} [2][9].", cited=["x", ""], holds=False, foreign=["Juni"]),
            Sentence(text="Sagt wer.", holds=False),
            Sentence(text="Merkel (nicht belegt).", holds=False, marked=True, foreign=["Merkel"]),
            Sentence(text="Die Liste:"),
        ],
        grounding={"supported": 1, "withheld": ["Das Erfundene."], "cited": {"1": 1}}, failures=failures(scores),
    ).model_copy(update=fields)  # fmt: skip


def kept(result, name="mine"):
    measures = {"n": 1, "right": result.scores["right"], "unmarked_names": 1, "total_ms_p50": 1500.0,
                "ttft_ms_p50": 900.0}  # fmt: skip
    run = Run(
        evaluation="questions", name=name, time=datetime(2024, 5, 3, 9, 30, tzinfo=UTC), settings={}, models={},
        packages={}, archive={}, inputs={}, counts={"questions": 1}, measures={"overall": measures, "fact": measures},
        ci={},
    )  # fmt: skip
    return KeptRun(run, (result,), {"g": Shown(title="Das Richtige")})


def rows_of(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def test_every_sentence_has_its_verdict(tmp_path):
    write_page(tmp_path, run_page(kept(answered()), draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    rows = rows_of(text)
    assert r"| Im Mai \[1\]. | \[1\] | cites the gold |" in [row.strip() for row in rows]
    (wrong,) = [row for row in rows if "cites another article" in row]
    assert "**cites another article; in no source: Juni**" in wrong and "no source of that number" in wrong
    assert any("**no citation**" in row for row in rows)
    assert any("marked as not borne out; in no source: Merkel" in row for row in rows)
    assert "# Answers: mine" in text and "**unmarked\\_names, overall: 1**" in text
    assert "- expected: Im Mai." in text and "withheld: Das Erfundene." in text and f"{'x' * 600} …" in text
    heading = next(line for line in text.splitlines() if line.startswith("### f1"))
    assert "answer is not right" in heading and "says what stands in no source" in heading
    assert "a sentence without a citation" in heading and "cites another article" in heading


def test_what_stands_in_no_source_is_listed_unless_it_is_marked(tmp_path):
    write_page(tmp_path, run_page(kept(answered()), draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    listed = text.partition("## In no source (1)")[2].partition("\n## ")[0]
    assert "Juni" in listed and "Merkel" not in listed


def test_an_answer_is_no_markup(tmp_path):
    write_page(tmp_path, run_page(kept(answered()), draw=False))
    assert "<script" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in (tmp_path / "report.md").read_text(encoding="utf-8").replace("\\<script", "")


def test_runs_with_answers_are_compared_by_what_is_right(tmp_path):
    before, after = kept(answered()), kept(answered(right=1.0, answer="Im Mai."), "other")
    assert usual_measure(before, after) == "right"
    changed = compare_runs(before, after, "right")
    assert [pair[1].id for pair in changed.better] == ["f1"] and changed.worse == ()
    write_page(tmp_path, comparison_page(changed, draw=False))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "right 0.000 → 1.000" in text and "- answer of A: Im Juni." in text and "| sentence | cites" in text
