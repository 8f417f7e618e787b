"""A cache of derived values by their input: a view mostly has the messages of the view before it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

MESSAGE_BYTES = 500
"""Overhead of a cached message beside its stored bytes: some 430 bytes and its key."""


class BoundedCache(Generic[V]):
    """A size-bounded cache of immutable values by their input: at most `room`, in the unit of the sizes passed to
    `get`, and `each` more per value.

    Values that were not used since half of the room was refilled are dropped. Thread-safe without a lock, which a
    fork could break: at worst a value is computed twice. Stored bytes are the best keys, since then nothing can be
    outdated. The cache holds no container beside a value: Python's garbage collector visits each object that can
    refer to others, and some 300,000 of them cause pauses of 100 to 500 ms.
    """

    def __init__(self, room: int, *, each: int = 0) -> None:
        self._half = room // 2
        self._each = each
        self._newer: dict[Hashable, V] = {}
        self._older: dict[Hashable, V] = {}
        self._filled = 0

    def known(self, key: Hashable) -> V | None:
        """The cached value for `key`, or None."""
        found = self._newer.get(key)
        return found if found is not None else self._older.get(key)

    @property
    def recent(self) -> Callable[[Hashable], V | None]:
        """The lookup of recently used values, for callers that need many at once."""
        return self._newer.get

    def kept(self, key: Hashable, size: Callable[[V], int]) -> V | None:
        """As `known`, and marks the value as used; `size` computes its size as for `get`."""
        found = self._newer.get(key)
        if found is None and (older := self._older.get(key)) is not None:
            return self.get(key, lambda: older, size=size(older))
        return found

    def get(self, key: Hashable, make: Callable[[], V], *, size: int = 1) -> V:
        """The value for `key`, cached or made by `make`, which never returns None."""
        found = self._newer.get(key)
        if found is not None:
            return found
        found = self._older.get(key)
        if found is None:
            found = make()
        if size <= self._half // 8:
            if self._filled + size + self._each > self._half:
                self._newer, self._older, self._filled = {}, self._newer, 0
            self._newer[key] = found
            self._filled += size + self._each
        return found

    def put(self, key: Hashable, value: V, *, size: int = 1, more: int = 0) -> V:
        """Cache `value` for `key`, unless it is too large. `more` is by how much it is larger than the value that it
        replaces."""
        if key in self._newer and size <= self._half // 8:
            self._newer[key] = value
            self._filled += more
            return value
        self.forget(key)
        return self.get(key, lambda: value, size=size)

    def forget(self, key: Hashable) -> None:
        """Drop the value for `key`."""
        self._older.pop(key, None)
        self._newer.pop(key, None)
