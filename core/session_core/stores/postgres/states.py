"""Converts session rows to states: from JSON, and from the binary form that an append returns."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from session_core.errors import StoreUnreadable
from session_core.ledger import Ledger
from session_core.ports import Standing, State
from session_core.ranges import Ranges
from session_core.serial.cache import BoundedCache
from session_core.serial.exact import damage
from session_core.stores.postgres.rows import ranges, text_out
from session_core.turns import Key

_NAMED = (
    *("version", "tokens", "view_tokens", "first_time_s", "last_time_s", "absent_s", "messages", "turns"),
    *(
        "largest_tokens",
        "tier",
        "resumed_after_seq",
        "born",
        "head",
        "active",
        "ready",
        "open_calls",
        "authors",
        "sealed",
    ),
)
_states: BoundedCache[State] = BoundedCache(1_000_000, each=400)

Rest = tuple[str, Standing, Standing, tuple[str, ...], tuple[str, ...], bool]

_FIGURES = struct.Struct(">4x 8xq8xq8xq 4xid4xid 8xd 16x12x 8xi8xi8xi8xi8xi 12x 4xi")
"""The columns before `head`, and its length. Each follows its type and its length, 4 bytes each."""
_TIMES_AT = (60, 76)
_NULL = b"\xff" * 4
_ARRAY = struct.Struct(">12xi4x")
_HEAD_OF_ONE_PIECE = struct.Struct(">20x4xi4xi")
_rests: BoundedCache[Rest] = BoundedCache(1_000_000, each=400)


def state_read(row: str) -> State:
    """The state in a row of `sessions`, given as JSON text; usually the same object for the same text."""
    return _states.get(row, lambda: state_from(json.loads(row)), size=len(row))


def state_from(row: Mapping[str, Any]) -> State:
    """The state in a row of `sessions`, as JSON."""
    key = Key(text_out(row["session_id"]), text_out(row["tenant"]), text_out(row["namespace"]))
    version, tokens, view_tokens, first_time_s, last_time_s, absent_s, messages, turns, *rest = [
        row[name] for name in _NAMED
    ]
    largest_tokens, tier, resumed_after_seq, born, head, active, ready, open_calls, authors, sealed = rest
    ledger = Ledger(
        messages,
        turns,
        tokens,
        view_tokens,
        largest_tokens,
        _texts(open_calls),
        _texts(authors),
        _float(first_time_s),
        _float(last_time_s),
    )
    stood, newest = Standing(*active), Standing(*ready)
    return State(
        key, version, ranges(head), ledger, stood, newest, tier, resumed_after_seq, float(absent_s), born, sealed
    )


def state_sent(key: Key, row: bytes) -> State:
    """The state in a row of `sessions` in the format of `record_send`. Raises: StoreUnreadable."""
    try:
        for at in _TIMES_AT:
            if row[at - 4 : at] == _NULL:
                row = row[:at] + bytes(8) + row[at:]
        version, tokens, view_tokens, timed, first_time_s, timed_last, last_time_s, absent_s, *counts = (
            _FIGURES.unpack_from(row)
        )
        messages, turns, largest_tokens, tier, resumed_after_seq, head_bytes = counts
        behind = _FIGURES.size + head_bytes
        head, rest = row[_FIGURES.size : behind], row[behind:]
        born, active, ready, open_calls, authors, sealed = _rests.get(rest, partial(_rest, rest), size=len(rest))
        pairs = (
            (_HEAD_OF_ONE_PIECE.unpack(head),) if head_bytes == _HEAD_OF_ONE_PIECE.size else _pairs(_numbers(head, "i"))
        )
    except (ValueError, TypeError, IndexError, struct.error) as exc:
        raise StoreUnreadable(
            f"session {key} was returned in another form ({damage(exc)}); the schema is not as this release made it: "
            "restore it from a backup"
        ) from None
    ledger = Ledger(
        messages,
        turns,
        tokens,
        view_tokens,
        largest_tokens,
        open_calls,
        authors,
        first_time_s if timed > 0 else None,
        last_time_s if timed_last > 0 else None,
    )
    return State(key, version, Ranges(pairs), ledger, active, ready, tier, resumed_after_seq, absent_s, born, sealed)


def _rest(columns: bytes) -> Rest:
    """The columns after `head`, which an append usually leaves unchanged."""
    _, _, _, born, active, ready, open_calls, authors, sealed, *_ = _columns(columns)
    return (
        str(UUID(bytes=born)),
        Standing(*_numbers(active, "q")),
        Standing(*_numbers(ready, "q")),
        _texts(map(bytes.decode, _columns(open_calls, array=True))),
        _texts(map(bytes.decode, _columns(authors, array=True))),
        sealed != b"\0",
    )


def _columns(data: bytes, *, array: bool = False) -> Iterator[bytes]:
    """The columns of a row, or the items of an array, which have no type before their length."""
    at, before = (_ARRAY.size, 4) if array else (0, 8)
    while at < len(data):
        begin = at + before
        at = begin + int.from_bytes(data[begin - 4 : begin], "big")
        yield data[begin:at]


def _numbers(array: bytes, kind: str) -> list[int]:
    """The items of an array of integers of a kind; an empty one has no dimension."""
    return [number for (number,) in struct.iter_unpack(f">4x{kind}", array[_ARRAY.size :])]


def _pairs(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _texts(texts: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(map(text_out, texts))


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)
