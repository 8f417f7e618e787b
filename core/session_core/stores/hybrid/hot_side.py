"""The cache as the hybrid store uses it: any call may fail, and then the cache is skipped for a while."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from session_core.errors import StoreClosed, StoreError
from session_core.stores.cache import Cache, Entry, Look
from session_core.stores.circuit_breaker import CircuitBreaker

T = TypeVar("T")
Unhidden = dict[str, set[str]]
"""Places that must not be read from the hot side, with the writes that it may consider in progress there."""

FAILURES = (StoreError, OSError, TimeoutError)
"""Errors of a cache after which the hot side counts as unavailable."""
REPAIRED_AT_ONCE = 50
"""Maximum entries that one call repairs after the hot side became available again."""


@dataclass(slots=True)
class Health:
    """Why a side is unavailable, as far as known, and how often the cache was outdated; shared by both voices."""

    on_change: Callable[[str | None], None] | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    drifts: int = 0

    @property
    def degraded(self) -> str | None:
        """Which side is unavailable, and why, in one line; None if both are available."""
        return "; ".join(f"{side}: {why}" for side, why in sorted(dict(self.reasons).items())) or None

    def bad(self, side: str, exc: BaseException) -> None:
        """`side` failed with `exc`; reported once, until the reason changes."""
        text = exc.message_without_session if isinstance(exc, StoreError) else exc
        why = f"{type(exc).__name__}: {text}"
        if self.reasons.get(side) != why:
            self.reasons[side] = why
            self._tell()

    def good(self, side: str) -> None:
        """`side` answered."""
        if self.reasons.pop(side, None) is not None:
            self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change(self.degraded)


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """One write from the hot side's point of view: its place, its name, and the head that it hid, if that was valid.

    A write that the hot side does not know of has no name.
    """

    place: str
    name: str = ""
    head: bytes | None = None


class HotSide:
    """A cache that never raises: a failure is a miss. Places whose entries it could not hide in time are not used
    until they are repaired."""

    def __init__(self, cache: Cache, breaker: CircuitBreaker, health: Health, unhidden: Unhidden | None = None) -> None:
        self.cache = cache
        self.unhidden: Unhidden = {} if unhidden is None else unhidden
        self._breaker, self._health = breaker, health

    def awaiting(self) -> HotSide:
        """The same side for callers on an event loop."""
        return HotSide(self.cache.awaiting(), self._breaker, self._health, self.unhidden)

    async def look(self, place: str, *, hidden: bool = False) -> Look | None:
        """The entry at `place`; None if the hot side is unavailable."""
        if self.unhidden:
            await self._repair(place)
            if place in self.unhidden:
                return None
        return await self._try(lambda: self.cache.look(place, hidden=hidden))

    async def begin(self, place: str) -> PendingWrite:
        """Announce a write to `place`."""
        pending = PendingWrite(place, secrets.token_hex(8))
        if self.unhidden:
            await self._repair(place)
        begun = await self._try(lambda: _boxed(self.cache.begin(place, pending.name)), pending)
        if begun is None:
            return PendingWrite(place)
        if place in self.unhidden:
            self._mark_unhidden(pending)
            return PendingWrite(place)
        return PendingWrite(place, pending.name, begun[0])

    async def extend(self, pending: PendingWrite, head: bytes, more: Sequence[bytes]) -> None:
        """The write succeeded and added this."""
        await self._try(lambda: self.cache.extend(pending.place, pending.name, head, more), pending)

    async def end(self, pending: PendingWrite, *, discard: bool) -> bool:
        """The write succeeded (`discard`: the entry is outdated), or nothing was written. Returns whether it is
        certain that no other write began since."""
        if pending.name:
            ending = partial(self.cache.end, pending.place, pending.name, discard=discard)
            return bool(await self._try(ending, pending if discard else None))
        if discard:
            # Another caller may have repaired the place during the write.
            self._mark_unhidden(pending)
            await self._repair(pending.place)
        return False

    async def fill(self, place: str, mark: str, entry: Entry) -> None:
        """Keep `entry`, unless a write began since `mark`."""
        await self._try(lambda: self.cache.fill(place, mark, entry))

    async def _repair(self, first: str) -> None:
        """Remove outdated entries at places that were written while the hot side was unavailable."""
        others = [place for place in list(self.unhidden)[:REPAIRED_AT_ONCE] if place != first]
        for place in [first, *others] if first in self.unhidden else others:
            if await self._try(partial(self._drop, place)) is None:
                return
            self.unhidden.pop(place, None)

    async def _drop(self, place: str) -> bool:
        for write in list(self.unhidden.get(place, ())) or [""]:
            await self.cache.end(place, write, discard=True)
        return True

    def _mark_unhidden(self, pending: PendingWrite) -> None:
        self.unhidden.setdefault(pending.place, set()).update([pending.name] if pending.name else [])

    async def _try(self, work: Callable[[], Awaitable[T]], pending: PendingWrite | None = None) -> T | None:
        """The cache's answer, or None. If it may or may not have received `pending`, the place is not used until it is
        repaired."""
        if not self._breaker.lets_through():
            if pending is not None:
                self._mark_unhidden(PendingWrite(pending.place))
            return None
        try:
            found = await work()
        except StoreClosed:
            # Closed with the store during this call: no failure to report.
            return None
        except FAILURES as exc:
            if pending is not None:
                self._mark_unhidden(pending)
            self._breaker.failed()
            self._health.bad("hot", exc)
            return None
        self._breaker.worked()
        self._health.good("hot")
        return found


async def _boxed(work: Awaitable[T]) -> tuple[T]:
    """The answer in a tuple, to distinguish an answer of None from no answer."""
    return (await work,)
