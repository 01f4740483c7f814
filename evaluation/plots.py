"""Plots of an evaluation as SVG text, drawn by matplotlib where the extra `report` is installed.

Every colour is a CSS variable with a light and a dark value, after Okabe & Ito's palette for all kinds of colour vision
(Color Universal Design, 2008), and every line has a marker of its own. Text stays text.
"""

import importlib
import io
import logging
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.bootstrap import Difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What matplotlib draws with -> (name of the variable, on light, on dark).
_INK, _FAINT = "#1f2329", "#d3d7dd"
_VARIABLES = {
    _INK: ("ink", "#1f2329", "#e4e7eb"),
    _FAINT: ("faint", "#d3d7dd", "#3c434d"),
    "#0072b2": ("s1", "#0072b2", "#56b4e9"),
    "#d55e00": ("s2", "#d55e00", "#f08a4b"),
    "#009e73": ("s3", "#009e73", "#3fc79e"),
    "#cc79a7": ("s4", "#b0578a", "#e3a3c8"),
    "#e69f00": ("s5", "#b57d00", "#f0c04d"),
    "#8a8f98": ("s6", "#6b717b", "#a8aeb8"),
}
_SERIES = [colour for colour in _VARIABLES if colour not in (_INK, _FAINT)]
_MARKERS = "osD^vX"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10, "font.family": "DejaVu Sans", "text.color": _INK,
    "axes.edgecolor": _FAINT, "axes.labelcolor": _INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": _FAINT, "grid.linewidth": 0.6, "xtick.color": _INK,
    "ytick.color": _INK, "xtick.labelcolor": _INK, "xtick.major.size": 0, "ytick.major.size": 0,
    "legend.frameon": False,
}  # fmt: skip
_WIDTH = 7.2  # inches, of 72 points each

HOW_TO_DRAW = "plots are left out: they need matplotlib; run `pip install -c constraints.txt -e '.[report]'`"


def can_draw(cache: Path) -> bool:
    """Whether matplotlib is here; `cache` is the folder where it may keep its list of fonts."""
    os.environ.setdefault("MPLCONFIGDIR", str(cache))  # read once, when matplotlib is imported; else it writes into ~
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells how long that list takes it
    try:
        importlib.import_module("matplotlib.backends.backend_svg")
    except ImportError:
        return False
    return True


def recall(curves: Mapping[str, Sequence[float]]) -> str:
    """Recall at 1, 2, 3, ..., a line for each stage or kind."""
    with _style():
        figure, axes = _figure(3.4)
        for number, (name, values) in enumerate(curves.items()):
            ranks = range(1, len(values) + 1)
            axes.plot(
                ranks, values, color=_colour(number), marker=_MARKERS[number % len(_MARKERS)], label=name,
                markersize=4, markevery=[k - 1 for k in (1, 3, 5, 10, 15, 20, 25, 30) if k <= len(values)],
            )  # fmt: skip
        axes.set_xlabel("articles looked at (k)")
        axes.set_ylabel("recall")
        lowest = min((min(values) for values in curves.values() if values), default=0)
        axes.set_ylim(max(0, lowest - 0.05), 1.01)
        axes.set_xticks([1, 5, 10, 15, 20, 25, 30])
        axes.legend(loc="lower right")
        return _svg(figure, "recall")


def times(samples: Mapping[str, Sequence[float]], name: str = "times") -> str:
    """Milliseconds of each stage or kind: a box from the first to the third quartile, whiskers from 5 to 95 %."""
    with _style():
        figure, axes = _figure(0.9 + 0.45 * len(samples))
        names = list(samples)
        boxes = axes.boxplot(
            [list(samples[name]) for name in names], orientation="horizontal", whis=(5, 95), showfliers=False,
            widths=0.5, patch_artist=True, tick_labels=names, medianprops={"color": _INK, "linewidth": 1.6},
            whiskerprops={"color": _INK}, capprops={"color": _INK},
        )  # fmt: skip
        for number, box in enumerate(boxes["boxes"]):
            box.set(facecolor=_colour(number), edgecolor=_INK, linewidth=0.8)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("milliseconds for a question")
        axes.grid(visible=False, axis="y")
        return _svg(figure, name)


def growth(sizes: Sequence[int], curves: Mapping[str, Sequence[float]]) -> str:
    """Milliseconds of the processor by the archive's size in passages, a line for each kind; sizes logarithmic."""
    with _style():
        figure, axes = _figure(3.4)
        for number, (name, values) in enumerate(curves.items()):
            axes.plot(sizes, values, color=_colour(number), marker=_MARKERS[number % len(_MARKERS)], label=name)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel("passages")
        axes.set_ylabel("ms of processor time")
        axes.legend(loc="upper left")
        return _svg(figure, "growth")


def differences(by_group: Mapping[str, Difference], measure: str) -> str:
    """B minus A in one measure, with its interval, for each stage or kind."""
    with _style():
        figure, axes = _figure(0.9 + 0.4 * len(by_group))
        axes.axvline(0, color=_INK, linewidth=1)
        for number, difference in enumerate(by_group.values()):
            low, high = difference.interval or (difference.mean, difference.mean)
            axes.plot([low, high], [number, number], color=_SERIES[0], linewidth=2.4)
            axes.plot(difference.mean, number, color=_SERIES[0], marker="o", markersize=7)
        axes.set_yticks(range(len(by_group)), list(by_group))
        axes.set_ylim(len(by_group) - 0.5, -0.5)
        axes.set_xlabel(f"change of {measure}: A is better on the left, B on the right")
        axes.grid(visible=False, axis="y")
        return _svg(figure, "differences")


def _style() -> AbstractContextManager[None]:
    import matplotlib

    return matplotlib.rc_context(_STYLE)


def _figure(height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    # A figure of its own, not pyplot's: no window system is looked for, and nothing is left open.
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _colour(number: int) -> str:
    return _SERIES[number % len(_SERIES)]


def _svg(figure: "Figure", name: str) -> str:
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.id": name}):
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    for colour, (variable, _, _) in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    used = set(re.findall(r"#([\w-]+)", svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda found: found[0] if found[1] in used else "", svg)
    return svg.replace(">", f"><style>{_css()}</style>", 1)


def _css() -> str:
    light = "".join(f"--{name}:{value};" for name, value, _ in _VARIABLES.values())
    dark = "".join(f"--{name}:{value};" for name, _, value in _VARIABLES.values())
    return f"svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}"
