"""Draws a journal as a chart: tokens of record and view, budget, tiers, bytes on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from session_core.budget import Tier
from session_core.cli.journal import Journal
from session_core.cli.terminal import size
from session_core.errors import MissingExtra, missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RECORD, VIEW, OURS, THEIRS, INK, QUIET = "#b4552d", "#1f6f8b", "#1f6f8b", "#b4552d", "#222222", "#8a8a8a"
TINTS = {Tier.SUMMARIZE: "#e8f1d9", Tier.FACTS: "#fbeecb", Tier.NOTIFY: "#f8d9cf"}


def picture(journal: Journal, file: Path, *, title: str) -> None:
    """Write the picture of `journal` to `file` as a PNG. Raises: MissingExtra without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as exc:
        raise missing_extra("matplotlib", "cli") from exc
    sized = any(turn.store_bytes is not None for turn in journal.turns)
    heights = [3.2, 3.4, 2.4] if sized else [3.2, 3.4]
    figure = Figure(figsize=(11, sum(heights) + 1.6), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=14, color=INK, x=0.01, ha="left")
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _both(panels[0], journal)
    _view(panels[1], journal)
    if sized:
        _bytes(panels[2], journal)
    panels[-1].set_xlabel("turn")
    panels[-1].set_xlim(0.5, len(journal.turns) + 0.5)
    figure.savefig(file)


def _both(axes: Axes, journal: Journal) -> None:
    """The record against what was sent."""
    numbers = _numbers(journal)
    record = [turn.record_tokens for turn in journal.turns]
    _dressed(axes, "tokens: everything said, and the most that a model call was sent")
    axes.plot(numbers, record, color=RECORD, lw=2, label="record, uncompressed")
    axes.fill_between(numbers, record, color=RECORD, alpha=0.08)
    axes.plot(numbers, [t.view_tokens for t in journal.turns], color=VIEW, lw=2, label="view")
    axes.axhline(journal.budget.limit_tokens, color=INK, lw=1, ls="--", label="limit of a view")
    axes.annotate(
        f"{record[-1]:,}", (numbers[-1], record[-1]), xytext=(-6, 2), textcoords="offset points",
        ha="right", va="bottom", color=RECORD, fontsize=10,
    )  # fmt: skip
    axes.set_ylim(bottom=0, top=max(record[-1], journal.budget.limit_tokens) * 1.12)
    axes.legend(loc="upper left", frameon=False, fontsize=9)


def _view(axes: Axes, journal: Journal) -> None:
    """The view alone, with the thresholds, tiers and digests."""
    budget, numbers = journal.budget, _numbers(journal)
    _dressed(axes, "the view of each turn, and the tier of the session")
    for turn in journal.turns:
        if turn.tier in TINTS:
            axes.axvspan(turn.number - 0.5, turn.number + 0.5, color=TINTS[turn.tier], lw=0, zorder=0)
    axes.plot(numbers, [t.view_tokens for t in journal.turns], color=VIEW, lw=1.6, marker="o", ms=3, zorder=3)
    folded = [turn for turn in journal.turns if turn.folds]
    axes.scatter(
        [t.number for t in folded], [t.view_tokens for t in folded],
        marker="v", s=46, color=INK, zorder=4, label="digest written",
    )  # fmt: skip
    lines = {
        "limit": 1.0,
        "notify": budget.notify_at,
        "facts": budget.facts_at,
        "summarize": budget.summarize_at,
    }
    for name, share in lines.items():
        axes.axhline(share * budget.limit_tokens, color=INK if share == 1 else QUIET, lw=1, ls="--", zorder=2)
        axes.annotate(
            f"{name} {share:.0%}", (1.006, share * budget.limit_tokens), xycoords=("axes fraction", "data"),
            va="center", fontsize=8, color=INK if share == 1 else QUIET, annotation_clip=False,
        )  # fmt: skip
    for tier, tint in TINTS.items():
        axes.fill_between([], [], [], color=tint, label=f"tier {tier}")
    axes.set_ylim(0, budget.limit_tokens * 1.06)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.99), frameon=False, fontsize=8.5, ncols=4, borderaxespad=0)


def _bytes(axes: Axes, journal: Journal) -> None:
    """The database with and without this product, on a logarithmic scale."""
    _dressed(axes, "bytes of the database, on a logarithmic scale")
    axes.set_yscale("log")
    axes.minorticks_off()
    ours = [turn for turn in journal.turns if turn.store_bytes]
    curves = [([t.number for t in ours], [t.store_bytes or 0 for t in ours], OURS, "with llm-sessions")]
    if journal.without_bytes:
        theirs = journal.without_bytes
        curves.append((list(range(1, len(theirs) + 1)), theirs, THEIRS, "LangGraph's SqliteSaver"))
    for numbers, sizes, colour, name in curves:
        axes.plot(numbers, sizes, color=colour, lw=2, label=name)
        axes.annotate(
            size(sizes[-1]), (numbers[-1], sizes[-1]), xytext=(-6, 5), textcoords="offset points",
            ha="right", va="bottom", color=colour, fontsize=10,
        )  # fmt: skip
    largest = max(sizes[-1] for _, sizes, _, _ in curves)
    axes.set_ylim(top=largest * 6)
    axes.yaxis.set_major_formatter(lambda value, _: size(int(value)))
    axes.legend(loc="upper left", frameon=False, fontsize=9)


def _dressed(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10.5, loc="left", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9, labelbottom=True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(axis="y", color="#eeeeee", lw=0.8)
    axes.set_axisbelow(True)


def _numbers(journal: Journal) -> list[int]:
    return [turn.number for turn in journal.turns]


def picture_or_why_not(journal: Journal, file: Path, *, title: str) -> str:
    """A line that names the picture, or the reason why there is none."""
    try:
        picture(journal, file, title=title)
    except MissingExtra as exc:
        return f"no picture: {exc}"
    except OSError as exc:
        return f"no picture: {file} cannot be written ({exc})"
    return f"picture: {file}"
