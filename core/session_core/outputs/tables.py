"""Parses text tables (CSV, TSV, Markdown, psql, space-aligned columns) into rows and columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from statistics import median_low

from session_core.outputs.grid import Grid
from session_core.outputs.lines import Lines

_DELIMITERS = ",\t;|"
_RULE = re.compile(r"[\s|+:=\-─│┼╪═]+")
_LEAST_LINES = 4
_SAMPLE = 100
_WIDE_HEADER_CHARACTERS = 48


def read_table(lines: Lines, terms: frozenset[str]) -> Grid | None:
    """The rows and columns of `lines`, or None if they are not a table."""
    if len(lines.sample) < _LEAST_LINES:
        return None
    return _read_piped(lines, terms) or _read_delimited(lines, terms) or _read_spaced(lines, terms)


def read_cells(lines: Lines) -> Grid | None:
    """As `read_table`, but only for tables with explicit separators."""
    if len(lines.sample) < _LEAST_LINES:
        return None
    return _read_piped(lines, frozenset()) or _read_delimited(lines, frozenset())


def _read_piped(lines: Lines, terms: frozenset[str]) -> Grid | None:
    """Markdown, psql and boxed tables: bars between cells, a rule under the header."""
    texts = lines.texts
    rules = (n for n, line in enumerate(texts[:60]) if n and _is_rule(line) and _bars(texts[n - 1]))
    rule = next(rules, None)
    if rule is None:
        return None
    bars = _bars(texts[rule - 1])
    last = rule
    while last + 1 < len(texts) and (_bars(texts[last + 1]) == bars or _is_rule(texts[last + 1])
                                     or last + 1 in lines.unread):  # fmt: skip
        last += 1
    body = [n for n in range(rule + 1, last + 1) if not _is_rule(texts[n])]
    if len(body) < 2 or (last - rule + 2) * 10 < len(texts) * 6:
        return None
    names = _bar_cells(texts[rule - 1])
    rows = [_bar_cells(texts[n]) for n in body]
    around = ("\n".join(t for t in texts[: rule - 1] if not _is_rule(t)), "\n".join(texts[last + 1 :]))
    return _grid(names, rows, lines, body, terms, around)


def _read_delimited(lines: Lines, terms: frozenset[str]) -> Grid | None:
    """CSV and similar: the same number of delimiters in nearly every record."""
    first = next((n for n, line in enumerate(lines.texts) if line.strip()), 0)
    for delimiter in _DELIMITERS:
        if delimiter not in lines.texts[first] or not _agree(lines.texts[first : first + _SAMPLE], delimiter):
            continue
        records = _records(lines, first, delimiter)
        if records is None:
            continue
        names = records[0][1]
        if len(names) < 2 or any(len(name) > 60 for name in names):
            continue
        wanted = [r for r in records[1:] if len(r[1]) == len(names) or r[0] in lines.unread]
        if len(wanted) * 10 < (len(records) - 1) * 9 or len(wanted) < 3:
            continue
        if _is_prose([row for _, row in wanted[:_SAMPLE]], delimiter):
            continue
        if not _looks_like_header(names, [row for _, row in wanted[:_SAMPLE]]):
            names = [f"column {number + 1}" for number in range(len(names))]
            records.insert(0, (first, []))
        body = [number for number, _ in records[1:]]
        return _grid(names, [row for _, row in records[1:]], lines, body, terms, ("", ""))
    return None


def _records(lines: Lines, first: int, delimiter: str) -> list[tuple[int, list[str]]] | None:
    """The records with the number of the line each ends on; a record may run over several lines."""
    reader = csv.reader((line + "\n" for line in lines.texts[first:]), delimiter=delimiter)
    records: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            number = first + reader.line_num - 1
            if row or number in lines.unread:
                records.append((number, row))
    except csv.Error:
        return None
    return records or None


def _read_spaced(lines: Lines, terms: frozenset[str]) -> Grid | None:
    """Columns aligned with spaces under a header, as `ps`, `docker` and `kubectl` print them."""
    texts = lines.texts
    first = next((n for n, line in enumerate(texts) if line.strip()), 0)
    sample = [line for line in texts[first : first + _SAMPLE] if line.strip() and not _is_rule(line)]
    if len(sample) < _LEAST_LINES or sum(line[0] != " " for line in sample) * 10 < len(sample) * 9:
        return None
    if "  " not in texts[first].strip() and texts[first] != texts[first].upper():
        return None
    starts = _column_starts(sample)
    names = _slice(texts[first], starts)
    if len(names) < 2 or not all(0 < len(name) <= _WIDE_HEADER_CHARACTERS for name in names):
        return None
    blank = sum(not cell for line in sample[1:] for cell in _slice(line, starts))
    if blank * 2 > (len(sample) - 1) * len(names):
        return None
    filled = (n for n in range(first + 1, len(texts)) if texts[n].strip() or n in lines.unread)
    body = [n for n in filled if not _is_rule(texts[n]) or n in lines.unread]
    return _grid(names, [_slice(texts[n], starts) for n in body], lines, body, terms, ("", ""))


def _column_starts(sample: Sequence[str]) -> list[int]:
    """Where columns begin: after a position that is blank in every line, where the header has a word."""
    header = sample[0]
    width = min(len(header), 2000)
    filled = [False] * (width + 1)
    for line in sample:
        for place, character in enumerate(line[:width]):
            if character != " ":
                filled[place] = True
    starts = [0]
    for place in range(1, width):
        if filled[place] and not filled[place - 1]:
            starts.append(place)
    # Without a word in the header, the column to the left continues.
    limits = [*starts[1:], None]
    return [start for start, end in zip(starts, limits, strict=True) if header[start:end].strip()]


def _slice(line: str, starts: Sequence[int]) -> list[str]:
    limits = [*starts[1:], len(line)]
    return [line[start:end].strip() for start, end in zip(starts, limits, strict=True)]


def _grid(
    names: Sequence[str], rows: Sequence[Sequence[str]], lines: Lines, body: Sequence[int],
    terms: frozenset[str], around: tuple[str, str],
) -> Grid:  # fmt: skip
    width = len(names)
    full = [[*row[:width], *[""] * (width - len(row))] for row in rows]
    for cells, row in zip(full, rows, strict=True):
        if len(row) > width:
            cells[-1] = " ".join(row[width - 1 :])
    unread = frozenset(place for place, number in enumerate(body) if number in lines.unread)
    sizes = [lines.sizes[number] if place in unread else 1 for place, number in enumerate(body)]
    return Grid(names, full, "table", terms, sizes=sizes, unread=unread, around=around)


def _agree(sample: Sequence[str], delimiter: str) -> bool:
    """Whether nearly every sampled line has the most common number of delimiters, quoted text aside."""
    counts = [re.sub(r'"[^"]*"', "", line).count(delimiter) for line in sample if line.strip()]
    common, times = Counter(counts).most_common(1)[0]
    open_quotes = any(line.count('"') % 2 for line in sample)
    return len(counts) >= _LEAST_LINES and common > 0 and (times * 10 >= len(counts) * 9 or open_quotes)


def _is_prose(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Whether the lines are sentences with equally many commas: cells of several words after one blank."""
    if delimiter != ",":
        return False
    cells = [cell for row in rows for cell in row[1:] if cell]
    spoken = sum(cell[0] == " " and cell.count(" ") > 2 for cell in cells)
    return spoken * 2 > len(cells) or median_low([len(row) for row in rows]) < 2


def _looks_like_header(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the cells are distinct words, unlike the rows below."""
    if len(set(names)) < len(names) or not all(name.strip() for name in names[1:]):
        return False
    if any(_numeric(name) for name in names):
        return False
    return not names[0][:1].isdigit() or not all(row[0][:1].isdigit() for row in rows[:3] if row)


def _numeric(text: str) -> bool:
    return bool(re.fullmatch(r"\s*[-+]?\d[\d.,]*\s*", text))


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line)) and any(stroke in line for stroke in ("--", "==", "──", "══"))


def _bars(line: str) -> int:
    return line.count("|") + line.count("│")


def _bar_cells(line: str) -> list[str]:
    inner = line.replace("│", "|").strip()
    inner = inner[1:] if inner.startswith("|") else inner
    inner = inner[:-1] if inner.endswith("|") else inner
    return [cell.strip() for cell in inner.split("|")]
