"""Folding in this process: at once, or in one background thread that takes each session's turn."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from session_core.errors import SessionError
from session_core.events import FoldAsked, FoldFailed
from session_core.folding import Folder
from session_core.turns import Key
from session_core.voices import run_blocking
from session_core.workshop import Workshop

WORK_S = 0.0005
"""How long a fold works before it gives way."""
MOST_WORK_S = 0.002
"""The same when sessions wait for their turn: longer with each of them, up to this."""
PAUSE_S = 0.001
"""How long it then sleeps. Any sleep lets threads go on that wait; an event loop, which lets go of the interpreter
each time it looks for events, needs a few steps in a row."""
PATIENCE_S = 0.02
"""How long it waits, sleep after sleep, for the calls that are under way; shorter with each session that waits."""


@dataclass(slots=True)
class Pace:
    """How a fold in the background shares the interpreter with the calls that somebody waits for.

    A thread that computes keeps Python's interpreter lock for 5 ms (`sys.getswitchinterval`) whoever
    wants it, and a view or an append lets go of the lock at each read and write: so it would wait 5 ms
    several times over while a fold is at work. `waiting` tells how many sessions are to be folded, the
    one at work included; `busy` whether views or appends are under way; `pauses` counts how often a fold
    gave way. While `hurried` callers wait for the folds themselves, it does not.
    """

    waiting: Callable[[], int]
    busy: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep
    pauses: int = 0
    hurried: int = 0
    _since_s: float = 0.0

    def give_way(self) -> None:
        """Let others have the interpreter, if this thread has worked for long enough since it last did."""
        now_s = self.clock()
        if self.hurried or now_s - self._since_s < min(MOST_WORK_S, WORK_S * self.waiting()):
            return
        self.pauses += 1
        self.sleep(PAUSE_S)
        while self.busy() and not self.hurried and self.clock() - now_s < PATIENCE_S / self.waiting():
            self.sleep(PAUSE_S)
        self._since_s = self.clock()


class Pipeline(Protocol):
    """Takes requests to fold. `waiting` is the lag in sessions, `drain` waits for it to be gone."""

    @property
    def waiting(self) -> int: ...

    def ask(self, key: Key) -> None: ...

    def drain(self, timeout_s: float) -> bool: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Background:
    """One daemon thread, started with the first request, folds the sessions that ask, oldest first.

    A session that asks again while it waits is folded once. After a fork the child starts a thread
    of its own; what the parent was asked stays with the parent.
    """

    folder: Folder
    shop: Workshop
    pace: Pace = field(init=False)
    _asked: OrderedDict[Key, float] = field(default_factory=OrderedDict)
    _at_work: Key | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _process: int = 0
    _closed: bool = False

    def __post_init__(self) -> None:
        self.pace = Pace(lambda: 1 + len(self._asked), lambda: self.shop.calls.under_way > 0)

    @property
    def waiting(self) -> int:
        """Sessions that asked and are not folded yet, the one at work included."""
        with self._changed:
            return self._count()

    def ask(self, key: Key) -> None:
        """Have `key` folded soon; returns at once."""
        if self._process not in (0, os.getpid()):
            self._changed, self._thread, self._at_work = threading.Condition(), None, None
            self._asked.clear()
            self.pace.hurried = 0
        with self._changed:
            if self._closed:
                return
            self._asked.setdefault(key, time.monotonic())
            if self._thread is None:
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._work, name="llm-sessions-fold", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            waiting = self._count()
        self.shop.tell(FoldAsked(key, waiting))

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing waits; False when `timeout_s` seconds were not enough."""
        with self._changed:
            self.pace.hurried += 1
            try:
                return self._changed.wait_for(lambda: not self._count(), timeout_s)
            finally:
                self.pace.hurried -= 1

    def close(self) -> None:
        """Finish the fold at work and stop; what still waits will be asked for again by its next turn."""
        with self._changed:
            self._closed = True
            self.pace.hurried += 1
            self._asked.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and self._process == os.getpid() and thread is not threading.current_thread():
            thread.join(timeout=30)

    def _count(self) -> int:
        return len(self._asked) + (self._at_work is not None and self._at_work not in self._asked)

    @contextmanager
    def telling(self, key: Key) -> Iterator[None]:
        """Tell of a fold in the block that fails, instead of raising what it failed with."""
        try:
            yield
        except SessionError as exc:
            self.shop.tell(FoldFailed(key, _reason(exc)))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closed)
                if self._closed:
                    return
                key, asked_at_s = self._asked.popitem(last=False)
                self._at_work = key
            try:
                run_blocking(self.folder.fold(key, asked_at_s=asked_at_s, give_way=self.pace.give_way))
            except Exception as exc:  # noqa: BLE001 (the thread must outlive a user's classifier or model)
                self.shop.tell(FoldFailed(key, _reason(exc)))
            finally:
                with self._changed:
                    self._at_work = None
                    self._changed.notify_all()


def _reason(exc: Exception) -> str:
    """What a fold failed with; what a user's model or classifier says of it may quote what was said."""
    kind = type(exc).__name__
    return f"{kind}: {exc}" if isinstance(exc, SessionError) else kind
