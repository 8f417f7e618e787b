"""Ranks the lines of an output: words of the question, alarms, identifying values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from math import log

ALARMS = (
    "error", "exception", "fail", "fatal", "critical", "panic", "denied", "refused", "timeout",
    "timed out", "time-out", "not found", "traceback", "abort", "unauthori", "forbidden", "overdue",
    "declined", "rejected", "cancel", "unable", "cannot", "can't", "could not", "warn", "conflict",
    "unreachable", "segfault", "core dumped", "out of memory", "expired", "unavailable", "sold out",
    "fehler", "erreur", "fallo", "erro ", "errore", "ошибка", "错误", "失败", "エラー", "失敗", "오류",
)  # fmt: skip
"""Beginnings of words that indicate a failure."""

_VARIABLE = re.compile(r"\d[\w.:\-]*")
_IDENTIFYING = re.compile(
    r"[$€£¥₹]\s?\d|\d+(?:[.,:/\-]\d+)+|\b[A-Z]{2,}[-_]?\d|\b\d{3,}|\d\s?%|[\w.]@\w|https?://|\w/\w+\.\w"
)
_HINT = re.compile(r"[\d@/$€£¥₹]")
_EXAMINED_CHARACTERS = 320


def template(line: str) -> str:
    """`line` without its numbers, so that lines that differ only in numbers are equal."""
    return _VARIABLE.sub("#", line[:_EXAMINED_CHARACTERS]) + line[_EXAMINED_CHARACTERS:]


def count_identifiers(line: str) -> int:
    """How many dates, amounts, codes, addresses and large numbers `line` has, at most 3."""
    found = 0
    if not _HINT.search(line, 0, _EXAMINED_CHARACTERS):
        return 0
    for _ in _IDENTIFYING.finditer(line, 0, _EXAMINED_CHARACTERS):
        found += 1
        if found == 3:
            break
    return found


def alarm_lines(texts: Sequence[str]) -> set[int]:
    """The texts that indicate a failure, unless so many do that it means nothing."""
    found: set[int] = set()
    words = _present(ALARMS, texts)
    if words:
        for number, text in enumerate(texts):
            lowered = text.lower()
            if any(word in lowered for word in words):
                found.add(number)
    return found if len(found) <= max(1, len(texts) // 3) else set()


def prominent_lines(lines: Sequence[str], most: int) -> list[int]:
    """The indexes of at most `most` lines, in order: those that indicate a failure, one of each form first, then
    those that resemble no other line.

    None if half of the lines resemble no other: that is prose, not a listing.
    """
    looks = [template(line) for line in lines]
    counts = Counter(looks)
    alone = [place for place, look in enumerate(looks) if look and counts[look] == 1]
    if len(alone) * 2 > len(lines):
        return []
    firsts = set(first_of_each(looks))
    alarms = sorted(alarm_lines(lines), key=lambda place: (place not in firsts, place))
    return sorted([*dict.fromkeys([*alarms, *alone])][:most])


def by_terms(texts: Sequence[str], terms: Collection[str]) -> list[int]:
    """The texts with any of `terms`, best match first; a term that most of them contain does not count."""
    if not terms:
        return []
    hits = {
        term: [n for n, text in enumerate(texts) if has_term(text.lower(), term)]
        for term in sorted(_present(terms, texts))
    }
    scores: dict[int, float] = {}
    for numbers in hits.values():
        if len(numbers) * 2 <= len(texts) or len(texts) < 4:
            for number in numbers:
                scores[number] = scores.get(number, 0.0) + log(1 + len(texts) / len(numbers))
    return sorted(scores, key=lambda number: (-scores[number], number))


def has_term(lowered: str, term: str) -> bool:
    """Whether a word of `lowered` begins with `term`; a term of under four letters must be the whole word."""
    if not term or term not in lowered:
        return False
    if not term.isascii() or not term[0].isalnum():
        return True
    at = lowered.find(term)
    while at >= 0:
        end = at + len(term)
        starts = at == 0 or not lowered[at - 1].isalnum()
        if starts and (len(term) > 3 or end == len(lowered) or not lowered[end].isalnum()):
            return True
        at = lowered.find(term, at + 1)
    return False


def first_of_each(keys: Iterable[str]) -> list[int]:
    """The first index of every distinct key, in order."""
    first: dict[str, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    return list(first.values())


def _present(words: Iterable[str], texts: Sequence[str]) -> list[str]:
    """Those of `words` that occur at all: one fast search of the whole saves many in the parts."""
    whole = "\n".join(texts).lower()
    return [word for word in words if word and word in whole]
