"""A cache of derived values by their input: a view mostly has the messages of the view before it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

MESSAGE_BYTES = 500
"""What a remembered message takes beside the bytes it was read from: a short one takes 430 by itself, and its key."""


class Remembered(Generic[V]):
    """Immutable values by what they were made of; at most `room`, in whatever `get` is told as their size, and `each`
    more for every one of them.

    What was not asked for since half of the room was filled anew is forgotten. Safe with several threads,
    without a lock that a fork could break: at worst something is made twice.

    Nothing is kept beside a value, and stored bytes are the best keys, since nothing can be out of date
    then: Python's collector looks at each object that can hold others, and some 300,000 of them make a
    pause of 100 to 500 ms. A room in bytes says little of them where what is remembered is short.
    """

    def __init__(self, room: int, *, each: int = 0) -> None:
        self._half = room // 2
        self._each = each
        self._newer: dict[Hashable, V] = {}
        self._older: dict[Hashable, V] = {}
        self._filled = 0

    def known(self, key: Hashable) -> V | None:
        """The value for `key`, if it is remembered."""
        found = self._newer.get(key)
        return found if found is not None else self._older.get(key)

    @property
    def recent(self) -> Callable[[Hashable], V | None]:
        """Gives the value for a key, if it counts as asked for already; for who asks for many at once."""
        return self._newer.get

    def kept(self, key: Hashable, size: Callable[[V], int]) -> V | None:
        """As `known`, and it counts as asked for; `size` tells that of a value as `get` was told it."""
        found = self._newer.get(key)
        if found is None and (older := self._older.get(key)) is not None:
            return self.get(key, lambda: older, size=size(older))
        return found

    def get(self, key: Hashable, make: Callable[[], V], *, size: int = 1) -> V:
        """The value for `key`: the one that is remembered, or else what `make` gives, which is never None."""
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
        """`value`, remembered for `key` from now on, unless it is too large. `more` is how much larger it is than the
        value that it replaces."""
        if key in self._newer and size <= self._half // 8:
            self._newer[key] = value
            self._filled += more
            return value
        self.forget(key)
        return self.get(key, lambda: value, size=size)

    def forget(self, key: Hashable) -> None:
        """Have the value for `key` made anew."""
        self._older.pop(key, None)
        self._newer.pop(key, None)
