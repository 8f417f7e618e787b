"""Removes from a result's rows the values that its call asked with, since the line above shows them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from session_core.outputs.json_text import read_json
from session_core.passages.reading import HEADING_CHARACTERS, Passage
from session_core.passages.word_values import named_in

LEAST_CHARACTERS = 4
"""Shorter values may be equal by chance."""


def without_call_values(passage: Passage, call: str) -> Passage:
    """The row without those of its fields whose values are arguments of the `call` that it answers, where this is
    short enough to stand whole above it; a row that says nothing else, and one under columns, stays as it is."""
    if passage.schema or len(call) > HEADING_CHARACTERS:
        return passage
    text = _without_values(passage.text, call)
    if text is passage.text:
        return passage
    tokens = max(2, passage.tokens * len(text) // len(passage.text))
    return replace(passage, text=text, tokens=tokens, values=named_in(text), brief_tokens=tokens)


@lru_cache(maxsize=8_192)
def _without_values(text: str, call: str) -> str:
    asked = _call_values(call)
    fields = text.split(", ")
    kept = [field for field in fields if field.rpartition(": ")[2] not in asked or ": " not in field]
    return text if len(kept) in (0, len(fields)) else ", ".join(kept)


@lru_cache(maxsize=2_048)
def _call_values(call: str) -> frozenset[str]:
    found = read_json(call.partition(" ")[2])
    if found is None or not isinstance(found.value, dict):
        return frozenset()
    plain = (value for value in found.value.values() if isinstance(value, str | int) and not isinstance(value, bool))
    return frozenset(text for value in plain if len(text := str(value)) >= LEAST_CHARACTERS)
