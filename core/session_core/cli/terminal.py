"""Terminal output of the commands: columns, bars and a progress line, with or without rich."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

BARS = "▁▂▃▄▅▆▇█"
WIDEST = 64
"""A longer cell sticks out instead of widening its column."""
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that command a terminal or reverse the text after them; not tabs and line breaks."""
EVERY = 5
"""Without a terminal, one line of progress per this many turns."""


def visible(text: str) -> str:
    """`text` of users, tools or web pages for a terminal, which must not take orders from it."""
    return _HIDDEN.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))


def columns(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """`rows` under `headers`, aligned: the first `left` columns and the last to the left, the others to the right."""
    table = [list(headers), *map(list, rows)]
    widths = [max(min(len(row[i]), WIDEST) for row in table) for i in range(len(headers))]
    last = len(headers) - 1

    def cell(text: str, i: int) -> str:
        return text.ljust(widths[i]) if i < left or i == last else text.rjust(widths[i])

    return ["  ".join(cell(text, i) for i, text in enumerate(row)).rstrip() for row in table]


def spark(values: Sequence[float], *, top: float, width: int) -> str:
    """`values` as one line of at most `width` bars up to `top`; a bar is the largest value of its stretch."""
    if not values:
        return ""
    step = max(1, -(-len(values) // width))
    highest = [max(values[i : i + step]) for i in range(0, len(values), step)]
    last = len(BARS) - 1
    return "".join(BARS[min(last, max(0, round(value / top * last)))] if top else BARS[0] for value in highest)


def bar(value: float, *, top: float, width: int) -> str:
    """A bar as long as `value` is a share of `top`; never empty."""
    return "█" * max(1, round(width * value / top)) if top else ""


def size(count: int) -> str:
    """A number of bytes for reading."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


class Progress:
    """Tells how far a long job is: alive on a terminal with rich, else as a plain line `every` few turns, or what `one`
    of its steps is."""

    def __init__(self, what: str, total: int, *, one: str = "turn", every: int = EVERY) -> None:
        self._what, self._one, self._every = what, one, every
        self._total = total
        self._done = 0
        self._alive: Any = _alive()
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self._alive is None:
            print(f"{self._what} ...", flush=True)
        else:
            self._alive.start()
            self._task = self._alive.add_task(self._what, total=self._total, told="")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._alive is not None:
            self._alive.stop()

    def turn(self, text: str) -> None:
        """One turn is done; `text` is a line about it."""
        self._done += 1
        if self._alive is not None:
            self._alive.update(self._task, advance=1, told=text)
        elif self._done % self._every == 0 or self._done == self._total:
            print(f"  {self._one} {self._done:>4} of {self._total}   {text}".rstrip(), flush=True)


def _alive() -> Any:
    """Rich's progress display; None without rich or where nobody watches."""
    if not sys.stdout.isatty():
        return None
    try:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ModuleNotFoundError:
        return None
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}"),
    )
