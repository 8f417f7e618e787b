"""Folding in this process: inline, or in one background thread for all sessions."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile

from session_core.budget import Tier
from session_core.errors import SessionError, StoreClosed
from session_core.events import FoldAsked, FoldFailed
from session_core.folding import Folder
from session_core.turns import Key
from session_core.voices import run_blocking
from session_core.workshop import Workshop

WORK_S = 0.0005
"""How long a fold works before it gives way."""
MOST_WORK_S = 0.002
"""The same when folds that cannot be put off wait for their turn: longer with each of them, up to this."""
PAUSE_S = 0.001
"""How long it then sleeps. Any sleep lets threads go on that wait; an event loop, which lets go of the interpreter
each time it looks for events, needs a few steps in a row."""
PATIENCE_S = 0.02
"""How long it waits for the calls that are under way to end; shorter with each fold that cannot be put off."""
PUT_OFF_S = 10.0
"""How long a fold may be put off while calls leave no pause: that of a session whose view is far from its limit."""
LOOK_S = 0.05
"""How often a fold that is put off looks whether it still may be."""


@dataclass(slots=True)
class Queue:
    """The sessions waiting for a fold, with the time of their request. Times are passed in, in seconds.

    A session below the facts threshold has room for more turns: its fold may be postponed for up to `put_off_s`,
    since under constant load fewer folds mean more calls, and a later fold covers more turns at once. A session above
    it is not postponed, since its views are shortened meanwhile. A session that is already waiting is folded once.
    """

    put_off_s: float = PUT_OFF_S
    at_work: Key | None = None
    _since_s: OrderedDict[Key, float] = field(default_factory=OrderedDict)
    _pressing: set[Key] = field(default_factory=set)
    _due_s: float = 0.0
    """When the one at work, or else the last one, could not be put off any longer."""

    def __len__(self) -> int:
        """How many wait, the one at work included."""
        return len(self._since_s) + (self.at_work is not None and self.at_work not in self._since_s)

    def add(self, key: Key, now_s: float, tier: Tier) -> None:
        """Put `key` in the queue, unless it is there, with its tier by now."""
        self._since_s.setdefault(key, now_s)
        if tier >= Tier.FACTS:
            self._pressing.add(key)

    def pressed(self, now_s: float) -> int:
        """How many cannot be put off, the one at work included."""
        return len(self._pressing) + len(self._overdue(now_s)) + (self.at_work is not None and self._due_s <= now_s)

    def take(self, now_s: float, *, quiet: bool) -> tuple[Key, float] | None:
        """The next one, which is at work from now on, and since when it waited: the oldest of those that cannot be put
        off; when it is `quiet`, of all."""
        pressing = self._pressing.union(self._overdue(now_s))
        key = next((key for key in self._since_s if key in pressing or (quiet and not pressing)), None)
        if key is None:
            return None
        since_s = self._since_s.pop(key)
        self.at_work, self._due_s = key, since_s + (0.0 if key in self._pressing else self.put_off_s)
        self._pressing.discard(key)
        return key, since_s

    def clear(self) -> None:
        """Forget those that wait."""
        self._since_s.clear()
        self._pressing.clear()

    def _overdue(self, now_s: float) -> list[Key]:
        """Those that waited for too long, less those that cannot be put off anyway."""
        late = takewhile(lambda one: now_s - one[1] >= self.put_off_s, self._since_s.items())
        return [key for key, _ in late if key not in self._pressing]


@dataclass(slots=True)
class Pace:
    """How a background fold shares the interpreter with calls that somebody waits for.

    A computing thread keeps the GIL for 5 ms (`sys.getswitchinterval`), and a view or an append releases it at each
    read and write, so each of these would wait 5 ms during a fold. `pressed` returns how many folds are urgent;
    `quiet` waits up to that many seconds for a pause without views and appends, and returns whether there is one;
    `pauses` counts how often a fold yielded. While `hurried` callers wait for the folds themselves, it does not
    yield.
    """

    pressed: Callable[[], int]
    quiet: Callable[[float], bool] = lambda _: True
    clock: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep
    pauses: int = 0
    hurried: int = 0
    _since_s: float = 0.0

    def give_way(self) -> None:
        """Let others have the interpreter, if this thread has worked for long enough since it last did."""
        now_s = self.clock()
        if self.hurried or now_s - self._since_s < WORK_S:
            return
        if now_s - self._since_s < min(MOST_WORK_S, WORK_S * self.pressed()):
            return
        self.pauses += 1
        self.sleep(PAUSE_S)
        while not self.hurried:
            pressed = self.pressed()
            left_s = PATIENCE_S / pressed - (self.clock() - now_s) if pressed else LOOK_S
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
    shop: Workshop
    pace: Pace = field(init=False)
    queue: Queue = field(default_factory=Queue)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _process: int = field(default_factory=os.getpid)
    _closed: bool = False

    def __post_init__(self) -> None:
        self.pace = Pace(self._pressed, self.shop.calls.quiet)

    @property
    def waiting(self) -> int:
        """Sessions that asked and are not folded yet, the one at work included."""
        self._begin_in_child()
        with self._changed:
            return len(self.queue)

    def ask(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Have `key`, which is of this tier, folded soon; returns at once."""
        self._begin_in_child()
        with self._changed:
            if self._closed:
                return
            self.queue.add(key, time.monotonic(), tier)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="llm-sessions-fold", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            waiting = len(self.queue)
        self.shop.tell(FoldAsked(key, waiting))

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing waits; False when `timeout_s` seconds were not enough."""
        self._begin_in_child()
        with self._changed:
            self.pace.hurried += 1
            try:
                return self._changed.wait_for(lambda: not len(self.queue), timeout_s)
            finally:
                self.pace.hurried -= 1

    def close(self) -> None:
        """Finish the fold at work and stop; what still waits will be asked for again by its next turn."""
        self._begin_in_child()
        with self._changed:
            self._closed = True
            self.pace.hurried += 1
            self.queue.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=30)

    def _begin_in_child(self) -> None:
        """After a fork nothing waits, and nobody is at work."""
        if self._process != os.getpid():
            self._changed, self._thread, self.queue.at_work = threading.Condition(), None, None
            self.queue.clear()
            self.pace.hurried = 0
            self._process = os.getpid()

    def _pressed(self) -> int:
        with self._changed:
            return self.queue.pressed(time.monotonic())

    @contextmanager
    def telling(self, key: Key) -> Iterator[None]:
        """Tell of a fold in the block that fails, instead of raising what it failed with; of one whose store was closed
        meanwhile there is nothing to tell."""
        try:
            yield
        except StoreClosed:
            return
        except SessionError as exc:
            self.shop.tell(FoldFailed(key, _reason(exc)))

    def _next(self) -> tuple[Key, float] | None:
        """The session whose turn it is, once there is one, and since when it waited; None when all is over."""
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
                run_blocking(self.folder.fold(key, asked_at_s=asked_at_s, give_way=self.pace.give_way))
            except StoreClosed:
                continue
            except Exception as exc:  # noqa: BLE001 (the thread must outlive a user's classifier or model)
                self.shop.tell(FoldFailed(key, _reason(exc)))
            finally:
                with self._changed:
                    self.queue.at_work = None
                    self._changed.notify_all()


def _reason(exc: Exception) -> str:
    """What a fold failed with; what a user's model or classifier says of it may quote what was said."""
    kind = type(exc).__name__
    return f"{kind}: {exc}" if isinstance(exc, SessionError) else kind
