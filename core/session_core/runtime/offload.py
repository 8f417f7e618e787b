"""Runs CPU-bound work: in the calling thread, or off the event loop for async callers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from weakref import WeakSet

T = TypeVar("T")

BUSY_TOKENS = 2_000
"""Reading texts of this many tokens takes some milliseconds; an event loop is not blocked for longer."""
BUSY_ROWS = 100
"""Reading this many stored messages takes as long."""


class Executor(Protocol):
    """Runs CPU-bound work in the way that suits the voice."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """The result of `work`, which must not use anything bound to a thread or a loop."""
        ...


async def inline(work: Callable[[], T], /) -> T:
    """`Executor` of the blocking voice: runs `work` in the calling thread."""
    return work()


_serial_lock = threading.Lock()


def _reset_after_fork() -> None:
    """Replace the lock, which another thread may have held when the process forked."""
    global _serial_lock
    _serial_lock = threading.Lock()
    for own in _serial_executors:
        own.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


def run_serially(work: Callable[[], T], /) -> T:
    """The result of `work`, a search of a session for a question; one at a time per process.

    It keeps a processor busy for 50 ms and more. Because of the GIL several at once would not finish sooner, and would
    delay all other calls repeatedly.
    """
    with _serial_lock:
        return work()


SLICE_S = 0.001
"""Seconds that a question works before it looks whether somebody waits."""
PAUSE_S = 0.001
"""Seconds that it then sleeps: an event loop, which releases the GIL whenever it polls, needs several iterations."""


@dataclass(slots=True)
class Slices:
    """How a question shares the interpreter with calls that are answered in a millisecond.

    A computing thread keeps the GIL for 5 ms (`sys.getswitchinterval`), and a view or an append releases it at each
    read and write, so that each of these would wait for 5 ms. `others` returns how many such calls are in progress;
    without any a question goes on. `pauses` counts how often it slept.
    """

    others: Callable[[], int]
    clock: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep
    pauses: int = 0
    _since_s: float = 0.0

    def give_way(self) -> None:
        """Release the interpreter to others if there are any, and this thread has worked for a slice."""
        now_s = self.clock()
        if now_s - self._since_s < SLICE_S:
            return
        if self.others():
            self.pauses += 1
            self.sleep(PAUSE_S)
            now_s = self.clock()
        self._since_s = now_s


HELPER_WAIT_S = 30.0
"""Seconds that a question waits for an embedder that is busy with another one; then only its words count."""


class SerialExecutor:
    """`Executor` of the blocking voice for a user's embedder: one call at a time, in a queue of its own.

    An embedder that hangs must not block the questions of the whole process.
    """

    def __init__(self) -> None:
        self.reset()
        _serial_executors.add(self)

    def reset(self) -> None:
        """Reset after a fork: a call in progress belongs to the parent."""
        self._lock = threading.Lock()

    def run(self, work: Callable[[], T], /) -> T:
        """The result of `work`. Raises: TimeoutError if an earlier call takes longer than `HELPER_WAIT_S`."""
        lock = self._lock
        if not lock.acquire(timeout=HELPER_WAIT_S):
            raise TimeoutError(
                f"the embedder has not answered an earlier call for {HELPER_WAIT_S:g} s; give it a timeout"
            )
        try:
            return work()
        finally:
            lock.release()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """As `run`, in the calling thread."""
        return self.run(work)


_serial_executors: WeakSet[SerialExecutor] = WeakSet()


async def inline_serially(work: Callable[[], T], /) -> T:
    """`Executor` of the blocking voice for questions: as `run_serially`, in the calling thread."""
    return run_serially(work)
