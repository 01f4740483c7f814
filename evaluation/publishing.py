"""What a measurement leaves: the folder of a run, a report for readers, and its measures on the terminal."""

from pathlib import Path

from rich.console import Console

from evaluation import plots
from evaluation.comparison import Comparison
from evaluation.comparison_page import comparison_page, comparison_table
from evaluation.report import Page, for_terminal, summary_table, write_page
from evaluation.run_page import run_page
from evaluation.runs import KeptRun, write_run


def publish_run(console: Console, home: Path, folder: Path, kept: KeptRun) -> None:
    """Keep a run in `folder`, write its report there and show its measures; `home` is ARCHIVAR_HOME."""
    write_run(folder, kept)
    run = kept.run
    console.print(for_terminal(summary_table(run.measures, run.ci, f"{run.counts['questions']:,} questions")))
    if run.missing:
        console.print(f"{len(run.missing)} not counted for want of their articles")
    draw = _can_draw(home)
    _write(console, folder, run_page(kept, draw=draw), draw=draw)


def publish_comparison(console: Console, home: Path, folder: Path, comparison: Comparison) -> None:
    """Write the report of a comparison to `folder` and show its measures; `home` is ARCHIVAR_HOME."""
    console.print(for_terminal(comparison_table(comparison)))
    draw = _can_draw(home)
    _write(console, folder, comparison_page(comparison, draw=draw), draw=draw)


def _can_draw(home: Path) -> bool:
    return plots.can_draw(home / "evaluation" / ".matplotlib")


def _write(console: Console, folder: Path, page: Page, *, draw: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_page(folder, page)
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True, highlight=False)
    if not draw:
        console.print(plots.HOW_TO_DRAW, soft_wrap=True, highlight=False, markup=False)
