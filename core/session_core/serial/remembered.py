"""What was read before, by its bytes: a view holds mostly the messages of the view before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Immutable values by the stored bytes they were made of; about `max_bytes` of such bytes at most.

    Nothing here can be out of date: other bytes are another key. What was not asked for since half of
    the room was filled anew is forgotten. Safe with several threads: at worst something is made twice.

    Keys are bytes, and nothing is kept beside a value: Python's collector looks at each object that can
    hold others, and a pause of 100 ms comes from some 300,000 of them.
    """

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._newer: dict[bytes, V] = {}
        self._older: dict[bytes, V] = {}
        self._bytes = 0

    def get(self, key: bytes, make: Callable[[], V]) -> V:
        """The value for `key`: the one that is remembered, or else what `make` gives."""
        found = self._newer.get(key)
        if found is not None:
            return found
        found = self._older.get(key)
        if found is None:
            found = make()
        if len(key) <= self._half // 8:
            if self._bytes + len(key) > self._half:
                self._newer, self._older, self._bytes = {}, self._newer, 0
            self._newer[key] = found
            self._bytes += len(key)
        return found
