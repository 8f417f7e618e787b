"""Estimates tokens from the characters of a text, for machines without a token table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class _Rate:
    """The cost of a run of similar characters: `run` once, then `character` for each beyond `free`."""

    pattern: str
    run: float
    character: float
    free: int = 0


_RATES = (
    _Rate("[A-Z]?[a-z]+", 0.93, 0.43, free=6),
    _Rate("[A-Z]+", 1.0, 0.15, free=1),
    _Rate("[0-9]+", 1.0, 0.42, free=2),
    _Rate("[ \t]+(?=[0-9])", 0.9, 0.0),
    _Rate("[ \t]{2,}", 0.5, 0.0),
    _Rate("[ \t]", 0.0, 0.0),
    _Rate("[\r\n\v\f][\\s]*", 1.2, 0.0),
    _Rate("[!-/:-@\\[-`{-~]+", 0.8, 0.15, free=1),
    _Rate("[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff]+", 0.0, 0.9),
    _Rate("[\u3040-\u30ff]+", 0.0, 0.76),
    _Rate("[\uac00-\ud7af\u1100-\u11ff]+", 0.0, 0.8),
    _Rate("[\u00c0-\u024f]+", 0.0, 0.62),
    _Rate("[\u1e00-\u1eff]+", 0.0, 0.4),
    _Rate("[\u0370-\u03ff]+", 0.0, 0.52),
    _Rate("[\u0400-\u052f]+", 0.2, 0.31),
    _Rate("[\u0590-\u08ff]+", 0.1, 0.4),
    _Rate("[\u0900-\u0dff]+", 0.1, 0.41),
    _Rate("[\u0e00-\u10ff]+", 0.0, 0.4),
    _Rate("[\u2000-\u206f\u3000-\u303f\uff00-\uffef]", 1.0, 0.0),
    _Rate("[^\\x00-\\uffff]", 1.7, 0.0),
    _Rate("[\\s\\S]", 1.3, 0.0),
)

_RUN = re.compile("|".join(f"({rate.pattern})" for rate in _RATES))


def estimate(text: str) -> int:
    """Tokens of `text` as `o200k_base` would count them, rather too many than too few.

    Measured over prose, code, JSON and tables in 20 languages: 6 % over on average; single texts
    between 20 % under (Polish, Finnish) and 50 % over (Vietnamese).
    """
    total = 0.0
    for match in _RUN.finditer(text):
        rate = _RATES[(match.lastindex or 1) - 1]
        total += rate.run + rate.character * max(0, match.end() - match.start() - rate.free)
    return ceil(total)
