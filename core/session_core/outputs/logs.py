"""Clips of logs: errors first, each with a line of context; repeated lines once, with their count."""

from __future__ import annotations

import re

from session_core.outputs.lines import Lines, Listing, without
from session_core.outputs.pieces import ends, preference
from session_core.outputs.relevance import alarm_lines, by_terms, first_of_each, template

_STAMP = re.compile(
    r"\W{0,3}(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d|\d\d?:\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d|\d{10}(?:\.\d+|\d{3})?\b)"
    r"|[^\[\n]{0,80}\[\d\d/[A-Z][a-z]{2}/\d{4}|\[ *\d+\.\d{3,}\]"
)
_STAMP_TEXT = re.compile(r"[\dT:.,/+\-]*\d\d?:\d\d(?::\d\d)?")
_LEVEL = re.compile(
    r"\b(?:(?P<bad>ERROR|ERR|FATAL|CRITICAL|SEVERE|PANIC|EMERG|ALERT)|(?P<warn>WARN(?:ING)?)"
    r"|(?P<calm>INFO|DEBUG|TRACE|NOTICE|VERBOSE))\b"
    r"|level\W{1,4}(?P<word>[a-z]+)"
)
_HTTP_STATUS = re.compile(r'" (?P<status>[1-5]\d\d) ')
_BAD, _WARN, _CALM, _UNSAID = 3, 2, 1, 0
_LEVEL_CHARACTERS = 160


def read_log(lines: Lines, terms: frozenset[str]) -> Listing | None:
    """The shape of `lines` if they are a log: most have a time stamp or a level."""
    sample = lines.sample
    if len(sample) < 3:
        return None
    stamped = sum(bool(_STAMP.match(line)) for line in sample)
    levelled = sum(bool(_LEVEL.search(line[:_LEVEL_CHARACTERS])) for line in sample)
    if max(stamped, levelled) * 10 < len(sample) * 4:
        return None
    texts, sizes, unread, keys = _collapse(lines)
    untold = {n: size - 1 for n, size in enumerate(sizes) if size > 1 and n not in unread}
    return Listing("log", texts, without(_order(texts, keys, terms), unread), sizes, untold=untold)


def severity(line: str) -> int:
    """3 for an error, 2 for a warning, 1 for a lower level, 0 for none."""
    start = line[:_LEVEL_CHARACTERS]
    status = _HTTP_STATUS.search(line[: _LEVEL_CHARACTERS * 2])
    if status and status["status"][0] in "45":
        return _BAD if status["status"][0] == "5" else _WARN
    match = _LEVEL.search(start)
    if not match:
        return _UNSAID
    word = match["word"] or ""
    if match["bad"] or word in ("error", "fatal", "critical", "panic", "err", "severe"):
        return _BAD
    return _WARN if match["warn"] or word in ("warn", "warning") else _CALM


def collapse_note(count: int, last: str) -> str:
    """The suffix of a line that stands for `count` consecutive similar lines, of which `last` is the last."""
    stamp = _STAMP_TEXT.search(last[:80])
    return f"  (×{count:,} similar, last {stamp[0]})" if stamp else f"  (×{count:,} alike)"


def _collapse(lines: Lines) -> tuple[list[str], list[int], frozenset[int], list[str]]:
    """The lines with runs of similar lines merged, and the template of each."""
    texts: list[str] = []
    sizes: list[int] = []
    keys: list[str] = []
    unread: set[int] = set()
    last = ""
    for number, line in enumerate(lines.texts):
        closed = number in lines.unread
        key = "" if closed else template(line)
        if keys and key == keys[-1] and key and not closed:
            sizes[-1] += 1
            last = line
            continue
        if sizes and sizes[-1] > 1 and len(texts) - 1 not in unread:
            texts[-1] += collapse_note(sizes[-1], last)
        if closed:
            unread.add(len(texts))
        texts.append(line)
        sizes.append(lines.sizes[number])
        keys.append(key)
    if sizes and sizes[-1] > 1 and len(texts) - 1 not in unread:
        texts[-1] += collapse_note(sizes[-1], last)
    return texts, sizes, frozenset(unread), keys


def _order(texts: list[str], keys: list[str], terms: frozenset[str]) -> list[int]:
    levels = [severity(text) for text in texts]
    told = alarm_lines(texts)
    bad = [n for n, level in enumerate(levels) if level == _BAD]
    if len(bad) == len(texts):
        bad = []
    warned = [n for n, level in enumerate(levels) if level == _WARN or (n in told and level != _BAD)]
    return (
        preference(
            (4, _with_context(_distinct_first(bad, keys), texts, levels)),
            (1, [0, len(texts) - 1]),
            (4, by_terms(texts, terms)),
            (2, _distinct_first(warned, keys)),
            (1, first_of_each(keys)),
            (1, ends(len(texts), tail_every=2)),
        )
        if texts
        else []
    )


def _distinct_first(numbers: list[int], keys: list[str]) -> list[int]:
    """Lines with a new template, then the last line, then the others."""
    return (
        preference(
            (1, [numbers[i] for i in first_of_each(keys[n] for n in numbers)]),
        )
        + preference((1, numbers[::-1]))
        if numbers
        else []
    )


def _with_context(numbers: list[int], texts: list[str], levels: list[int]) -> list[int]:
    """Each number with its context: following lines without a level, and the line before."""
    found: list[int] = []
    for number in numbers:
        found.append(number)
        behind = number + 1
        while behind < len(texts) and levels[behind] == _UNSAID and not _STAMP.match(texts[behind]):
            behind += 1
        trace = list(range(number + 1, behind))
        found += trace[-2:] + trace[:-2][:8]
        if number:
            found.append(number - 1)
    return found
