"""Checks what a run guarantees; a failed check makes the command exit with 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise and what became of it."""

    promise: str
    kept: bool


def told(promises: Sequence[Kept]) -> int:
    """Print each promise and whether it was kept; the exit code."""
    for one in promises:
        print(f"{'kept  ' if one.kept else 'BROKEN'}  {one.promise}")
    broken = sum(not one.kept for one in promises)
    if broken:
        print(f"{broken} of {len(promises)} promises were broken")
    return 1 if broken else 0
