"""Safe forking: the child of a fork finds no lock held and nothing half done.

A child has only the forking thread, and copies of what all others were doing: locks that they held stay locked for
ever, and what they had begun is never finished.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from weakref import WeakMethod, WeakSet

MAX_WAIT_S = 5.0
"""Seconds that a fork waits at most for blocks of other threads."""


class ForkSafeLock:
    """A lock for short critical sections that are consistent at every step; in the child of a fork it is free."""

    def __init__(self) -> None:
        self.reset()
        _locks.add(self)

    def reset(self) -> None:
        """Replace the lock after a fork."""
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Acquire the lock, like `threading.Lock`."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        """Release the lock, like `threading.Lock`."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class ForkGuard:
    """A reentrant block (`with FORK_GUARD:`) that a fork must not interrupt: it waits until no other thread is in one,
    and none enters one meanwhile."""

    def __init__(self) -> None:
        self._before: list[WeakMethod[Callable[[], None]]] = []
        self.reset()

    def reset(self) -> None:
        """Reset after a fork: blocks that were entered belong to the parent."""
        self._changed = threading.Condition()
        self._active: dict[int, int] = {}
        self._forking: int | None = None

    def run_before_forks(self, method: Callable[[], None]) -> None:
        """Register a bound method to be called before each fork, as long as its object lives; it must not raise."""
        self._before = [other for other in self._before if other() is not None]
        self._before.append(WeakMethod(method))

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            while self._forking not in (None, me) and me not in self._active:
                self._changed.wait()
            self._active[me] = self._active.get(me, 0) + 1

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        me = threading.get_ident()
        with self._changed:
            left = self._active.pop(me, 1) - 1
            if left:
                self._active[me] = left
            if self._forking is not None:
                self._changed.notify_all()

    def prepare(self) -> None:
        """Called before a fork, in the forking thread."""
        self._changed.acquire()
        self._forking = threading.get_ident()
        self._changed.wait_for(lambda: not self._active.keys() - {self._forking}, MAX_WAIT_S)
        for method in self._before:
            if (call := method()) is not None:
                call()

    def resume(self) -> None:
        """Called in the parent after the fork."""
        self._forking = None
        self._changed.notify_all()
        self._changed.release()


_locks: WeakSet[ForkSafeLock] = WeakSet()
FORK_GUARD = ForkGuard()
"""The one of this process."""


def _reset_after_fork() -> None:
    FORK_GUARD.reset()
    for lock in _locks:
        lock.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=FORK_GUARD.prepare, after_in_parent=FORK_GUARD.resume, after_in_child=_reset_after_fork)
