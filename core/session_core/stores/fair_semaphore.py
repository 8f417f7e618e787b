"""A FIFO semaphore for threads, like `asyncio.Semaphore` for tasks."""

from __future__ import annotations

import threading
from collections import deque


class FairSemaphore:
    """Admits `places` threads at a time, in FIFO order.

    `threading.Semaphore` admits whichever thread runs first, so that some may wait very long.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def enter(self, *, wait_s: float) -> bool:
        """Whether a place became free within `wait_s` seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=wait_s):
            return True
        with self._lock:
            if turn not in self._waiting:
                return True
            self._waiting.remove(turn)
            return False

    def leave(self) -> None:
        """Pass the place to the next waiting thread."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
