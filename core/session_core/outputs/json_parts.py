"""Renders parts of JSON briefly: whole, minimal, or as an outline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from session_core.outputs.json_text import Json, Number
from session_core.outputs.pieces import counted, shorten

SHORT = 48
"""Values of up to this many characters are shown unchanged."""

_DUMP_DEPTH = 60
_KEYS_NAMED = 5

quoted = json.JSONEncoder(ensure_ascii=False).encode
"""A text as a JSON string."""


def is_plain(value: Json) -> bool:
    """Whether `value` is no object and no list."""
    return not isinstance(value, dict | list)


def dump(value: Json, max_characters: int) -> str | None:
    """`value` as JSON without white space, or None when that is longer than `max_characters`."""
    parts: list[str] = []
    left = max_characters
    for token in _tokens(value, 0, max_characters):
        if token is None or len(token) > left:
            return None
        left -= len(token)
        parts.append(token)
    return "".join(parts)


def _tokens(value: Json, depth: int, longest: int) -> Iterator[str | None]:
    """The JSON of `value` in parts; None where it is nested too deep or has a text over `longest`."""
    if isinstance(value, Number):
        yield str(value)
    elif isinstance(value, str):
        yield quoted(value) if len(value) <= longest else None
    elif value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif not value:
        yield "{}" if isinstance(value, dict) else "[]"
    elif depth > _DUMP_DEPTH:
        yield None
    elif isinstance(value, dict):
        for number, (key, item) in enumerate(value.items()):
            yield ("," if number else "{") + quoted(key) + ":"
            yield from _tokens(item, depth + 1, longest)
        yield "}"
    else:
        for number, item in enumerate(value):
            yield "," if number else "["
            yield from _tokens(item, depth + 1, longest)
        yield "]"


def outline(value: Json, max_characters: int) -> str:
    """The structure of a part without its content: `{12 keys: a, b, c…}` or `[240 items]`."""
    if isinstance(value, list):
        return f'"[{counted(len(value), "item")}]"'
    if not isinstance(value, dict):
        return quoted(shorten(str(value), max_characters))
    bare = f"{{{counted(len(value), 'key')}}}"
    for named in range(min(len(value), _KEYS_NAMED), 0, -1):
        keys = ", ".join(list(value)[:named])
        text = f"{{{counted(len(value), 'key')}: {keys}{'…' if named < len(value) else ''}}}"
        if len(text) + 2 <= max_characters:
            return quoted(text)
    return quoted(bare)


def small(value: Json) -> str:
    """The shortest form of a part that still identifies it."""
    if isinstance(value, (dict, list)):
        return dump(value, SHORT) or outline(value, SHORT)
    if isinstance(value, str) and not isinstance(value, Number) and len(value) > SHORT:
        return quoted(shorten(value, SHORT))
    return dump(value, SHORT) or quoted(shorten(str(value), SHORT))


def keys_left(gone: Sequence[str], room: int) -> str:
    """How many keys of an object are left out, and the first of them, in about a third of `room` characters."""
    named = ", ".join(shorten(key, 24) for key in gone[:_KEYS_NAMED])
    more = "…" if len(gone) > _KEYS_NAMED else ""
    return shorten(f"{counted(len(gone), 'more key')}: {named}{more}", max(14, room // 3))


def with_gaps(kept: Mapping[int, str], total: int) -> Iterator[str]:
    """The `kept` ones of `total` items in order, with the number of those left out between them."""
    position = 0
    for number in sorted(kept):
        if number > position:
            yield f'"… {counted(number - position, "item")}"'
        yield kept[number]
        position = number + 1
    if position < total:
        yield f'"… {counted(total - position, "item")}"'
