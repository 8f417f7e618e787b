"""Parses records from text that is not JSON: XML elements, table rows, lists of fields."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from session_core.outputs.grid import SEPARATOR
from session_core.outputs.json_text import Json
from session_core.outputs.lines import Lines
from session_core.outputs.markup import element_of, is_html, is_markup, markup_text
from session_core.outputs.tables import read_cells

NAME = "name"
"""What a heading above fields is called among them."""

_FIELD = re.compile(
    r"(?P<key>[^\W\d][\w.&'’-]*+(?: [\w.&'’#%-]++){0,4}+(?: \([^()]{1,20}\))?)(?P<sign> ?:)(?:\s++(?P<said>.*))?$"
)
_MARK = re.compile(r"(?:[-*•+]|\d{1,3}[.)]|\[\d{1,3}\])\s+")
_NUMBERED_RULE = re.compile(r"[-*=#\[\] ]+(?:record )?\d+\.?(?: row)?[-*=#\[\] ]+", re.IGNORECASE)
_EXPANDED = re.compile(r"-\[ RECORD \d+ \]", re.IGNORECASE)
_BAR = re.compile(r"(?m)^([^\s|][^|\n]{0,60}?) *\| ?")
_CODE_ENDS = ("{", "}", ";", ",", "(", "[", "\\")
_LEAST_FIELDS = 3
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class _Item:
    """One line: its indent, whether it has a list marker, its key if it has one, and whether an empty line or a rule
    precedes it."""

    indent: int
    marked: bool
    key: str
    said: str
    fresh: bool


def records(text: str) -> Json | None:
    """The value that `text` describes in records; None for any other text.

    Text before and after a table, and lines between records, are strings in the list.
    """
    if is_markup(text):
        if is_html(text):
            return _in_markup(markup_text(text).splitlines())
        if (element := element_of(text)) is not None:
            return element
    if _EXPANDED.search(text, 0, 400):
        return _read_fields(_BAR.sub(r"\1: ", text))
    return _read_table(text) or _read_fields(text)


def _in_markup(lines: Sequence[str]) -> Json:
    """The lines of the markup's text; those of a table as rows."""
    found: list[Json] = []
    for cells, run in groupby(lines, key=lambda line: line.count(SEPARATOR)):
        texts = list(run)
        rows = [line.split(SEPARATOR) for line in texts]
        if cells and len(rows) > 1 and len(set(rows[0])) == len(rows[0]):
            found.append([dict(zip(rows[0], row, strict=True)) for row in rows[1:]])
        else:
            found.extend(texts)
    return found


def _read_table(text: str) -> Json | None:
    grid = read_cells(Lines.of(text))
    if grid is None or grid.unread:
        return None
    before, after = ([line for line in part.splitlines() if line.strip()] for part in grid.around)
    return [*before, [dict(zip(grid.names, row, strict=True)) for row in grid.rows], *after]


def _read_fields(text: str) -> Json | None:
    """Lines of `key: value`, as in YAML, blocks of facts, and expanded database rows."""
    items = list(_items(text))
    keys = Counter(item.key for item in items if item.key)
    fields = keys.total()
    if fields < _LEAST_FIELDS or fields * 10 < 6 * len(items):
        return None
    # Each line with one key of its own says what kind of line it is ("INFO: ..."), and is no part of a record.
    if fields < 2 * max(keys.values()) or sum(item.said.endswith(_CODE_ENDS) for item in items) * 5 > len(items):
        return None
    return _value(_normalize_indent(items), 0)


def _items(text: str) -> Iterator[_Item]:
    fresh = True
    for line in text.splitlines():
        sentence = line.strip()
        if not any(map(str.isalnum, sentence)) or _NUMBERED_RULE.fullmatch(sentence):
            fresh = True
            continue
        indent = len(line) - len(line.lstrip())
        mark = _MARK.match(sentence)
        bare = sentence[mark.end() :] if mark else sentence
        field = _FIELD.match(bare.replace("**", "").replace('"', "", 2) if bare[:1] in '*"' else bare)
        if field:
            yield _Item(indent, bool(mark), field["key"], (field["said"] or "").strip(), fresh)
        else:
            yield _Item(indent, bool(mark), "", bare, fresh)
        fresh = False


def _normalize_indent(items: Sequence[_Item]) -> Sequence[_Item]:
    """The items without the indent of right-aligned field names."""
    ends = {item.indent + len(item.key) for item in items if item.key}
    return [replace(item, indent=0) for item in items] if len(ends) == 1 else items


def _value(items: Sequence[_Item], depth: int) -> Json:
    """The records in these lines: a single one as it is, several as a list with the texts between them."""
    found: list[Json] = []
    record: dict[str, Json] | None = None
    last, at = "", 0
    while at < len(items):
        item, end = items[at], at + 1
        lists = bool(item.key) and not item.marked and not item.said
        while end < len(items) and (
            items[end].indent > item.indent or (lists and items[end].marked and items[end].indent == item.indent)
        ):
            end += 1
        inner, at = items[at + 1 : end], end
        if depth >= _DEEPEST:
            found.append(" ".join(f"{one.key}: {one.said}" if one.key else one.said for one in (item, *inner)))
        elif item.marked:
            first = replace(item, marked=False, indent=min((one.indent for one in inner), default=item.indent))
            if not item.key and inner:
                first = replace(first, indent=first.indent - 1)
            found.append(_value([first, *inner], depth + 1))
            record = found[-1] if isinstance(found[-1], dict) else None
        elif item.key:
            said = _field(item, inner, depth)
            if record is None or item.fresh or item.key in record:
                heading = found.pop() if found and isinstance(found[-1], str) and not item.fresh else None
                record = {} if heading is None else {NAME: heading}
                found.append(record)
            last = item.key
            record[last] = said
        elif inner:
            record = {NAME: item.said}
            told = _value(inner, depth + 1)
            record.update(told if isinstance(told, dict) else {"": told})
            found.append(record)
        elif record is not None and not item.fresh and isinstance(record.get(last), str):
            record[last] = f"{record[last]} {item.said}".strip()
        else:
            record = None
            found.append(item.said)
    return found[0] if len(found) == 1 else _group_adjacent(found)


def _field(item: _Item, inner: Sequence[_Item], depth: int) -> Json:
    if not inner:
        return item.said
    told = _value(inner, depth + 1)
    if not item.said or item.said in ("|", ">", "|-", ">-"):
        return told
    return f"{item.said} {told}" if isinstance(told, str) else [item.said, told]


def _group_adjacent(found: Sequence[Json]) -> Json:
    """Adjacent records as a list of their own if something else stands between the groups."""
    if all(isinstance(one, dict) and len(one) == 1 for one in found):
        keys = [key for one in found for key in one]
        if len(set(keys)) == len(keys):
            return {key: value for one in found for key, value in one.items()}
    if all(isinstance(one, dict) for one in found) or not any(isinstance(one, dict) for one in found):
        return list(found)
    parts: list[Json] = []
    for alike, run in groupby(found, key=lambda one: isinstance(one, dict)):
        if alike:
            parts.append(list(run))
        else:
            parts.extend(run)
    return parts
