"""A session's state as plain data, for stores that keep it as one value."""

from __future__ import annotations

from typing import Any, cast

from session_core.errors import StoreUnreadable
from session_core.ports import Standing, State
from session_core.ranges import Ranges
from session_core.serial.codec import ledger_from_plain, ledger_to_plain
from session_core.turns import Key


def state_to_plain(state: State) -> dict[str, Any]:
    """The state without key and version, which stores keep beside it."""
    return {
        "head": [list(pair) for pair in state.head.pairs],
        "ledger": ledger_to_plain(state.ledger),
        "active": _figures(state.active),
        "ready": _figures(state.ready),
        "tier": state.tier,
        "resumed_after_seq": state.resumed_after_seq,
        "absent_s": state.absent_s,
        "born": state.born,
        "sealed": state.sealed,
    }


def state_from_plain(plain: object, *, key: Key, version: int) -> State:
    """The inverse of `state_to_plain`. Raises: StoreUnreadable."""
    found = cast(dict[str, Any], plain)
    try:
        return State(
            key,
            version=version,
            head=Ranges.from_pairs(found["head"]),
            ledger=ledger_from_plain(found["ledger"]),
            active=Standing(*found["active"]),
            ready=Standing(*found["ready"]),
            tier=int(found["tier"]),
            resumed_after_seq=int(found["resumed_after_seq"]),
            absent_s=float(found["absent_s"]),
            born=str(found["born"]),
            sealed=bool(found["sealed"]),
        )
    except (ValueError, TypeError, KeyError, IndexError) as exc:
        raise StoreUnreadable(
            f"the state of session {key} cannot be read ({type(exc).__name__}); it is damaged: restore it from a backup"
        ) from None


def _figures(standing: Standing) -> list[int]:
    return [standing.number, standing.tokens, standing.covered_tokens, standing.covered_messages]
