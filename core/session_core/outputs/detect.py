"""Detects the type of an output: the first parser that accepts it determines its shape."""

from __future__ import annotations

from session_core.outputs.json_shape import JsonShape
from session_core.outputs.json_text import read_json
from session_core.outputs.lines import Lines
from session_core.outputs.logs import read_log
from session_core.outputs.markup import is_markup, markup_text
from session_core.outputs.pieces import Shape
from session_core.outputs.prose import read_prose
from session_core.outputs.sources import read_code, read_matches, read_paths
from session_core.outputs.tables import read_table
from session_core.outputs.traces import read_trace


def detect(text: str, terms: frozenset[str]) -> Shape:
    """The shape of `text`; text of no known kind is read as prose."""
    found = read_json(text)
    if found is not None:
        return JsonShape(found, terms, lambda inner: detect(inner, terms))
    if is_markup(text):
        sentence = markup_text(text)
        return read_prose(Lines.of(sentence, terms), terms, kind="html", note="markup left out")
    lines = Lines.of(text, terms)
    return (
        read_trace(lines, terms)
        or read_matches(lines, terms)
        or read_log(lines, terms)
        or read_table(lines, terms)
        or read_paths(lines, terms)
        or read_code(lines, terms)
        or read_prose(lines, terms)
    )
