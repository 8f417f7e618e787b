"""Contenders timed side by side: turn by turn, so that what the machine does meanwhile meets all alike."""

from __future__ import annotations

import gc
import os
import platform
import random
import statistics
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

Times = Mapping[str, list[float]]
"""Seconds of a call, one figure for each turn, by contender."""
WARM_UP_TURNS = 2


@dataclass(frozen=True, slots=True)
class Contender:
    """What is timed. `call` is told the number of the turn; with `in_a_row` calls in a turn, their mean counts."""

    name: str
    call: Callable[[int], object]
    in_a_row: int = 1


def interleaved(contenders: Sequence[Contender], turns: int, *, collect: bool) -> Times:
    """The times of `turns` turns of each contender; in each round all of them have one turn, in random order.

    What was there before is kept out of the garbage collector's way; with `collect` it also runs before each
    turn, so that nobody pays for another's garbage. Numbers of turns that warm up are negative.
    """
    order = list(contenders)
    rnd = random.Random(turns)
    taken: dict[str, list[float]] = {one.name: [] for one in order}
    gc.collect()
    gc.freeze()
    try:
        for number in range(-WARM_UP_TURNS, turns):
            rnd.shuffle(order)
            for one in order:
                seconds = _turn(one, number, collect)
                if number >= 0:
                    taken[one.name].append(seconds)
    finally:
        gc.unfreeze()
    return taken


def _turn(one: Contender, number: int, collect: bool) -> float:
    if collect:
        gc.collect()
    began = time.perf_counter()
    for _ in range(one.in_a_row):
        one.call(number)
    return (time.perf_counter() - began) / one.in_a_row


def median_ms(seconds: Sequence[float]) -> float:
    """The median in milliseconds."""
    return statistics.median(seconds) * 1e3


def percentile_ms(seconds: Sequence[float], percent: float) -> float:
    """The time in milliseconds that `percent` of 100 stay under."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1e3


def machine(*packages: str) -> str:
    """Python, the machine, and the releases of `packages`, in one line."""
    releases = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; {releases}"


def say(*parts: str) -> None:
    """Print a paragraph, an empty line before it."""
    print("\n" + textwrap.fill(" ".join(parts), 116))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their heads, the first column to the left, the others to the right."""
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    for first, *rest in cells:
        aligned = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        print("  " + "  ".join([first.ljust(widths[0]), *aligned]).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
