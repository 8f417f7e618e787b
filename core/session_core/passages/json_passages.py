"""Splits JSON into passages: one per row, with the column names of similar rows given once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from session_core.outputs.json_parts import dump, is_plain
from session_core.outputs.json_text import Json

LINE_CHARACTERS = 160
"""Fields of one object go on one line up to this length."""

INLINE_FIELDS = 6
INLINE_ITEMS = 8
"""A small object or list of plain values stands in its parent's row."""

LEAST_COMMON = 2
"""So many fields that all objects of a list have, half of all they have or more, are named once for all of them."""

SEPARATOR = " | "
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a value. `schema` names the columns that several rows share, `group` identifies these rows, and
    `alone` is the row with its column names, for use without the others."""

    text: str
    group: int
    schema: str = ""
    alone: str = ""


def rows(value: Json) -> list[Row]:
    """The lines of `value` in order: plain values of one object on one line; empty ones are left out."""
    found: list[Row] = []
    for group, (path, columns, lines) in enumerate(_groups(value, "", 0)):
        schema = f"{path} ({SEPARATOR.join(columns)}):".lstrip() if columns else ""
        lead = f"{path}: " if path and not columns else ""
        for line in lines:
            if isinstance(line, str):
                found.append(Row(f"{lead}{line}", group))
            else:
                found.append(Row(line.cells, group, schema, f"{path}: {line.named}".removeprefix(": ")))
    return found


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a table: its cells, and the same with the names of their columns."""

    cells: str
    named: str


Group = tuple[str, Sequence[str], Sequence[str | _Line]]
"""Where in the value, the names of the columns (none where each line names its own), the lines."""


def _groups(value: Json, path: str, depth: int) -> Iterator[Group]:
    if _empty(value):
        return
    if depth > _DEEPEST:
        yield path, (), [dump(value, 2_000) or "…"]
    elif isinstance(value, list):
        if all(isinstance(item, dict) for item in value):
            yield from _table(path, value, depth)
        elif all(map(is_plain, value)):
            yield path, (), _lines([_as_text(item) for item in value])
        else:
            for item in value:
                yield from _groups(item, path, depth + 1)
    elif isinstance(value, dict):
        if _alike(value):
            yield from _table(path, [_with_key(key, item) for key, item in value.items()], depth)
            return
        fields, rest = _fields(value)
        if fields:
            yield path, (), _lines(_named(dict(fields)))
        for key, inside in rest:
            yield from _groups(inside, f"{path}.{key}" if path else key, depth + 1)
    elif _in_lines(value):
        first, *others = [line for line in map(_as_text, value.splitlines()) if line]
        yield path, (), [first]
        yield "", (), others
    else:
        yield path, (), [_as_text(value)]


def _table(path: str, objects: Sequence[Mapping[str, Json]], depth: int) -> Iterator[Group]:
    """Rows under one schema of the columns that all have; other columns are named in their row. If too few are common,
    rows with the same columns share a schema."""
    told: list[Mapping[str, str]] = []
    inner: list[tuple[str, Json]] = []
    for one in objects:
        fields, rest = _fields(one)
        if fields:
            told.append(dict(fields))
        inner.extend(rest)
    common = [name for name in told[0] if all(name in fields for fields in told)] if len(told) > 1 else []
    if len(common) >= LEAST_COMMON and 2 * len(common) * len(told) >= sum(map(len, told)):
        ragged = any(len(fields) > len(common) for fields in told)
        yield path, (*common, *(["…"] if ragged else [])), [_line(fields, common) for fields in told]
    else:
        yield from _group_by_columns(path, told)
    for key, inside in inner:
        yield from _groups(inside, f"{path}.{key}" if path else key, depth + 1)


def _line(fields: Mapping[str, str], columns: Sequence[str]) -> _Line:
    """The row: the values of the columns, then other fields with their names."""
    over = len(fields) > len(columns)
    more = _named({name: text for name, text in fields.items() if name not in columns}) if over else []
    cells = [*(fields[name] for name in columns), *([", ".join(more)] if more else [])]
    return _Line(SEPARATOR.join(cells), ", ".join(_named(fields)))


def _group_by_columns(path: str, told: Sequence[Mapping[str, str]]) -> Iterator[Group]:
    """Rows grouped by equal columns; a row without an equal names its columns itself."""
    alike: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for fields in told:
        alike.setdefault(tuple(fields), []).append(fields)
    for columns, same in alike.items():
        if len(same) == 1:
            yield path, (), _lines(_named(same[0]))
        else:
            yield path, columns, [_line(fields, columns) for fields in same]


def _named(fields: Mapping[str, str]) -> list[str]:
    return [f"{name}: {text}" for name, text in fields.items()]


def _fields(one: Mapping[str, Json]) -> tuple[list[tuple[str, str]], list[tuple[str, Json]]]:
    """The plain values of an object and of small objects in it, and the parts that get rows of their own."""
    fields: list[tuple[str, str]] = []
    rest: list[tuple[str, Json]] = []
    for key, value in one.items():
        if isinstance(value, str):
            # Most values are texts or numbers.
            if _in_lines(value):
                rest.append((key, value))
            elif value:
                fields.append((key, " ".join(value.split())))
        elif _empty(value):
            continue
        elif is_plain(value):
            fields.append((key, _as_text(value)))
        elif isinstance(value, list) and len(value) <= INLINE_ITEMS and all(map(is_plain, value)):
            fields.append((key, ", ".join(map(_as_text, value))))
        elif isinstance(value, dict) and len(value) <= INLINE_FIELDS and all(map(is_plain, value.values())):
            own = {name for name, _ in fields}
            told = [(name, _as_text(inside)) for name, inside in value.items() if not _empty(inside)]
            fields.extend((f"{key}.{name}" if name in own or name in one else name, text) for name, text in told)
        else:
            rest.append((key, value))
    return fields, rest


def _alike(value: Mapping[str, Json]) -> bool:
    """Whether the object is a map of similar objects with their names as keys."""
    items = list(value.values())
    if len(items) < 2 or not all(isinstance(item, dict) and item for item in items):
        return False
    return bool(set.intersection(*(set(item) for item in items)))


def _with_key(key: str, item: Mapping[str, Json]) -> Mapping[str, Json]:
    """The object with its key in the map as a field, unless it contains it already."""
    return item if any(is_plain(inside) and str(inside) == key for inside in item.values()) else {"key": key, **item}


def _lines(parts: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= LINE_CHARACTERS:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def _in_lines(value: Json) -> bool:
    """Whether the value is a text of several lines that is too long for one line."""
    return isinstance(value, str) and len(value) > LINE_CHARACTERS and "\n" in value.strip()


def _empty(value: Json) -> bool:
    return value is None or value in ("", [], {})


def _as_text(value: Json) -> str:
    if isinstance(value, str):
        return " ".join(value.split())
    return {None: "null", True: "true", False: "false"}.get(value, str(value))
