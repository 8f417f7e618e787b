"""The rows as a picture: for each set what ours, the rivals and an oracle hold at each budget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.quality_run import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, GRID = "#222222", "#8a8a8a", "#eeeeee"
LOOKS = {
    "ours": ("#1f6f8b", 2.6, "o"),
    "ours folded": ("#7fb7c9", 2.0, "o"),
    "trim": ("#b4552d", 1.6, "s"),
    "clear+trim": ("#d99a6c", 1.4, "s"),
    "langmem cut": ("#8c6bb1", 1.4, "D"),
    "llama buffer": ("#6b8e3d", 1.4, "^"),
    "llama memory": ("#a8bf7a", 1.4, "^"),
    "semantic": ("#c9a227", 1.4, "v"),
    "oracle": (QUIET, 1.2, ""),
}
"""Colour, width and mark of each line, in the order of the legend; other methods are not drawn."""
COLUMNS = 3


def plot(rows: Sequence[Row], file: Path) -> str:
    """Write the picture to `file` as a PNG; a line that says so, or why there is none."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ModuleNotFoundError:
        return "no picture: matplotlib is not installed (pip install 'llm-sessions[bench]')"
    sets = list(dict.fromkeys(row.set for row in rows))
    columns = min(COLUMNS, len(sets))
    deep = -(-len(sets) // columns)
    drawn = [name for name in LOOKS if any(row.method == name for row in rows)]
    figure = Figure(figsize=(3.9 * columns + 0.4, 2.9 * deep + 1.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        "What a context of so many tokens holds of what is needed next (hit)",
        fontsize=12.5,
        color=INK,
        x=0.01,
        ha="left",
    )
    panels = figure.subplots(deep, columns, sharey=True, squeeze=False).flatten()
    for panel, name in zip(panels, sets, strict=False):
        _panel(panel, [row for row in rows if row.set == name])
    for spare in panels[len(sets) :]:
        spare.set_axis_off()
    lines = [Line2D([], [], label=name, **_look(name, valid=True)) for name in drawn]
    figure.legend(handles=lines, loc="outside lower left", ncols=5, frameon=False, fontsize=9)
    figure.text(
        0.99, 0.005, "hollow and dashed: over 2 % of its contexts are refused by providers or over the budget",
        ha="right", va="bottom", fontsize=8, color=QUIET,
    )  # fmt: skip
    figure.savefig(file)
    return f"picture: {file}"


def _panel(axes: Axes, rows: Sequence[Row]) -> None:
    """One set: a line for each method over the budgets."""
    budgets = list(dict.fromkeys(row.budget for row in rows))
    axes.set_title(f"{rows[0].set}  ({max(row.probes for row in rows):,} probes)", fontsize=10, loc="left", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.set_ylim(0, 1.03)
    axes.set_xlim(-0.25, len(budgets) - 0.75)
    axes.set_xticks(range(len(budgets)), [_named(budget) for budget in budgets])
    axes.tick_params(labelsize=8.5)
    for order, name in enumerate(LOOKS):
        own = [row for row in rows if row.method == name]
        places = [budgets.index(row.budget) for row in own]
        look = _look(name, valid=all(row.valid for row in own))
        axes.plot(places, [row.hit for row in own], zorder=20 - order, **look)


def _look(name: str, *, valid: bool) -> dict[str, Any]:
    colour, width, mark = LOOKS[name]
    style = ":" if not mark else "-" if valid else (0, (4, 2))
    fill = colour if valid else "white"
    return {"color": colour, "lw": width, "ls": style, "marker": mark or None, "ms": 5, "mfc": fill}


def _named(budget: str) -> str:
    return budget if budget.endswith("%") else f"{int(budget):,}"
