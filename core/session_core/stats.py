"""Figures of one session: totals, tokens per turn, and pressure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from session_core.budget import Tier
from session_core.policy import Policy
from session_core.ports import State, Store
from session_core.services import Services
from session_core.turns import Key, Message, Role


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Nearest-rank percentiles of a list of counts; zeros for an empty one."""

    p50: int = 0
    p90: int = 0
    p99: int = 0

    @classmethod
    def of(cls, counts: Sequence[int]) -> Percentiles:
        """The percentiles of `counts`, in any order."""
        ordered = sorted(counts)
        if not ordered:
            return cls()

        def at(share: float) -> int:
            return ordered[max(0, math.ceil(len(ordered) * share) - 1)]

        return cls(at(0.5), at(0.9), at(0.99))


@dataclass(frozen=True, slots=True)
class SessionStats:
    """The figures of a session. Tokens are counted with the policy's counter; times are epoch seconds.

    `standing_tokens` is the size of the active digest and of all messages after it, uncompressed: the basis of
    pressure and tier. `lag_messages` is the number of messages after the digest while the session is over the
    summarize threshold and no newer digest is ready; 0 if folding keeps up.
    """

    key: Key
    version: int
    messages: int
    turns: int
    tokens: int
    turn_tokens: Percentiles
    standing_tokens: int
    limit_tokens: int
    pressure: float
    tier: Tier
    digests: int
    folded_messages: int
    lag_messages: int
    authors: tuple[str, ...]
    first_time_s: float | None
    last_time_s: float | None


async def stats_of(store: Store, key: Key, services: Services) -> SessionStats:
    """The figures of `key`; zeros for an unknown session."""
    state = await store.state(key) or State(key)
    messages = await store.record(key, state.head)
    work = partial(describe, state, messages, services.policy)
    return await services.offload(work, tokens=state.ledger.tokens)


def standing_tokens(state: State) -> int | None:
    """The size of the active digest and of all messages after it, uncompressed. None if the conversation is only a part
    of the record (edits, forks, resets), for which the ledger counts too much."""
    if len(state.head) != state.ledger.messages:
        return None
    return state.active.tokens + state.ledger.tokens - state.active.covered_tokens


def describe(state: State, messages: Sequence[Message], policy: Policy) -> SessionStats:
    """The figures of a session from its state and its messages."""
    budget, ledger = policy.budget, state.ledger
    tokens = sum(message.tokens for message in messages)
    standing = state.active.tokens + tokens - state.active.covered_tokens
    tier = budget.tier(standing)
    waits = tier >= Tier.SUMMARIZE and state.ready == state.active
    behind = len(messages) - state.active.covered_messages if waits else 0
    return SessionStats(
        key=state.key,
        version=state.version,
        messages=len(messages),
        turns=sum(message.role is Role.USER for message in messages),
        tokens=tokens,
        turn_tokens=Percentiles.of(turn_tokens(messages)),
        standing_tokens=standing,
        limit_tokens=budget.limit_tokens,
        pressure=budget.pressure(standing),
        tier=tier,
        digests=state.ready.number,
        folded_messages=state.active.covered_messages,
        lag_messages=behind,
        authors=ledger.authors,
        first_time_s=ledger.first_time_s,
        last_time_s=ledger.last_time_s,
    )


def turn_tokens(messages: Sequence[Message]) -> list[int]:
    """Tokens of each turn, in order; messages before the first user message count as one turn."""
    turns: list[int] = []
    for message in messages:
        if message.role is Role.USER or not turns:
            turns.append(0)
        turns[-1] += message.tokens
    return turns
