"""Dates and times in comparable forms, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from session_core.language.words import MONTHS


def dates(text: str) -> set[tuple[int, ...]]:
    """The possible readings of a date as (year, month, day), 0 for a missing part; empty for words like "Monday"."""
    figures = [int(run) for run in re.findall(r"\d+", text)]
    month = next((MONTHS[w] for w in re.findall(r"[^\W\d_]+", text.casefold()) if w in MONTHS), 0)
    if month:
        year = next((n for n in figures if n > 31), 0)
        day = next((n for n in figures if n <= 31), 0)
        return {(year, month, day)}
    if re.search("[月월]", text):
        full = figures if re.search("[年년]", text) else [0, *figures]
        return {(full[0], full[1], full[2] if len(full) > 2 else 0)}
    if len(figures) != 3:
        return set()
    first, second, third = figures
    if first > 31:
        return {d for d in ((first, second, third),) if _possible(d)}
    year = third if third > 99 else 2000 + third
    return {d for d in ((year, second, first), (year, first, second)) if _possible(d)}


def _possible(parts: tuple[int, int, int]) -> bool:
    try:
        date(*parts)
    except ValueError:
        return False
    return True


def parts(reading: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """A date, and the forms in which it may be repeated more briefly."""
    year, month, day = reading
    yield from ((year, month, day), (0, month, day), (year, month, 0), (0, month, 0))


def minutes_of(text: str) -> tuple[int, bool]:
    """Minutes after midnight, and whether the half of the day is stated."""
    figures = [int(run) for run in re.findall(r"\d+", text)] or [0]
    hour, minute = figures[0], figures[1] if len(figures) > 1 else 0
    half = re.search(r"([ap])\.?m", text.casefold())
    if half:
        hour = hour % 12 + (12 if half.group(1) == "p" else 0)
    return hour * 60 + minute, half is not None


def times(text: str) -> Iterator[tuple[int, bool]]:
    """The forms in which a time may be repeated: with am or pm if known, with 24 hours, or with neither."""
    minutes, halved = minutes_of(text)
    yield minutes, False
    if halved or minutes >= 12 * 60 or text.startswith("0"):
        yield minutes, True
    if halved and minutes >= 13 * 60:
        yield minutes - 12 * 60, False
