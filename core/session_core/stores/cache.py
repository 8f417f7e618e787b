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
"""Seconds until an unused entry expires."""
WRITING_S = 120.0
"""Seconds until an unfinished write counts as abandoned; longer than any durable store waits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The cached input of a view: a head, and its messages as separate items so that more can be appended."""

    head: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """The state of an entry. `fill` needs its `mark`; unless `quiet`, a write is in progress."""

    entry: Entry | None
    quiet: bool
    mark: str


class Cache(Protocol):
    """Keeps entries for a while; each call is atomic. It may forget any entry at any time.

    An entry has a mark that each write replaces, the set of writes in progress, and a value. The value is valid only
    while it has the entry's current mark and no write is in progress. Raises: StoreError.
    """

    name: str

    def awaiting(self) -> Cache:
        """The same cache for callers on an event loop, which it must never block."""
        ...

    async def look(self, place: str, *, hidden: bool = False) -> Look:
        """The valid entry at `place`; with `hidden` also a value that a write has hidden and not replaced."""
        ...

    async def begin(self, place: str, write: str) -> bytes | None:
        """Hide the entry at `place` while `write`, a unique name, is in progress. Returns its head if it was valid,
        else None."""
        ...

    async def extend(self, place: str, write: str, head: bytes, more: Sequence[bytes]) -> bool:
        """End `write`: the hidden value becomes valid again, with `head` and `more` messages. False, and no value,
        if another write began meanwhile or the entry was forgotten."""
        ...

    async def end(self, place: str, write: str, *, discard: bool) -> bool:
        """End `write`: what it hid stays hidden, or is removed if no other write is in progress. Returns whether no
        other write began since."""
        ...

    async def fill(self, place: str, mark: str, entry: Entry) -> bool:
        """Make `entry` valid, unless a write is in progress or began since `mark` was read."""
        ...

    async def close(self) -> None:
        """Release what was opened; idempotent."""
        ...


@dataclass(slots=True)
class _Held:
    """One entry: its mark, the mark of its value, the value, the writes in progress, and its expiry."""

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
        """Live for `ttl_s` from now, and at least until its writes end."""
        self.until_s = max([now_s + ttl_s, *self.writes.values()])

    def clear(self) -> None:
        self.valid, self.head, self.messages = "", b"", []

    def entry(self) -> Entry:
        return Entry(self.head, tuple(self.messages))


class MemoryCache:
    """A cache in this process, for a single process or tests. Thread-safe.

    Unused entries expire after `ttl_s`, unless a write is in progress. Of more than `max_sessions`, the least
    recently used are dropped.
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
        """Does nothing."""

    def forget(self) -> None:
        """Drop all entries, like a server that restarts empty."""
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
            # A reader that looked before and fills later must find another mark, or none.
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
