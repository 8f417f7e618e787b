"""Finds machine-readable data pasted into a user's message: CSV, YAML, INI, XML, SQL."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

_DELIMITERS = ",;\t|"
_LEAST_COLUMNS = {",": 3, ";": 3, "\t": 2, "|": 3}
_HEADING_WORDS = 3
"""Maximum words of a column name."""
_KEY = re.compile(r"^(?P<indent>[ \t]*(?:- )?)[\"']?(?P<key>[a-z_][\w.-]{0,40})[\"']?:(?P<value>[ \t]+\S.*|[ \t]*)$")
"""A key of machine-readable data: a list written for a reader begins with a capital, or has blanks before a colon."""
_ITEM = re.compile(r"^[ \t]*- \S")
_SECTION = re.compile(r"^\[[\w .:\"/-]{1,60}\][ \t]*$")
_SETTING = re.compile(r"^[\w.-]{1,60}[ \t]*=[ \t]*\S?")
_VARIABLE = re.compile(r"^(?:export )?[A-Z][A-Z0-9_]*=\S")
_STATEMENT = re.compile(
    r"^[ \t]*(?:insert into|create (?:table|index|view)|update \S+ set|delete from|alter table|replace into)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<([A-Za-z][\w:.-]{0,60})(?:\s[^<>]{0,300})?>")
_ELEMENT = re.compile(r"<([A-Za-z][\w:.-]{0,60})(?:\s[^<>]{0,300})?>.*?</\1>", re.DOTALL)
_WORDS_BESIDE = 8
_TAGS, _LOOKED_AT = 100, 5_000
"""Maximum tags, and characters after one, that are examined: a text with more is not prose anyway."""
_OWN = re.compile(
    r"my|our|your|rules?|instructions?|prefs|preferences?|guidelines?|requirements?|constraints?|wish(?:es)?|notes? to|"
    r"tasks?|prompt|system|persona|role|style|tone|output|format|goals?|thinking|answer",
    re.IGNORECASE,
)
"""Headings of text that a user may have written for the assistant."""


def records(lines: Sequence[tuple[int, str]], text: str) -> Iterator[tuple[int, int]]:
    """The spans of records in `text` with these `lines` and their starts."""
    for filled, group in groupby(lines, key=lambda one: bool(one[1].strip())):
        block = list(group)
        if filled:
            yield from _table(block)
            yield from _nested(block)
            yield from _settings(block)
            yield from _statements(block)
    yield from _elements(text)


def _table(block: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Rows with as many columns as the heading row above."""
    for start in range(len(block) - 1):
        heading = block[start][1]
        for delimiter in _DELIMITERS:
            columns = _columns(heading, delimiter)
            if len(columns) < _LEAST_COLUMNS[delimiter] or not all(map(_called, columns)):
                continue
            end = start + 1
            while end < len(block) and len(_columns(block[end][1], delimiter)) == len(columns):
                end += 1
            if end > start + 1:
                yield block[start][0], _end(block[end - 1])
                return


def _columns(line: str, delimiter: str) -> list[str]:
    if delimiter not in line:
        return []
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return []


def _called(column: str) -> bool:
    """Whether the text may be a column name. In an enumeration, a blank follows each comma."""
    return (
        bool(column) and column == column.strip() and len(column.split()) <= _HEADING_WORDS and column[-1] not in ".!?:"
    )


def _nested(block: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Indented keys with values under a key without one."""
    keyed = [(line, _KEY.match(line[1])) for line in block]
    for place, (_line, found) in enumerate(keyed[:-1]):
        if found is None or found["value"].strip() or _OWN.match(found["key"]):
            continue
        end = place + 1
        while end < len(keyed) and _below(keyed[end], len(found["indent"])):
            end += 1
        inner = [inside for _, inside in keyed[place + 1 : end] if inside is not None]
        if any(len(inside["indent"]) > len(found["indent"]) for inside in inner):
            first = place
            while first and keyed[first - 1][1] is not None:
                first -= 1
            while end < len(keyed) and (keyed[end][1] is not None or keyed[end][0][1][:1] in " \t-"):
                end += 1
            yield keyed[first][0][0], _end(keyed[end - 1][0])
            return


def _below(line: tuple[tuple[int, str], re.Match[str] | None], indent: int) -> bool:
    (_, text), found = line
    if found is not None:
        return len(found["indent"]) > indent
    return bool(_ITEM.match(text)) or len(text) - len(text.lstrip()) > indent


def _settings(block: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """A section with settings, and environment variables."""
    sections = [place for place, (_, line) in enumerate(block) if _SECTION.match(line)]
    for place in sections[:1]:
        if place + 1 < len(block) and _SETTING.match(block[place + 1][1]) and not _OWN.match(block[place][1][1:]):
            yield block[place][0], _end(block[-1])
    for set_here, group in groupby(block, key=lambda line: _VARIABLE.match(line[1]) is not None):
        several = list(group)
        if set_here and len(several) > 1:
            yield several[0][0], _end(several[-1])


def _statements(block: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """From an SQL statement to the last line that ends one."""
    starts = [place for place, (_, line) in enumerate(block) if _STATEMENT.match(line)]
    if starts:
        ends = [place for place, (_, line) in enumerate(block) if line.rstrip().endswith(";") and place >= starts[-1]]
        yield block[starts[0]][0], _end(block[ends[-1] if ends else -1])


def _elements(text: str) -> Iterator[tuple[int, int]]:
    """From an opening tag to its closing tag, with hardly anything but other elements in between."""
    at = 0
    for _ in range(_TAGS):
        if (opened := _TAG.search(text, at)) is None:
            return
        closed = text.find(f"</{opened.group(1)}>", opened.end())
        inside = text[opened.end() : max(closed, 0)][:_LOOKED_AT].rpartition("</")
        beside = _ELEMENT.sub("", "".join((*inside[:2], inside[2].partition(">")[0], ">")))
        at = opened.end()
        if inside[1] and len(beside.split()) <= _WORDS_BESIDE and not _OWN.match(opened.group(1)):
            at = closed + len(opened.group(1)) + 3
            yield opened.start(), at


def _end(line: tuple[int, str]) -> int:
    return line[0] + len(line[1])
