"""The cache as the hybrid store uses it: any call may fail, and then the cache is skipped for a while."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from session_core.errors import StoreClosed, StoreError
from session_core.forks import FreedLock
from session_core.stores.cache import Cache, Entry, Look

T = TypeVar("T")
Unhidden = dict[str, set[str]]
"""Places that the hot side must not be asked about, with the writes that it may believe to be going on there."""

FAILURES = (StoreError, OSError, TimeoutError)
"""What a cache may raise; after it the hot side counts as down."""
REPAIRED_AT_ONCE = 50
"""How many entries a call repairs at most, once the hot side is back."""


class Breaker:
    """Lets calls through until one fails; then one call in `retry_after_s` seconds, until one works.

    So a dead server costs one timeout in that time, whatever the load. It is written out here since
    the libraries for it wait, count and lock in one voice only; retries within a call are the
    driver's.
    """

    def __init__(self, retry_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._retry_after_s, self._clock = retry_after_s, clock
        self._closed_until_s: float | None = None
        self._lock = FreedLock()

    def lets_through(self) -> bool:
        """Whether to try now; a yes while it is open is given to one caller only."""
        with self._lock:
            if self._closed_until_s is None:
                return True
            if self._clock() < self._closed_until_s:
                return False
            self._closed_until_s = self._clock() + self._retry_after_s
            return True

    def worked(self) -> None:
        with self._lock:
            self._closed_until_s = None

    def failed(self) -> None:
        with self._lock:
            self._closed_until_s = self._clock() + self._retry_after_s


@dataclass(slots=True)
class Health:
    """Why either side is unavailable, as far as is known, and how often the cache was outdated; shared by both
    voices.
    """

    on_change: Callable[[str | None], None] | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    drifts: int = 0

    @property
    def degraded(self) -> str | None:
        """What is wrong, in a line; None when both sides are well."""
        return "; ".join(f"{side}: {why}" for side, why in sorted(dict(self.reasons).items())) or None

    def bad(self, side: str, exc: BaseException) -> None:
        """`side` failed with `exc`; told once, until the reason is another."""
        said = exc.unnamed if isinstance(exc, StoreError) else exc
        why = f"{type(exc).__name__}: {said}"
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
class Turn:
    """One write as the hot side knows it: its place, its name, and the head that it hid if that counted.

    A write that the hot side was not told of has no name.
    """

    place: str
    write: str = ""
    head: bytes | None = None


class HotSide:
    """A cache that never raises: a failure is a miss. Places whose entries it could not hide in time are
    passed by until they are repaired."""

    def __init__(self, cache: Cache, breaker: Breaker, health: Health, unhidden: Unhidden | None = None) -> None:
        self.cache = cache
        self.unhidden: Unhidden = {} if unhidden is None else unhidden
        self._breaker, self._health = breaker, health

    def awaiting(self) -> HotSide:
        """The same side for callers on an event loop."""
        return HotSide(self.cache.awaiting(), self._breaker, self._health, self.unhidden)

    async def look(self, place: str, *, hidden: bool = False) -> Look | None:
        """What stands at `place`; None when the hot side cannot tell."""
        if self.unhidden:
            await self._repair(place)
            if place in self.unhidden:
                return None
        return await self._try(lambda: self.cache.look(place, hidden=hidden))

    async def begin(self, place: str) -> Turn:
        """A write to `place` is going to happen."""
        turn = Turn(place, secrets.token_hex(8))
        if self.unhidden:
            await self._repair(place)
        begun = await self._try(lambda: _told(self.cache.begin(place, turn.write)), turn)
        if begun is None:
            return Turn(place)
        if place in self.unhidden:
            self._pass_by(turn)
            return Turn(place)
        return Turn(place, turn.write, begun[0])

    async def extend(self, turn: Turn, head: bytes, more: Sequence[bytes]) -> None:
        """The write happened, and this is what it added."""
        await self._try(lambda: self.cache.extend(turn.place, turn.write, head, more), turn)

    async def end(self, turn: Turn, *, discard: bool) -> bool:
        """The write happened (`discard`: what stood there is out of date), or nothing was written.

        Whether it is known that nobody else began to write since this write did.
        """
        if turn.write:
            ending = partial(self.cache.end, turn.place, turn.write, discard=discard)
            return bool(await self._try(ending, turn if discard else None))
        if discard:
            # Another caller may have repaired the place while the write was still going on.
            self._pass_by(turn)
            await self._repair(turn.place)
        return False

    async def fill(self, place: str, mark: str, entry: Entry) -> None:
        """Keep `entry`, unless a write began since `mark`."""
        await self._try(lambda: self.cache.fill(place, mark, entry))

    async def _repair(self, first: str) -> None:
        """Remove what stands at places that were written while the hot side could not be told."""
        others = [place for place in list(self.unhidden)[:REPAIRED_AT_ONCE] if place != first]
        for place in [first, *others] if first in self.unhidden else others:
            if await self._try(partial(self._drop, place)) is None:
                return
            self.unhidden.pop(place, None)

    async def _drop(self, place: str) -> bool:
        for write in list(self.unhidden.get(place, ())) or [""]:
            await self.cache.end(place, write, discard=True)
        return True

    def _pass_by(self, turn: Turn) -> None:
        self.unhidden.setdefault(turn.place, set()).update([turn.write] if turn.write else [])

    async def _try(self, work: Callable[[], Awaitable[T]], turn: Turn | None = None) -> T | None:
        """What the cache answers, or None. When it is not told of `turn`, or may have heard of it all the
        same, the place is passed by."""
        if not self._breaker.lets_through():
            if turn is not None:
                self._pass_by(Turn(turn.place))
            return None
        try:
            found = await work()
        except StoreClosed:
            # With the store, while this call was under way; nobody is to be told.
            return None
        except FAILURES as exc:
            if turn is not None:
                self._pass_by(turn)
            self._breaker.failed()
            self._health.bad("hot", exc)
            return None
        self._breaker.worked()
        self._health.good("hot")
        return found


async def _told(work: Awaitable[T]) -> tuple[T]:
    """The answer in a box, so that an answer of None is not taken for none at all."""
    return (await work,)
