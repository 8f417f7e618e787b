"""Renders rows with columns from any source: the columns once, and the rows that matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from session_core.outputs.columns import Cells, extremes, name_rank, outliers
from session_core.outputs.pieces import UNCUT, Rendition, counted, ends, join, pick, preference, shorten
from session_core.outputs.relevance import by_terms

SEPARATOR = " | "
_CELL_CAPS = (400, 160, 80, 48, 32, 20)
_CONSTANT_CAPS = (400, 120, 47, 24, 12)
_WANTED_ROWS = 8
_NAMED_COLUMNS = 8
_LONG_CELL = 60


@dataclass(frozen=True)
class Grid:
    """A table: column names, and the cells of each row. `unread` rows stand for `sizes` rows that were not read.
    `around` is the text before and after it."""

    names: Sequence[str]
    rows: Sequence[Cells]
    kind: str = "table"
    terms: frozenset[str] = frozenset()
    sizes: Sequence[int] | None = field(default=None, kw_only=True)
    unread: frozenset[int] = field(default=frozenset(), kw_only=True)
    around: tuple[str, str] = field(default=("", ""), kw_only=True)

    @cached_property
    def order(self) -> list[int]:
        """The rows, most important first: matches of the question and outliers, then both ends, then extremes."""
        texts = [" ".join(row) for row in self.rows] if self.terms else []
        chosen = preference(
            (1, [0]),
            (3, by_terms(texts, self.terms)),
            (3, outliers(self.names, self.rows)),
            (1, extremes(self.names, self.rows)),
            (1, ends(len(self.rows))),
        )
        last = len(self.rows) - 1
        chosen = [n for n in chosen if n not in self.unread]
        if last > 0 and last in chosen[3:]:
            chosen.remove(last)
            chosen.insert(3, last)
        return chosen

    @cached_property
    def constants(self) -> dict[int, str]:
        """Columns with the same value in every row, by number; never all of them."""
        if len(self.rows) < 3:
            return {}
        first = self.rows[0]
        same = {
            column: first[column]
            for column in range(len(self.names))
            if all(row[column] == first[column] for n, row in enumerate(self.rows) if n not in self.unread)
        }
        if len(same) == len(self.names):
            same.pop(min(same, key=lambda column: (name_rank(self.names[column]), column)), None)
        return same

    def render(self, max_characters: int) -> Rendition:
        """The header once, and the most important rows, in about `max_characters`."""
        before = shorten(self.around[0].strip(), max(60, max_characters // 8))
        after = shorten(self.around[1].strip(), max(60, max_characters // 8))
        room = max_characters - len(before) - len(after)
        layout = _Layout.fitting(self, room)
        room -= len(layout.heading)
        cut_cells: set[int] = set()

        def row_text(number: int) -> str:
            text, whole = layout.row(self.rows[number])
            if not whole:
                cut_cells.add(number)
            return text

        kept = pick(len(self.rows), self.order, row_text, room)
        cut_cells &= kept.keys()
        sizes = self.sizes or [1] * len(self.rows)
        body, missing = join(kept, sizes, "row")
        losses = []
        if missing:
            losses.append(f"{missing:,} of {counted(sum(sizes), 'row')} left out")
        if layout.dropped:
            losses.append(f"{len(layout.dropped):,} of {counted(len(self.names), 'column')} left out")
        if cut_cells:
            losses.append(f"cells of {counted(len(cut_cells), 'row')} shortened")
        if len(before) < len(self.around[0].strip()) or len(after) < len(self.around[1].strip()):
            losses.append("the text around it shortened")
        parts = [part for part in (before, layout.heading + body, after) if part]
        return Rendition("\n".join(parts), "; ".join(losses) or UNCUT)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns are shown, their widths, and the lines above the rows."""

    columns: Sequence[int]
    dropped: Sequence[str]
    cell_cap: int
    heading: str

    @classmethod
    def fitting(cls, grid: Grid, max_characters: int) -> _Layout:
        """The widest layout in which eight rows would fit; the least important columns are dropped."""
        shown = [c for c in range(len(grid.names)) if c not in grid.constants]
        sample = [grid.rows[n] for n in grid.order[:40]]
        row_room = max(24, max_characters // (min(_WANTED_ROWS, len(grid.rows)) + 1))
        for cap in _CELL_CAPS:
            if _row_width(sample, shown, cap) <= row_room:
                break
        long = {c for c in shown if _row_width(sample, [c], 400) > _LONG_CELL}
        by_worth = sorted(shown, key=lambda c: (name_rank(grid.names[c]), c in long, c))
        while len(by_worth) > 1 and (
            _row_width(sample, by_worth, cap) > 2 * row_room
            or sum(len(grid.names[c][:40]) + 3 for c in by_worth) > max_characters // 3
        ):
            by_worth = by_worth[: len(by_worth) * 7 // 8]
        columns = sorted(by_worth)
        dropped = [grid.names[c] for c in shown if c not in set(columns)]
        return cls(columns, dropped, cap, _heading(grid, columns, dropped, max_characters))

    def row(self, cells: Cells) -> tuple[str, bool]:
        """A row as it is shown, and whether all of its shown cells are complete."""
        shown = [_flat(shorten(cells[c], self.cell_cap)) for c in self.columns]
        return SEPARATOR.join(shown), all(len(cells[c]) <= self.cell_cap for c in self.columns)


def _heading(grid: Grid, columns: Sequence[int], dropped: Sequence[str], max_characters: int) -> str:
    lines = []
    if grid.constants:
        lines.append(_constants(grid, max(48, max_characters // 5)))
    if dropped:
        named = ", ".join(shorten(_flat(name), 40) for name in dropped[:_NAMED_COLUMNS])
        more = ", …" if len(dropped) > _NAMED_COLUMNS else ""
        listed = shorten(f"{named}{more}", max(24, max_characters // 8))
        lines.append(f"… {counted(len(dropped), 'column')}: {listed}")
    lines.append(SEPARATOR.join(shorten(_flat(grid.names[c]), 40) for c in columns))
    return "\n".join(lines) + "\n"


def _constants(grid: Grid, max_characters: int) -> str:
    """The constant values, short ones first; long ones are cut individually, until the line fits."""
    told = sorted(grid.constants.items(), key=lambda pair: (len(pair[1]), pair[0]))
    line = ""
    for cap in _CONSTANT_CAPS:
        text = ", ".join(f"{_flat(grid.names[c])} = {_flat(shorten(v, cap)) or '(empty)'}" for c, v in told)
        line = f"every row: {text}"
        if len(line) <= max_characters:
            return line
    return shorten(line, max_characters)


def _row_width(sample: Sequence[Cells], columns: Sequence[int], cap: int) -> int:
    if not sample:
        return 0
    total = sum(min(len(row[c]), cap) + len(SEPARATOR) for row in sample for c in columns)
    return total // len(sample)


def _flat(cell: str) -> str:
    """The cell on one line, without the separator."""
    return " ".join(cell.split()).replace("|", "¦") if cell else cell
