"""What tests of clips clip with, by a counter of tokens that needs no table, and a log to clip."""

from __future__ import annotations

from session_core.outputs.clip import Clip, clip

REFERENCE = "8c1f20ab"


def quarter(text: str) -> int:
    return (len(text) + 3) // 4


def clipped(text: str, max_tokens: int = 200, *terms: str) -> Clip:
    result = clip(text, max_tokens=max_tokens, count=quarter, reference=REFERENCE, terms=frozenset(terms))
    assert result is not None
    assert quarter(result.text) == result.tokens <= max_tokens
    return result


def log(error_at: int = 1777) -> str:
    lines = []
    for n in range(3000):
        lines.append(f"2024-05-01 12:{n // 60:02d}:{n % 60:02d},123 INFO heartbeat {n} ok")
        if n == error_at:
            lines.append("2024-05-01 12:29:37,500 ERROR no connection to db-7")
            lines += ["Traceback (most recent call last):", '  File "/app/db.py", line 10, in connect']
            lines += ["ConnectionError: db-7 refused"]
    return "\n".join(lines)
