"""The state of a session as packed by the scripts; fixed.lua and state.lua name its fields."""

from __future__ import annotations

import struct
from functools import partial
from math import isinf
from typing import Any

import ormsgpack

from session_core.errors import NewerSchema, StoreUnreadable
from session_core.ledger import Ledger
from session_core.ports import Standing, State
from session_core.ranges import Ranges
from session_core.serial.cache import BoundedCache
from session_core.serial.exact import damage
from session_core.stores.redis.names import as_bytes, from_plain
from session_core.turns import Key

FORMAT = 1
"""The version of a state; a greater one is from a newer release."""
MEND = "it is damaged: restore the server from a backup"
_FIGURES = struct.Struct(">BBIIIQQIQQdd")
_TTL, _TOUCHED = slice(34, 42), 9
"""The bytes of that figure, and the index of this one."""
_LASTING = bytes(8)
_states: BoundedCache[State] = BoundedCache(200_000)
_rests: BoundedCache[tuple[Any, ...]] = BoundedCache(1_000_000, each=400)


def state_from(packed: bytes, key: Key) -> State:
    """The state packed by a script. Raises: StoreUnreadable, NewerSchema."""
    # A name holds no NUL.
    named = as_bytes(f"{key.tenant}\0{key.session_id}\0{key.namespace}\0")
    return _states.get(named + packed, partial(state_sent, packed, key), size=len(named) + len(packed))


def touched_ms(packed: bytes) -> float:
    """When a state was written, in milliseconds of the server's clock."""
    return float(_FIGURES.unpack_from(packed)[_TOUCHED])


def may_expire(packed: bytes) -> bool:
    """Whether keys of the session may have an expiry, according to its state (or if there is none)."""
    return packed[_TTL] > _LASTING


def state_sent(packed: bytes, key: Key) -> State:
    """As `state_from`, for a state that is read once: after a write no state is equal to another."""
    try:
        if packed[0] != FORMAT:
            raise newer(f"session {key}", packed[0], FORMAT)
        _, settled, version, messages, turns, tokens, view, largest, _, _, first, last = _FIGURES.unpack_from(packed)
        rest = packed[_FIGURES.size :]
        born, head, open_calls, authors, active, ready, tier, resumed, away = _rests.get(
            rest, partial(_read_rest, rest), size=len(rest)
        )
    except (ValueError, TypeError, IndexError, struct.error) as exc:
        raise StoreUnreadable(f"session {key} cannot be read ({damage(exc)}); {MEND}") from None
    if head and not head[-1][1]:
        head = (*head[:-1], (head[-1][0], messages))
    return State(
        key,
        version,
        Ranges(head),
        Ledger(
            messages,
            turns,
            tokens,
            view,
            largest,
            open_calls,
            authors,
            None if isinf(first) else first,
            None if isinf(last) else last,
        ),
        active,
        ready,
        tier,
        resumed,
        away,
        born,
        settled >= 2,
    )


def _read_rest(packed: bytes) -> tuple[Any, ...]:
    """The fields that an append does not change, and that are equal in many states of a session."""
    born, head, open_calls, authors, active, ready, tier, resumed, away, *_ = ormsgpack.unpackb(packed)
    return (
        born,
        tuple(zip(head[::2], head[1::2], strict=True)),
        tuple(map(from_plain, open_calls)),
        tuple(map(from_plain, authors)),
        Standing(*active),
        Standing(*ready),
        tier,
        resumed,
        float(away),
    )


def newer(what: str, found: int, known: int) -> NewerSchema:
    """The error for `what`, which has format `found`."""
    return NewerSchema(
        f"{what} has format {found}, this release knows {known}; upgrade with: pip install -U llm-sessions"
    )
