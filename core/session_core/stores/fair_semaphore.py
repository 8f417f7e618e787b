"""A FIFO semaphore for threads, like `asyncio.Semaphore` for tasks."""

from __future__ import annotations

import threading
from collections import deque
from weakref import ref


class Place:
    """One of the places of a `FairSemaphore`. Who lets go of it without `leave` has given it back."""

    __slots__ = ("__weakref__",)


class FairSemaphore:
    """Admits `places` threads at a time, in FIFO order.

    `threading.Semaphore` admits whichever thread runs first, so that some may wait very long. A Ctrl-C between any two
    steps of those who hold a place or wait for one loses none.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._held: set[ref[Place]] = set()
        self._waiting: deque[tuple[ref[Place], threading.Lock]] = deque()

    def enter(self, *, wait_s: float) -> Place | None:
        """A place, if one became free within `wait_s` seconds; hold it, and pass it to `leave`."""
        place = Place()
        mine = ref(place)
        with self._lock:
            if len(self._held) < self._places and not self._waiting:
                self._held.add(mine)
                return place
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append((mine, turn))
            self._give()
        try:
            turn.acquire(timeout=wait_s)
            with self._lock:
                self._give()
                if mine in self._held:
                    return place
                self._forget(mine)
                return None
        except BaseException:
            with self._lock:
                self._forget(mine)
            raise

    def leave(self, place: Place) -> None:
        """Pass the place to the next waiting thread."""
        with self._lock:
            self._held.discard(ref(place))
            if self._waiting:
                self._give()

    def _forget(self, mine: ref[Place]) -> None:
        self._waiting = deque(one for one in self._waiting if one[0] is not mine)
        self._held.discard(mine)
        self._give()

    def _give(self) -> None:
        """Let in those who wait, as far as there is room."""
        if len(self._held) >= self._places:
            self._held = {one for one in self._held if one() is not None}
        while self._waiting and len(self._held) < self._places:
            heir, turn = self._waiting[0]
            if heir() is not None:
                self._held.add(heir)
            self._waiting.popleft()
            turn.release()
