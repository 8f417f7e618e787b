"""Runs CPU-bound work: in the calling thread, or off the event loop for async callers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar
from weakref import WeakSet

T = TypeVar("T")

BUSY_TOKENS = 2_000
"""To look through texts of so many tokens takes some ms: an event loop does not wait for more."""
BUSY_ROWS = 100
"""To read so many stored messages takes as long."""


class Apart(Protocol):
    """Runs work that takes long in the way that suits the voice."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What `work` gives, which touches nothing that is bound to a thread or a loop."""
        ...


async def inline(work: Callable[[], T], /) -> T:
    """`Apart` of the blocking voice: `work` is done where the caller is."""
    return work()


_turn = threading.Lock()


def _begin_in_child() -> None:
    """A lock that another thread held when the process forked would stay locked."""
    global _turn
    _turn = threading.Lock()
    for own in _own_turns:
        own.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)


def done_in_turn(work: Callable[[], T], /) -> T:
    """What `work` gives, which looks through a session for a question; one at a time in a process.

    It keeps a processor busy for 50 ms and more. Many at once would not be done sooner, under the interpreter's lock,
    and who has no question would wait for each of them again and again.
    """
    with _turn:
        return work()


HELPER_WAIT_S = 30.0
"""So long a question waits for an embedder that another one asks; then its words alone count."""


class OwnTurn:
    """`Apart` of the blocking voice for a user's embedder: one call at a time, in a line of its own.

    It may hang, and would keep the questions of the whole process waiting in theirs.
    """

    def __init__(self) -> None:
        self.begin()
        _own_turns.add(self)

    def begin(self) -> None:
        """Nobody is at work: a call that was under way at a fork is the parent's."""
        self._lock = threading.Lock()

    def done(self, work: Callable[[], T], /) -> T:
        """What `work` gives. Raises: TimeoutError, when a call before it goes on for `HELPER_WAIT_S`."""
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
        """As `done`, where the caller is."""
        return self.done(work)


_own_turns: WeakSet[OwnTurn] = WeakSet()


async def in_turn(work: Callable[[], T], /) -> T:
    """`Apart` of the blocking voice for questions: as `done_in_turn`, where the caller is."""
    return done_in_turn(work)
