"""Reports for readers: one page as HTML, a single file that fetches nothing, and as Markdown; tables for terminals."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table as RichTable

from archive.errors import ArchiveError
from evaluation.bootstrap import Interval

Summaries = Mapping[str, Mapping[str, float]]  # {column, such as a stage or a kind: {measure: value}}
Intervals = Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and what stands small beside it."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The first cell heads the row; `marked` ones stand out."""

    cells: tuple[Cell, ...]
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Cells under `head`; the first `words` columns hold words, the others figures."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    words: int = 1


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot as SVG text; `name` is the name of its file beside the Markdown."""

    name: str
    caption: str
    svg: str

    @property
    def inline(self) -> Markup:
        """The SVG as it stands in HTML, which needs no namespaces. It is ours, not text of an article."""
        return Markup(re.sub(r' xmlns(?::\w+)?="[^"]*"', "", self.svg))


@dataclass(frozen=True, slots=True)
class Case:
    """One question to look at: what is wrong with it, what is known about it, what was answered and what was found."""

    id: str
    verdict: str
    question: str
    facts: tuple[tuple[str, str], ...] = ()
    table: Table | None = None
    sentences: Table | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with text, tables, plots and cases under it."""

    heading: str
    text: str = ""
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    cases: tuple[Case, ...] = ()

    @property
    def anchor(self) -> str:
        """What a link within the page calls it."""
        return re.sub(r"\W+", "-", self.heading.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures that a reader should see first."""

    name: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Page:
    """A report."""

    title: str
    subtitle: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    facts: tuple[tuple[str, str], ...] = field(default=())


_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~])")


def _markdown(text: object) -> str:
    """Text as it stands in one line of Markdown, with nothing in it that Markdown or HTML would read as its own."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split())).replace("&", "&amp;")


_HTML = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_TEXT = _HTML.overlay(autoescape=False)
_TEXT.filters = {**_TEXT.filters, "md": _markdown}


def write_page(folder: Path, page: Page) -> None:
    """Write report.html, report.md and, for the latter, every plot as a file. Raises ArchiveError."""
    try:
        for plot in (plot for section in page.sections for plot in section.plots):
            (folder / f"{plot.name}.svg").write_text(plot.svg, encoding="utf-8")
        for name, templates in (("report.html", _HTML), ("report.md", _TEXT)):
            rendered = templates.get_template(f"{name}.jinja").render(page=page)
            (folder / name).write_text(rendered, encoding="utf-8")
    except OSError as error:
        raise ArchiveError(f"{folder}: {error.strerror}; name another folder with --out") from error


def number(value: float | None, name: str = "") -> str:
    """Shares with three digits, times (`name` tells) with one, counts without; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 and not name.endswith(("_p50", "_p95")) else f"{value:.1f}"


def bounds(interval: Interval | None) -> str:
    """`0.941–0.965`, empty without an interval."""
    return f"{number(interval[0])}–{number(interval[1])}" if interval else ""


def summary_table(summaries: Summaries, intervals: Intervals, head: str) -> Table:
    """One row for each measure, one column for each stage or kind: there are more measures than stages."""
    names = dict.fromkeys(name for column in summaries.values() for name in column)
    rows = (
        (
            Cell(name),
            *(
                Cell(number(values.get(name), name), bounds(intervals.get(column, {}).get(name)))
                for column, values in summaries.items()
            ),
        )
        for name in names
    )
    return Table((head, *summaries), tuple(Row(cells) for cells in rows))


def for_terminal(table: Table) -> RichTable:
    """The table with what stands small in a second line of its cell."""
    shown = RichTable(box=None, pad_edge=False)
    for place, head in enumerate(table.head):
        shown.add_column(head, no_wrap=True, justify="left" if place < table.words else "right")
    for row in table.rows:
        shown.add_row(*(f"{cell.text}\n[dim]{cell.note}[/dim]" if cell.note else cell.text for cell in row.cells))
    return shown
