"""Cuts what a person said to its beginning and its end, word for word."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from session_core.outputs.clip import encodable
from session_core.plan import Count

MARK_SHARE = 0.25
"""Maximum share of the room for the mark between the ends; with its reference if that fits, else shorter."""
HEAD_SHARE = 0.6
"""The share of the text's room for its beginning."""
LEAST_TAIL_TOKENS = 6
"""In less room only the beginning is shown."""
_CHARACTERS_PER_TOKEN = 16
_TRIES = 4


def both_ends(text: str, *, max_tokens: int, count: Count, reference: str) -> str:
    """The beginning and the end of `text` in at most `max_tokens`, with a mark between; unchanged if it fits.

    At least three quarters of the room are text. The mark names `reference`, by which the original can be retrieved,
    if there is room for it.
    """
    text = encodable(text)
    if len(text) <= max_tokens * _CHARACTERS_PER_TOKEN and count(text) <= max_tokens:
        return text
    mark = next(mark for mark in _marks(text, reference) if count(mark) <= max_tokens * MARK_SHARE or mark == "…")
    room = max_tokens - count(mark)
    for _ in range(_TRIES):
        cut = _cut(text, mark, room, count)
        over = count(cut) - max_tokens
        if over <= 0:
            return cut
        # Tokens may come out differently where the parts meet.
        room -= over
    return mark


def _marks(text: str, reference: str) -> Iterator[str]:
    yield f"\n[… clipped from {len(text):,} characters; whole: ref {reference} …]\n"
    yield f"\n[… clipped; ref {reference} …]\n"
    yield " [… clipped …] "
    yield "…"


def _cut(text: str, mark: str, room_tokens: int, count: Count) -> str:
    head_tokens = room_tokens if room_tokens < 2 * LEAST_TAIL_TOKENS else int(room_tokens * HEAD_SHARE)
    tail_tokens = room_tokens - head_tokens
    head = text[: _longest(lambda size: count(text[:size]) <= head_tokens, head_tokens)]
    if not tail_tokens:
        return f"{head}{mark}".rstrip()
    size = _longest(lambda size: count(text[-size:]) <= tail_tokens, tail_tokens)
    return f"{head}{mark}{text[-size:] if size else ''}"


def _longest(fits: Callable[[int], bool], tokens: int) -> int:
    """The largest number of characters, of those tried, that fits into `tokens`."""
    low, high = 0, max(0, tokens) * _CHARACTERS_PER_TOKEN
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
