"""Checks what a run guarantees; a failed check makes the command exit with 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from session_core.turns import Message


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise and what became of it."""

    promise: str
    kept: bool


def said_in(messages: Iterable[Message]) -> list[tuple[object, ...]]:
    """What each message says, without what a session adds to it."""
    return [(m.role, m.content, m.tool_calls, m.tool_call_id, m.media) for m in messages]


def told(promises: Sequence[Kept]) -> int:
    """Print each promise and whether it was kept; the exit code."""
    for one in promises:
        print(f"{'kept  ' if one.kept else 'BROKEN'}  {one.promise}")
    broken = sum(not one.kept for one in promises)
    if broken:
        print(f"{broken} of {len(promises)} promises were broken")
    return 1 if broken else 0
