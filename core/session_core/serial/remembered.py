"""What was read before, by its bytes: a view holds mostly the messages of the view before it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Immutable values by the stored bytes they were made of; about `max_bytes` of such bytes at most.

    Nothing here can be out of date: other bytes are another key. What was not asked for since half of
    the room was filled anew is forgotten. Safe with several threads: at worst something is made twice.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._newer: dict[Hashable, tuple[V, int]] = {}
        self._older: dict[Hashable, tuple[V, int]] = {}
        self._bytes = 0

    def get(self, key: Hashable) -> V | None:
        """The value that was kept under `key`."""
        found = self._newer.get(key)
        if found is None:
            found = self._older.get(key)
            if found is None:
                return None
            self.keep(key, *found)
        return found[0]

    def keep(self, key: Hashable, value: V, size: int) -> V:
        """Keep `value`, which stands for `size` bytes, unless it would take most of the room; gives it back."""
        if size > self._half // 8:
            return value
        if self._bytes + size > self._half:
            self._newer, self._older, self._bytes = {}, self._newer, 0
        self._newer[key] = value, size
        self._bytes += size
        return value
