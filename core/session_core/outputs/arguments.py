"""Shortens the arguments of a tool call: still a JSON object, with long texts and arrays cut."""

from __future__ import annotations

from collections.abc import Iterator

from session_core.outputs.json_parts import dump, outline
from session_core.outputs.json_text import Json, JsonText, Number, read_json
from session_core.outputs.pieces import counted, shorten

_STEP = 0.62
_LEAST_CHARACTERS = 8
_MAX_DEPTH = 20
_LONGEST_NUMBER = 40
_CHARACTERS_PER_ITEM = 24
_UNBOUNDED = 1 << 40


def shorten_arguments(arguments: str, max_characters: int) -> Iterator[str]:
    """`arguments` as a JSON object: unchanged, then shorter and shorter, from `max_characters` per text on."""
    found = read_json(arguments)
    if found is None or found != JsonText(found.value) or not isinstance(found.value, dict):
        value: dict[str, Json] = {"unreadable arguments": arguments} if arguments.strip() else {}
    else:
        value = found.value
        yield arguments
    longest = float(min(len(arguments), max_characters))
    while longest >= _LEAST_CHARACTERS:
        yield dump(_cut(value, int(longest), 0), _UNBOUNDED) or "{}"
        longest *= _STEP


def _cut(value: Json, longest: int, depth: int) -> Json:
    """`value` with no text over `longest`, and arrays and objects cut accordingly."""
    if isinstance(value, Number):
        plain = len(value) <= _LONGEST_NUMBER and value.lstrip("-")[:1].isdigit()
        return value if plain else shorten(str(value), max(longest, _LONGEST_NUMBER))
    if isinstance(value, str):
        return shorten(value, longest)
    if not isinstance(value, (dict, list)) or not value:
        return value
    if depth >= _MAX_DEPTH:
        return outline(value, longest)[1:-1]
    most = max(1, longest // _CHARACTERS_PER_ITEM)
    gone = len(value) - most
    if isinstance(value, list):
        items = [_cut(item, longest, depth + 1) for item in value[:most]]
        return [*items, f"… {counted(gone, 'item')} left out …"] if gone > 0 else items
    kept = {
        shorten(key, max(longest, _LONGEST_NUMBER)): _cut(value[key], longest, depth + 1)
        for key in list(value)[: 2 * most]
    }
    if len(value) > 2 * most:
        kept["…"] = f"{counted(len(value) - 2 * most, 'key')} left out"
    return kept
