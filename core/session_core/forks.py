"""What the child of a fork finds: locks that nobody holds, and nothing half done.

A child has one thread, and copies of all that the others were in the middle of: their locks stay held for ever, and
what they had begun is never ended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from weakref import WeakMethod, WeakSet

WAITS_S = 5.0
"""How long a fork waits at most for what other threads are in the middle of."""


class FreedLock:
    """A lock for what is short, whole at each moment, and may be held by another thread at a fork: in the child nobody
    holds it."""

    def __init__(self) -> None:
        self.begin()
        _freed.add(self)

    def begin(self) -> None:
        """Nobody holds it."""
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As that of any lock."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        """As that of any lock."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class Whole:
    """`with WHOLE:` around what a fork must not find half done: it waits until no other thread is in such a block, and
    none begins one meanwhile. Blocks may stand in each other."""

    def __init__(self) -> None:
        self._before: list[WeakMethod[Callable[[], None]]] = []
        self.begin()

    def begin(self) -> None:
        """Nobody is in a block: those who were at a fork are the parent's."""
        self._changed = threading.Condition()
        self._at_work: dict[int, int] = {}
        self._forking: int | None = None

    def before_forks(self, method: Callable[[], None]) -> None:
        """Have a bound method called before each fork, as long as its object lives; it must not raise."""
        self._before = [other for other in self._before if other() is not None]
        self._before.append(WeakMethod(method))

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            while self._forking not in (None, me) and me not in self._at_work:
                self._changed.wait()
            self._at_work[me] = self._at_work.get(me, 0) + 1

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        me = threading.get_ident()
        with self._changed:
            left = self._at_work.pop(me, 1) - 1
            if left:
                self._at_work[me] = left
            if self._forking is not None:
                self._changed.notify_all()

    def wait(self) -> None:
        """A fork is about to happen, in this thread."""
        self._changed.acquire()
        self._forking = threading.get_ident()
        self._changed.wait_for(lambda: not self._at_work.keys() - {self._forking}, WAITS_S)
        for method in self._before:
            if (call := method()) is not None:
                call()

    def go_on(self) -> None:
        """The fork happened; this is the parent."""
        self._forking = None
        self._changed.notify_all()
        self._changed.release()


_freed: WeakSet[FreedLock] = WeakSet()
WHOLE = Whole()
"""That of the process."""


def _begin_in_child() -> None:
    WHOLE.begin()
    for lock in _freed:
        lock.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=WHOLE.wait, after_in_parent=WHOLE.go_on, after_in_child=_begin_in_child)
