"""Splits an answer into prose, code and tables, each read in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Literal

Kind = Literal["prose", "code", "table"]

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_LEAST_LINES = 3
"""A table has its header, the rule under it and a row."""


def answer_parts(text: str) -> Iterator[tuple[Kind, str]]:
    """The parts of a text in Markdown, in order: code between fences (without these), tables of bars, and the rest."""
    if "```" not in text and "~~~" not in text and "\n|" not in f"\n{text}":
        yield "prose", text
        return
    for kind, lines in groupby(_lines(text), key=lambda line: line[0]):
        part = [line for _, line in lines]
        yield ("prose" if kind == "table" and len(part) < _LEAST_LINES else kind), "\n".join(part)


def _lines(text: str) -> Iterator[tuple[Kind, str]]:
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            else:
                yield "code", line
        elif mark:
            fence = mark[1]
        else:
            yield ("table" if line.lstrip().startswith("|") else "prose"), line
