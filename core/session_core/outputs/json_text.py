"""Parses JSON as tools print it: after some text, as JSON lines, truncated, or as a Python literal."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = Any
"""A value read from JSON: dict, list, str, Number, bool or None."""

MAX_AROUND_CHARACTERS = 400
_STARTS_TRIED = 4
_OPENING = re.compile(r"[\[{]")
_PYTHON_TOKEN = re.compile(
    r"'((?:[^'\\]|\\.)*+)(?:'|\\?\Z)|\"((?:[^\"\\]|\\.)*+)(?:\"|\\?\Z)|\b(None|True|False)\b", re.S
)
_PYTHON_START = re.compile(r"\s*(?:\{'|\[\s*\{'|\[')")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.S)
_MAX_DEPTH = 200
_ENDS_TRIED = 6


class Number(str):
    """A number in its original notation, so that 10.50 stays 10.50."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JsonText:
    """JSON found in a text: its value, the text before and after it, and whether it is truncated."""

    value: Json
    before: str = ""
    after: str = ""
    note: str = ""


def read_json(text: str) -> JsonText | None:
    """The JSON in `text`, apart from a few words around it; None if it is something else."""
    starts = [match.start() for match in _OPENING.finditer(text, 0, MAX_AROUND_CHARACTERS)]
    if not starts:
        return None
    inside = (_inside(text, start) for start in starts[:_STARTS_TRIED])
    return _whole(text) or _lines(text) or next(filter(None, inside), None) or _python(text) or _broken(text)


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object of `pairs`; a repeated key is renamed, so that no value is lost."""
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    value = {}
    for key, item in pairs:
        name, times = key, 1
        while name in value:
            times += 1
            name = f"{key} ({times})"
        value[name] = item
    return value


_DECODER = json.JSONDecoder(
    strict=False, object_pairs_hook=_pairs, parse_float=Number, parse_int=Number, parse_constant=Number
)


def _attempt(read: Callable[[], Json]) -> Json:
    """The result of `read` if it is an object or an array; None for anything that cannot be read."""
    try:
        value = read()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _whole(text: str) -> JsonText | None:
    value = _attempt(lambda: _DECODER.decode(text.strip().lstrip("\ufeff")))
    return None if value is None else JsonText(value)


def _inside(text: str, start: int) -> JsonText | None:
    found: list[int] = []

    def read() -> Json:
        value, end = _DECODER.raw_decode(text, start)
        found.append(end)
        return value

    value = _attempt(read)
    if value is None or len(text) - found[0] > MAX_AROUND_CHARACTERS or (found[0] - start) * 2 < len(text):
        return None
    return JsonText(value, text[:start], text[found[0] :])


def _lines(text: str) -> JsonText | None:
    """JSON lines, of which nine of ten are readable; the others stay as text."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or lines[0].lstrip()[0] not in "{[" or lines[-1].lstrip()[0] not in "{[":
        return None
    values: list[Json] = []
    unreadable = 0
    for number, line in enumerate(lines):
        value = _attempt(lambda line=line: _DECODER.decode(line))  # type: ignore[misc]
        unreadable += value is None
        if unreadable * 10 > number + 9:
            return None
        values.append(line if value is None else value)
    note = f"{unreadable:,} unreadable lines kept as text" if unreadable else ""
    return JsonText(values, note=note)


def _python(text: str) -> JsonText | None:
    """The output of Python's `print` for dicts and lists, read as JSON."""
    if not _PYTHON_START.match(text):
        return None

    def as_json(match: re.Match[str]) -> str:
        single, double, constant = match.groups()
        if constant:
            return {"None": "null", "True": "true", "False": "false"}[constant]
        inside: str = single if single is not None else double
        return json.dumps(_PYTHON_ESCAPE.sub(_unescaped, inside))

    return _whole(_PYTHON_TOKEN.sub(as_json, text))


_PYTHON_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)


def _broken(text: str) -> JsonText | None:
    """Truncated JSON, up to its last complete element."""
    stripped = text.lstrip().lstrip("\ufeff")
    if stripped[:1] not in ("{", "["):
        return None
    for end, closing in reversed(_complete(stripped)):
        value = _attempt(lambda end=end, closing=closing: _DECODER.decode(stripped[:end] + closing))  # type: ignore[misc]
        if value and end * 2 >= len(stripped):
            return JsonText(value, after=stripped[end:].lstrip(", \n"), note="the JSON is cut off")
    return None


def _complete(text: str) -> list[tuple[int, str]]:
    """The ends of the last few complete elements, each with the closing brackets that are missing there."""
    stack: list[str] = []
    found: deque[tuple[int, str]] = deque(maxlen=_ENDS_TRIED)
    for match in _STRUCTURE.finditer(text):
        token = match[0]
        if token in "{[":
            stack.append("}" if token == "{" else "]")
            if len(stack) > _MAX_DEPTH:
                break
        elif token in "}]":
            if not stack or stack.pop() != token:
                break
            found.append((match.end(), "".join(reversed(stack))))
            if not stack:
                break
        elif token == "," and stack:
            found.append((match.start(), "".join(reversed(stack))))
    return list(found)
