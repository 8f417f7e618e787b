"""The cache of a hybrid store as a protocol (writes hide an entry first), and an in-memory implementation."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from session_core.stores.closing import Closing, LockWhileOpen

TTL_S = 3600.0
"""How long an entry stays that nobody touches."""
WRITING_S = 120.0
"""How long a write may take, in seconds, before it counts as dead; longer than any durable store waits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a session: a head, and its messages one by one so that more can be put behind."""

    head: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What stands at a place. `mark` is what `fill` wants; without `quiet` a write is going on."""

    entry: Entry | None
    quiet: bool
    mark: str


class Cache(Protocol):
    """Keeps entries for a while; each call is atomic. Whatever it has forgotten, it may have forgotten.

    An entry has a mark that each write replaces, the set of writes that are going on, and a value
    that counts only while its own mark is the entry's and no write is going on. Raises: StoreError.
    """

    name: str

    def awaiting(self) -> Cache:
        """The same cache for callers on an event loop, which it must never block."""
        ...

    async def look(self, place: str, *, hidden: bool = False) -> Look:
        """What counts at `place`; with `hidden` also a value that a write has hidden and not replaced."""
        ...

    async def begin(self, place: str, write: str) -> bytes | None:
        """Hide what stands at `place`: `write`, a name nobody used yet, is going on. Its head when it
        counted until now, else None."""
        ...

    async def extend(self, place: str, write: str, head: bytes, more: Sequence[bytes]) -> bool:
        """`write` is over; the hidden value counts again, with `head` and `more` messages.

        False, and no value, when another write began meanwhile or the entry was forgotten.
        """
        ...

    async def end(self, place: str, write: str, *, discard: bool) -> bool:
        """`write` is over; what it hid stays hidden, or goes. Nothing is left when no other is going on.

        Whether nobody else began to write since `write` did.
        """
        ...

    async def fill(self, place: str, mark: str, entry: Entry) -> bool:
        """Let `entry` count, unless a write is going on, or began since `mark` was looked at."""
        ...

    async def close(self) -> None:
        """Release what was opened; a second call does nothing."""
        ...


@dataclass(slots=True)
class _Held:
    """One place: its mark, the mark its value had, the value, the writes going on, and when it is gone."""

    mark: str
    until_s: float
    valid: str = ""
    head: bytes = b""
    messages: list[bytes] = field(default_factory=list)
    writes: dict[str, float] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        return self.valid == self.mark and not self.writes

    def renew(self, now_s: float, ttl_s: float) -> None:
        """Live for `ttl_s` from now, and as long as a write goes on."""
        self.until_s = max([now_s + ttl_s, *self.writes.values()])

    def clear(self) -> None:
        self.valid, self.head, self.messages = "", b"", []

    def entry(self) -> Entry:
        return Entry(self.head, tuple(self.messages))


class MemoryCache:
    """A cache in this process, for one process alone or for tests. Safe with several threads.

    An entry that nobody touched for `ttl_s` goes, unless a write to it goes on. Of more than
    `max_sessions`, those that were not touched for longest are forgotten.
    """

    name = "memory"

    def __init__(
        self,
        *,
        ttl_s: float = TTL_S,
        writing_s: float = WRITING_S,
        max_sessions: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s, self._writing_s = ttl_s, writing_s
        self._most, self._clock = max_sessions, clock
        self._places: OrderedDict[str, _Held] = OrderedDict()
        self._lock = LockWhileOpen(Closing("memory://"))

    def awaiting(self) -> Cache:
        """Itself: nothing here ever waits."""
        return self

    async def look(self, place: str, *, hidden: bool = False) -> Look:
        with self._lock:
            held = self._held(place) or self._made(place, secrets.token_hex(8))
            held.renew(self._clock(), self._ttl_s)
            shown = held.counts or (hidden and held.valid)
            return Look(held.entry() if shown else None, not held.writes, held.mark)

    async def begin(self, place: str, write: str) -> bytes | None:
        with self._lock:
            held = self._held(place) or self._made(place, write)
            head = held.head if held.counts else None
            held.mark = write
            held.writes[write] = self._clock() + self._writing_s
            held.renew(self._clock(), self._ttl_s)
            return head

    async def extend(self, place: str, write: str, head: bytes, more: Sequence[bytes]) -> bool:
        with self._lock:
            held = self._held(place)
            if held is None or held.mark != write or not held.valid or write not in held.writes:
                self._end(place, write, discard=True)
                return False
            del held.writes[write]
            held.valid, held.head = held.mark, head
            held.messages.extend(more)
            held.renew(self._clock(), self._ttl_s)
            return True

    async def end(self, place: str, write: str, *, discard: bool) -> bool:
        with self._lock:
            return self._end(place, write, discard=discard)

    async def fill(self, place: str, mark: str, entry: Entry) -> bool:
        with self._lock:
            held = self._held(place)
            if held is None or held.mark != mark or held.writes:
                return False
            held.valid, held.head, held.messages = mark, entry.head, list(entry.messages)
            held.renew(self._clock(), self._ttl_s)
            return True

    async def close(self) -> None:
        """Nothing is open."""

    def forget(self) -> None:
        """Forget everything, as a server does that was restarted empty."""
        with self._lock:
            self._places.clear()

    def __len__(self) -> int:
        return len(self._places)

    def _end(self, place: str, write: str, *, discard: bool) -> bool:
        held = self._held(place)
        if held is None:
            return False
        alone = held.writes.pop(write, None) is not None and held.mark == write
        if discard:
            held.clear()
            # Who looked before and has not filled yet must find another mark, or none.
            held.mark = secrets.token_hex(8)
        if held.writes or held.valid:
            held.renew(self._clock(), self._ttl_s)
        else:
            del self._places[place]
        return alone

    def _held(self, place: str) -> _Held | None:
        held, now = self._places.get(place), self._clock()
        if held is None:
            return None
        if held.until_s <= now:
            del self._places[place]
            return None
        held.writes = {write: until for write, until in held.writes.items() if until > now}
        self._places.move_to_end(place)
        return held

    def _made(self, place: str, mark: str) -> _Held:
        held = self._places[place] = _Held(mark, self._clock() + self._ttl_s)
        if len(self._places) > self._most:
            quiet = (name for name, old in self._places.items() if not old.writes and name != place)
            self._places.pop(next(quiet, ""), None)
        return held
