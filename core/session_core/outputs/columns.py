"""What table columns contain, judged by names and values, and which rows stand out in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from session_core.outputs.relevance import ALARMS

Cells = Sequence[str]
"""The values of one row, one per column; empty where there is none."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_TELLING = frozenset(
    "error errors exception message msg code status state level severity reason detail warning"
    " warnings result success ok failed outcome available availability".split()
)
_NAMING = frozenset(
    "id ids uuid guid key name title label sku ref reference number no num email mail phone url uri link path file "
    "date time timestamp day start end from to at price prices amount total cost fare fee tax rate balance currency "
    "count quantity qty size type kind category version user username customer order account address city country "
    "score rating duration line symbol hash sha commit author host ip port".split()
)
_MEASURING = frozenset(
    "price prices amount total cost fare fee balance score rating duration latency count quantity qty size"
    " elapsed age distance value salary revenue".split()
)
_RARE_SHARE = 0.15
_SHORT_VALUE = 120


@lru_cache(maxsize=4096)
def name_rank(name: str) -> int:
    """The importance of a key or column name: 0 what happened, 1 which one and how much, 2 the rest."""
    words = _words(name)
    if words & _TELLING:
        return 0
    return 1 if words & _NAMING else 2


def outliers(names: Sequence[str], rows: Sequence[Cells]) -> list[int]:
    """Outliers among the rows, most unusual first: rare values, alarms, a missing value."""
    scores: dict[int, float] = {}
    for column, name in enumerate(names):
        values = [row[column] for row in rows]
        counts = Counter(values)
        rank = name_rank(name)
        weights = {**_rare(counts, len(rows), rank), **_alarms(counts, len(rows), rank)}
        if not weights:
            continue
        for number, value in enumerate(values):
            if value in weights:
                scores[number] = scores.get(number, 0.0) + weights[value]
    return sorted(scores, key=lambda number: (-scores[number], number))


def extremes(names: Sequence[str], rows: Sequence[Cells]) -> list[int]:
    """The rows with the minimum and maximum of the first three numeric columns."""
    found: list[int] = []
    for column, name in enumerate(names):
        if len(found) >= 6:
            break
        if _words(name) & _MEASURING:
            values = [(value, n) for n, row in enumerate(rows) if (value := _number(row[column])) is not None]
            if len(values) * 2 > len(rows):
                found += [min(values)[1], max(values, key=lambda pair: (pair[0], -pair[1]))[1]]
    return found


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name[:200]))


def _rare(counts: Counter[str], total: int, rank: int) -> dict[str, float]:
    if total < 4 or len(counts) < 2 or len(counts) > max(2, total // 4):
        return {}
    if counts.most_common(1)[0][1] * 2 < total:
        return {}
    most = max(1, int(total * _RARE_SHARE))
    return {value: (2.0 if rank == 0 else 1.0) - n / total for value, n in counts.items() if n <= most}


def _alarms(counts: Counter[str], total: int, rank: int) -> dict[str, float]:
    values = [value for value in counts if value and len(value) <= _SHORT_VALUE * (3 if rank == 0 else 1)]
    whole = "\n".join(values).lower()
    words = [word for word in ALARMS if word in whole]
    if not words:
        return {}
    found = [value for value in values if any(word in value.lower() for word in words)]
    if sum(counts[value] for value in found) * 3 > total:
        return {}
    return dict.fromkeys(found, 3.0 if rank == 0 else 1.5)


def _number(text: str) -> float | None:
    digits = text.strip().lstrip("$€£¥₹ ").replace(",", "")[:40]
    try:
        value = float(digits)
    except ValueError:
        return None
    return value if value - value == 0 else None
