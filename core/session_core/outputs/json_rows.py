"""JSON arrays and maps of like objects, read as rows and columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from session_core.outputs.grid import Grid
from session_core.outputs.json_parts import dump, outline
from session_core.outputs.json_text import Json

MAX_READ_ROWS = 40_000
"""Of more rows only both ends are read."""

_LEAST_ROWS = 3


def as_grid(value: dict[str, Json] | list[Json], terms: frozenset[str]) -> Grid | None:
    """`value` as rows and columns, if most of its items are objects with the same keys."""
    if isinstance(value, dict):
        keys, items = list(value), list(value.values())
    else:
        keys, items = [], value
    objects = sum(isinstance(item, dict) and bool(item) for item in items)
    if len(items) < _LEAST_ROWS or objects * 10 < 9 * len(items):
        return None
    sizes = [1] * len(items)
    unread: frozenset[int] = frozenset()
    if len(items) > MAX_READ_ROWS:
        head, tail = MAX_READ_ROWS * 3 // 4, len(items) - MAX_READ_ROWS // 4
        keys = [*keys[:head], "", *keys[tail:]] if keys else []
        items = [*items[:head], {}, *items[tail:]]
        sizes, unread = [1] * len(items), frozenset([head])
        sizes[head] = tail - head
    flat = [flatten(item) if isinstance(item, dict) else {"value": item} for item in items]
    _drop_empty_parents(flat)
    counts = Counter(name for row in flat for name in row)
    names = list(counts)
    if sum(counts.values()) * 2 < len(names) * len(flat) or not names:
        return None
    rows = [[_cell(row[name]) if name in row else "" for name in names] for row in flat]
    if keys:
        names = ["(key)", *names]
        rows = [[key, *row] for key, row in zip(keys, rows, strict=True)]
    grid = Grid(names, rows, "json", terms, sizes=sizes, unread=unread)
    return grid if _shorter_as_table(grid, items[:20]) else None


def _drop_empty_parents(rows: Sequence[dict[str, Json]]) -> None:
    """Remove `error: null` if other rows have `error.code`, whose empty columns say the same."""
    parents = {name.rpartition(".")[0] for name in {name for row in rows for name in row if "." in name}}
    for row in rows:
        for name in parents & row.keys():
            if row[name] is None:
                del row[name]


def flatten(item: Mapping[str, Json], *, depth: int = 2) -> dict[str, Json]:
    """`item` with nested small objects as columns: `price.amount`."""
    flat: dict[str, Json] = {}
    for key, inside in item.items():
        if isinstance(inside, dict) and 0 < len(inside) <= 12 and depth:
            inner = flatten(inside, depth=depth - 1)
            flat.update((f"{key}.{name}", value) for name, value in inner.items())
        else:
            flat[key] = inside
    return flat if len(flat) >= len(item) else dict(item)


def _shorter_as_table(grid: Grid, items: Sequence[Json]) -> bool:
    rows = grid.rows[: len(items)]
    table = sum(map(len, grid.names)) + sum(len(cell) + 3 for row in rows for cell in row)
    written = sum(len(dump(item, 1 << 20) or "") for item in items)
    return table < written


def _cell(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return dump(value, 400) or outline(value, 120)
    return dump(value, 16) or ""
