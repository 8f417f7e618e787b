"""Folding in this process: inline, or in one background thread for all sessions."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from itertools import takewhile

from session_core.budget import Tier
from session_core.errors import SessionError, StoreClosed
from session_core.events import FoldAsked, FoldFailed
from session_core.folds.folding import Folder
from session_core.plan import GiveWay, never_pause
from session_core.services import Services
from session_core.turns import Key
from session_core.voices import run_blocking

WORK_S = 0.0005
"""Seconds that a fold works before it yields."""
MOST_WORK_S = 0.002
"""The same while urgent folds wait: it grows with their number up to this."""
PAUSE_S = 0.001
"""Seconds of the sleep that follows. Any sleep lets waiting threads run; an event loop, which releases the GIL whenever
it polls, needs several iterations in a row."""
PATIENCE_S = 0.02
"""Seconds to wait for calls in progress to end; less for each urgent fold."""
PUT_OFF_S = 10.0
"""Seconds that a fold may be postponed while calls leave no pause, for sessions far below their limit."""
CLOSE_WAITS_S = 5.0
"""Seconds that a close waits for the fold in progress. A fold by rules takes less; one that waits for a model may take
minutes, and services are killed 10 to 30 s after they are asked to end."""
LOOK_S = 0.05
"""Seconds between checks of whether a postponed fold may still wait."""


@dataclass(slots=True)
class Queue:
    """The sessions waiting for a fold, with the time of their request. Times are passed in, in seconds.

    A session below the facts threshold has room for more turns: its fold may be postponed for up to `put_off_s`,
    since under constant load fewer folds mean more calls, and a later fold covers more turns at once. A session above
    it is not postponed, since its views are shortened meanwhile. A session that is already waiting is folded once.
    """

    put_off_s: float = PUT_OFF_S
    at_work: Key | None = None
    at_work_since_s: float = 0.0
    _since_s: OrderedDict[Key, float] = field(default_factory=OrderedDict)
    _pressing: set[Key] = field(default_factory=set)
    _due_s: float = 0.0
    """When the fold in progress, or else the last one, became urgent."""

    def __len__(self) -> int:
        """The number of waiting sessions, including the one in progress."""
        return len(self._since_s) + (self.at_work is not None and self.at_work not in self._since_s)

    def oldest_s(self, now_s: float) -> float:
        """The age of the oldest request that is not done, that of the fold in progress included."""
        times = [*self._since_s.values(), *([self.at_work_since_s] if self.at_work is not None else [])]
        return now_s - min(times, default=now_s)

    def add(self, key: Key, now_s: float, tier: Tier) -> None:
        """Add `key`, unless it is queued already, with its current tier."""
        self._since_s.setdefault(key, now_s)
        if tier >= Tier.FACTS:
            self._pressing.add(key)

    def urgent_folds(self, now_s: float) -> int:
        """The number of urgent folds, including the one in progress."""
        return len(self._pressing) + len(self._overdue(now_s)) + (self.at_work is not None and self._due_s <= now_s)

    def take(self, now_s: float, *, quiet: bool) -> tuple[Key, float] | None:
        """The next session and the time of its request; it is in progress from then on. The oldest urgent one; if it is
        `quiet`, the oldest of all."""
        pressing = self._pressing.union(self._overdue(now_s))
        key = next((key for key in self._since_s if key in pressing or (quiet and not pressing)), None)
        if key is None:
            return None
        since_s = self._since_s.pop(key)
        self.at_work, self.at_work_since_s = key, since_s
        self._due_s = since_s + (0.0 if key in self._pressing else self.put_off_s)
        self._pressing.discard(key)
        return key, since_s

    def clear(self) -> None:
        """Remove all waiting sessions."""
        self._since_s.clear()
        self._pressing.clear()

    def _overdue(self, now_s: float) -> list[Key]:
        """Those that waited too long and are not urgent because of their tier anyway."""
        late = takewhile(lambda one: now_s - one[1] >= self.put_off_s, self._since_s.items())
        return [key for key, _ in late if key not in self._pressing]


@dataclass(slots=True)
class Pace:
    """How a background fold shares the interpreter with calls that somebody waits for.

    A computing thread keeps the GIL for 5 ms (`sys.getswitchinterval`), and a view or an append releases it at each
    read and write, so each of these would wait 5 ms during a fold. `urgent` returns how many folds are;
    `quiet` waits up to that many seconds for a pause without views and appends, and returns whether there is one;
    `pauses` counts how often a fold yielded. While `hurried` callers wait for the folds themselves, it does not
    yield.
    """

    urgent: Callable[[], int]
    quiet: Callable[[float], bool] = lambda _: True
    clock: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep
    pauses: int = 0
    hurried: int = 0
    _since_s: float = 0.0

    def give_way(self) -> None:
        """Release the interpreter to others if this thread has worked long enough since it last did."""
        now_s = self.clock()
        if self.hurried or now_s - self._since_s < WORK_S:
            return
        if now_s - self._since_s < min(MOST_WORK_S, WORK_S * self.urgent()):
            return
        self.pauses += 1
        self.sleep(PAUSE_S)
        while not self.hurried:
            urgent = self.urgent()
            left_s = PATIENCE_S / urgent - (self.clock() - now_s) if urgent else LOOK_S
            if left_s <= 0 or self.quiet(left_s):
                break
            self.sleep(PAUSE_S)
        self._since_s = self.clock()


@dataclass(slots=True)
class Background:
    """One daemon thread, started with the first request, that folds sessions in the order of their `Queue`.

    After a fork the child starts a thread of its own; requests of the parent stay with the parent.
    """

    folder: Folder
    services: Services
    pace: Pace = field(init=False)
    queue: Queue = field(default_factory=Queue)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _process: int = field(default_factory=os.getpid)
    _closed: bool = False

    def __post_init__(self) -> None:
        self.pace = Pace(self._urgent_folds, self.services.calls.wait_until_idle)

    @property
    def waiting(self) -> int:
        """Sessions that requested a fold and are not folded yet, including the one in progress."""
        self._begin_in_child()
        with self._changed:
            return len(self.queue)

    @property
    def oldest_s(self) -> float:
        """Seconds since the oldest request of a fold that is not done; 0 if there is none."""
        self._begin_in_child()
        with self._changed:
            return self.queue.oldest_s(time.monotonic())

    def ask(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Request a fold of `key`, which is in this tier; returns immediately."""
        self._begin_in_child()
        with self._changed:
            if self._closed:
                return
            self.queue.add(key, time.monotonic(), tier)
            failure = self._start_thread() if self._thread is None else None
            self._changed.notify_all()
            waiting = len(self.queue)
        self.services.emit(FoldAsked(key, waiting) if failure is None else FoldFailed(key, _reason(failure)))

    async def aask(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Async form of `ask`."""
        self.ask(key, tier)

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is queued; False if `timeout_s` seconds were not enough."""
        self._begin_in_child()
        with self._changed:
            self.pace.hurried += 1
            try:
                return self._changed.wait_for(lambda: not len(self.queue), timeout_s)
            finally:
                self.pace.hurried -= 1

    def close(self) -> None:
        """Finish the fold in progress, unless a model keeps it for longer than `CLOSE_WAITS_S`, and stop; all others
        are requested again by the next turn of their session."""
        self._begin_in_child()
        with self._changed:
            self._closed = True
            self.pace.hurried += 1
            self.queue.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=CLOSE_WAITS_S)

    def _start_thread(self) -> RuntimeError | None:
        """None if it started. Otherwise why not, and nothing is queued: the next turn of a session asks again."""
        # It outlives the call that starts it, whose trace and other context would be those of all folds.
        thread = threading.Thread(target=Context().run, args=(self._work,), name="llm-sessions-fold", daemon=True)
        try:
            thread.start()
        except RuntimeError as exc:
            # The interpreter exits, or the process has as many threads as it may have.
            self.queue.clear()
            return exc
        self._thread = thread
        return None

    def _begin_in_child(self) -> None:
        """Reset after a fork: nothing is queued or in progress."""
        if self._process != os.getpid():
            self._changed, self._thread, self.queue.at_work = threading.Condition(), None, None
            self.queue.clear()
            self.pace.hurried = 0
            self._process = os.getpid()

    def _urgent_folds(self) -> int:
        with self._changed:
            return self.queue.urgent_folds(time.monotonic())

    @contextmanager
    def reporting_failures(self, key: Key) -> Iterator[None]:
        """Emit an event for a fold that fails in the block, instead of raising; none if its store was closed."""
        try:
            yield
        except StoreClosed:
            return
        except SessionError as exc:
            self.services.emit(FoldFailed(key, _reason(exc)))

    def _next(self) -> tuple[Key, float] | None:
        """The next session and the time of its request, when there is one; None after the end."""
        quiet = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: len(self.queue) or self._closed)
                if self._closed:
                    return None
                if found := self.queue.take(time.monotonic(), quiet=quiet or self.pace.hurried > 0):
                    return found
            if not (quiet := self.pace.quiet(LOOK_S)):
                self.pace.sleep(PAUSE_S)

    def _work(self) -> None:
        while found := self._next():
            key, asked_at_s = found
            try:
                failure_of_fold(self.folder, key, asked_at_s=asked_at_s, give_way=self.pace.give_way)
            finally:
                with self._changed:
                    self.queue.at_work = None
                    self._changed.notify_all()


def failure_of_fold(
    folder: Folder, key: Key, *, asked_at_s: float, give_way: GiveWay = never_pause
) -> Exception | None:
    """Fold, and return what that raised; also emit it as an event, unless the store was closed."""
    try:
        run_blocking(folder.fold(key, asked_at_s=asked_at_s, give_way=give_way))
    except StoreClosed as exc:
        return exc
    except Exception as exc:  # noqa: BLE001 (the thread must outlive a user's classifier or model)
        folder.services.emit(FoldFailed(key, _reason(exc)))
        return exc
    return None


def _reason(exc: Exception) -> str:
    """The error of a fold; the text of a user's model or classifier is left out, since it may quote messages."""
    kind = type(exc).__name__
    return f"{kind}: {exc}" if isinstance(exc, SessionError) else kind
