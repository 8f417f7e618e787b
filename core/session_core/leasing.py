"""`TurnLease`: a lease with a fencing token, for callers that want turns of a session strictly one at a time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from session_core.errors import BudgetError, InputError, StoreClosed, TurnLost, TurnTaken
from session_core.ports import Lease, Leasing
from session_core.turns import Key
from session_core.voices import finish_or_undo, pause_awaiting, pause_blocking, run_blocking

FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.25
"""The delay between attempts to take a turn doubles up to this; waiting callers are not queued."""

LONGEST_S = 1e9
"""The maximum duration of a turn."""

Pause = Callable[[float], Awaitable[None]]
"""Sleeps, in the way of a voice."""


class SettledLeases:
    """A store's leases for async callers, safe under cancellation: a caller who is cancelled while it takes a lease
    does not hold it, and one who is cancelled while it releases one has released it. Otherwise the turn would stay
    taken until it expires."""

    def __init__(self, store: Leasing) -> None:
        self._store = store

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        return await finish_or_undo(self._store.take_lease(key, holder=holder, ttl_s=ttl_s), self._given_back)

    async def drop_lease(self, lease: Lease) -> None:
        await finish_or_undo(self._store.drop_lease(lease))

    async def _given_back(self, lease: Lease | None) -> None:
        if lease is not None:
            await self._store.drop_lease(lease)


async def take_turn(store: Leasing, key: Key, *, holder: str, ttl_s: float, wait_s: float, pause: Pause) -> Lease:
    """The turn of a session for `holder`, after at most `wait_s` seconds. Raises: TurnTaken."""
    until, pause_s = time.monotonic() + wait_s, FIRST_PAUSE_S
    try:
        while (lease := await store.take_lease(key, holder=holder, ttl_s=ttl_s)) is None:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TurnTaken(
                    f"session {key}: another holder has had the turn for all of {wait_s:g} s; "
                    "retry, or wait longer with wait_s="
                )
            await pause(min(pause_s, left_s))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    except KeyboardInterrupt:
        # The grant may have succeeded: asked again, the store returns the same lease.
        if (granted := await store.take_lease(key, holder=holder, ttl_s=ttl_s)) is not None:
            await store.drop_lease(granted)
        raise
    return lease


async def hold_turn(store: Leasing, lease: Lease, *, ttl_s: float) -> None:
    """Extend `lease` to `ttl_s` seconds from now. Raises: TurnLost if another holder had the turn meanwhile."""
    now = await store.take_lease(lease.key, holder=lease.holder, ttl_s=ttl_s)
    if now is None or now.token != lease.token:
        if now is not None:
            await store.drop_lease(now)
        raise TurnLost(f"session {lease.key}: another holder has the turn; load the session and start the turn again")


class TurnLease:
    """The turn of one session, held in a `with` or `async with` block; `append(..., lease=it)` is fenced by it.

    The block starts when no other holder has the turn. If it takes longer than `ttl_s` seconds, another caller may
    take the turn; from then on appends with this lease raise TurnLost and write nothing. `renew` extends it. The
    lease is cooperative: appends without one are not blocked.
    """

    def __init__(self, key: Key, store: Leasing, awaited: Leasing, *, ttl_s: float, wait_s: float) -> None:
        seconds = isinstance(ttl_s, (int, float)) and isinstance(wait_s, (int, float))
        if not (seconds and 0 < ttl_s < LONGEST_S and wait_s >= 0):
            raise BudgetError(f"session {key}: ttl_s={ttl_s!r}, wait_s={wait_s!r}; pass seconds, ttl_s over 0")
        self.key = key
        self._store, self._awaited = store, SettledLeases(awaited)
        self._ttl_s, self._wait_s = ttl_s, wait_s
        self._holder = secrets.token_hex(16)
        self._held: Lease | None = None

    @property
    def held(self) -> Lease:
        """The lease as granted by the store; its `token` can fence other systems too.

        Raises: TurnLost outside of the block.
        """
        if self._held is None:
            raise TurnLost(f"session {self.key}: the turn is not held; write inside of `with session.lease() as turn:`")
        return self._held

    @property
    def token(self) -> int:
        """The fencing token."""
        return self.held.token

    def renew(self) -> None:
        """Extend the lease to `ttl_s` seconds from now. Raises: TurnLost if another holder has the turn."""
        run_blocking(hold_turn(self._store, self.held, ttl_s=self._ttl_s))

    async def arenew(self) -> None:
        """Async form of `renew`."""
        await hold_turn(self._awaited, self.held, ttl_s=self._ttl_s)

    def __enter__(self) -> Self:
        run_blocking(self._take(self._store, pause_blocking))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        run_blocking(self._drop(self._store))

    async def __aenter__(self) -> Self:
        await self._take(self._awaited, pause_awaiting)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drop(self._awaited)

    async def _take(self, store: Leasing, pause: Pause) -> None:
        if self._held is not None:
            raise TurnTaken(f"session {self.key}: this lease is held already; take another with session.lease()")
        self._held = await take_turn(
            store, self.key, holder=self._holder, ttl_s=self._ttl_s, wait_s=self._wait_s, pause=pause
        )

    async def _drop(self, store: Leasing) -> None:
        held, self._held = self._held, None
        if held is not None:
            # The lease expires by itself if the store was closed within the block.
            with suppress(StoreClosed):
                await store.drop_lease(held)


def held_by(turn: TurnLease | None) -> Lease | None:
    """The granted lease of a turn that a caller passes, if any. Raises: InputError for anything else; TurnLost."""
    if turn is None:
        return None
    if not isinstance(turn, TurnLease):
        raise InputError(f"lease={type(turn).__name__}; pass the lease of `with session.lease() as turn:`")
    return turn.held
