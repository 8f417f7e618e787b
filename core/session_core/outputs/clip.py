"""Clips: shortened renditions of tool outputs that say what is left out and how to get the original."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from session_core.errors import BudgetError
from session_core.outputs.arguments import shorten_arguments
from session_core.outputs.json_shape import JsonShape
from session_core.outputs.json_text import read_json
from session_core.outputs.lines import Lines
from session_core.outputs.logs import read_log
from session_core.outputs.markup import is_markup, markup_text
from session_core.outputs.pieces import Rendition, Shape, shorten
from session_core.outputs.prose import read_prose
from session_core.outputs.sources import read_code, read_matches, read_paths
from session_core.outputs.tables import read_table
from session_core.outputs.traces import read_trace
from session_core.plan import Count

LEAST_TOKENS = 12
"""The minimum size of a clip."""

_TRIES = 8
_GOOD_SHARE = 0.93
_SAMPLE_CHARACTERS = 4000
_MOST_CHARACTERS_PER_TOKEN = 16
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Clip:
    """A shorter rendition: its text, price, and the kind of text it was made from.

    `kind` is one of json, table, log, html, trace, text.
    """

    text: str
    tokens: int
    kind: str


def clip(
    text: str, *, max_tokens: int, count: Count, reference: str, terms: frozenset[str] = frozenset()
) -> Clip | None:
    """`text` in at most `max_tokens`, or None if it fits unchanged.

    The last line says what was left out and names `reference`, by which the original can be retrieved; each cut is
    marked. `terms` are lower-case words of the question: parts that contain them are preferred. Raises: BudgetError
    if `max_tokens` is below 12.
    """
    if max_tokens < LEAST_TOKENS:
        raise BudgetError(f"a clip of {max_tokens} tokens is too short to say anything; allow {LEAST_TOKENS} or more")
    text = encodable(text)
    if _fits(text, max_tokens, count):
        return None
    shape = _shape(_ESCAPES.sub("", text) if "\x1b" in text else text, terms)
    fitted = _longest_fitting(shape.render, max_tokens, count, reference, _characters_per_token(text, count))
    if fitted is None:
        cut = lambda room: Rendition(shorten(text, room), f"shortened from {len(text):,} characters")  # noqa: E731
        fitted = _longest_fitting(cut, max_tokens, count, reference, 1.0) or _mark_alone(max_tokens, count, reference)
    return Clip(*fitted, shape.kind)


def clip_arguments(arguments: str, *, max_tokens: int, count: Count) -> str:
    """`arguments` as JSON of the same structure in about `max_tokens`: long texts and arrays are cut and marked.

    Always a JSON object; `{}` if nothing else fits.
    """
    arguments = encodable(arguments)
    for shorter in shorten_arguments(arguments, max_tokens * _MOST_CHARACTERS_PER_TOKEN):
        if count(shorter) <= max_tokens:
            return shorter
    return "{}"


def _shape(text: str, terms: frozenset[str]) -> Shape:
    """The shape of `text`: of the first parser that accepts it. Text of no known kind is read as prose."""
    found = read_json(text)
    if found is not None:
        return JsonShape(found, terms, lambda inner: _shape(inner, terms))
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


def _fits(text: str, max_tokens: int, count: Count) -> bool:
    """Whether `text` is within `max_tokens`; of a long text a part is counted first."""
    start = text[: max_tokens * _MOST_CHARACTERS_PER_TOKEN]
    if len(start) < len(text) and count(start) > 2 * max_tokens:
        return False
    return count(text) <= max_tokens


def _characters_per_token(text: str, count: Count) -> float:
    middle = len(text) // 2
    sample = text[:_SAMPLE_CHARACTERS] + text[middle : middle + _SAMPLE_CHARACTERS]
    return min(12.0, max(0.2, len(sample) / max(1, count(sample))))


def _longest_fitting(
    render: Callable[[int], Rendition], max_tokens: int, count: Count, reference: str, ratio: float
) -> tuple[str, int] | None:
    """The longest rendition found that fits with its mark, and its tokens; None if none does.

    Each size is estimated from the one before. A larger size does not always give a longer rendition, so the best
    that fits is remembered.
    """
    best: tuple[str, int] | None = None
    low, high = 0.0, float("inf")
    room = max_tokens * ratio
    for _ in range(_TRIES):
        text, tokens = _with_mark(render(max(1, int(room))), max_tokens, count, reference)
        if tokens <= max_tokens:
            if best is not None and text == best[0] and high == float("inf"):
                break
            best = (text, tokens) if best is None or tokens >= best[1] else best
            low = max(low, room)
            if tokens >= max_tokens * _GOOD_SHARE:
                break
            room = min(room * max_tokens / max(1, tokens) * 0.99, room * 4)
        else:
            high = min(high, room)
            room = room * max_tokens / tokens * 0.97
        if not low < room < high:
            room = (low + min(high, low * 2 + 16)) / 2
        if high - low < 4 or room < 1:
            break
    return best


def _with_mark(rendition: Rendition, max_tokens: int, count: Count, reference: str) -> tuple[str, int]:
    """The rendition with the longest mark that leaves room for it."""
    for mark, share in _marks(rendition.left_out, reference):
        if count(mark) <= max_tokens * share:
            break
    text = f"{rendition.body}\n{mark}" if rendition.body else mark
    return text, count(text)


def _marks(left_out: str, reference: str) -> Iterator[tuple[str, float]]:
    """The marks from the longest to the shortest, each with the share of the tokens that it may take."""
    if left_out:
        yield f"[clipped: {left_out}; whole: ref {reference}]", 1 / 3
        yield f"[clipped: {left_out.split('; ')[0]}; ref {reference}]", 1 / 3
    yield f"[clipped; ref {reference}]", 1
    yield "[clipped]", 1


def _mark_alone(max_tokens: int, count: Count, reference: str) -> tuple[str, int]:
    """The mark alone, as much of it as fits; empty if nothing does."""
    for mark in (f"[clipped; ref {reference}]", "[clipped]", "…"):
        tokens = count(mark)
        if tokens <= max_tokens:
            return mark, tokens
    return "", count("")


def encodable(text: str) -> str:
    """`text` with lone surrogates replaced, which cannot be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
