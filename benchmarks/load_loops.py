"""Two kinds of load in two voices: cycles that arrive at fixed times, and workers that never rest."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle

from benchmarks.conversation import Said
from benchmarks.load_stores import ERRORS, Asked, Store

WORKERS = 128
EVERY = 10
"""Of so many sessions one is asked something in each of its cycles, where there are questions."""
STARTS_IN_S = 0.1


@dataclass(slots=True)
class Outcome:
    """What a load saw, in lists that threads may add to.

    `views`, `asked` and `appends` are seconds: of a view without and with a question from the moment its cycle was
    due, of an append from the end of what was before it. `given` has how many messages each view gave, `quoted` how
    many of the record those with a question brought back, `errors` what was raised. Cycles that were never served
    are in `views` or `asked` with the time they waited. `cpu_s` is what the process worked meanwhile.
    """

    views: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    appends: list[float] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    quoted: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unserved: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0

    def add(self, other: Outcome) -> None:
        """Pool two rounds."""
        self.views += other.views
        self.asked += other.asked
        self.appends += other.appends
        self.given += other.given
        self.quoted += other.quoted
        self.errors += other.errors
        self.unserved += other.unserved
        self.seconds += other.seconds
        self.cpu_s += other.cpu_s

    @property
    def cycles(self) -> float:
        """Whole cycles, by the appends that were done."""
        return len(self.appends) / 2

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor time that a cycle took, folds in the background included."""
        return self.cpu_s / max(1.0, self.cycles) * 1e3


class Load:
    """Cycles of view, append, append on sessions 0 to 127, one session after the other.

    With `asked`, the views of every tenth session, and so of every tenth cycle, carry one of `questions` each.
    """

    def __init__(
        self, store: Store, said: Sequence[Said], asked: Asked | None = None, questions: Sequence[str] = ()
    ) -> None:
        self._store, self._asked = store, asked
        self._said: Iterator[Said] = cycle(said)
        self._questions: Iterator[str] = cycle(questions)

    def first(self) -> Outcome:
        """A question to each session that is asked later, one after the other, and then another to each."""
        outcome = Outcome()
        for session in [*range(0, WORKERS, EVERY)] * 2:
            self._ask(session, time.perf_counter(), outcome)
        return outcome

    def arriving(self, per_second: int, seconds: float) -> Outcome:
        """An open loop in threads: 128 workers take the cycles as they fall due."""
        outcome, numbers = Outcome(seconds=seconds), count()
        began = time.perf_counter() + STARTS_IN_S

        def work() -> None:
            while (number := next(numbers)) < per_second * seconds:
                due = began + number / per_second
                time.sleep(max(0.0, due - time.perf_counter()))
                session = number % WORKERS
                if not self._too_late(session, outcome, due, began + seconds):
                    self._cycle(session, due, outcome, asks=self._asks(session))

        _in_threads([work] * WORKERS)
        return outcome

    def saturating(self, seconds: float) -> Outcome:
        """A closed loop in threads: each of 128 workers has its session and begins again at once."""
        outcome = Outcome()
        began = time.perf_counter()

        def work(session: int) -> None:
            while (now := time.perf_counter()) < began + seconds:
                self._cycle(session, now, outcome)

        _in_threads([lambda session=session: work(session) for session in range(WORKERS)])
        outcome.seconds = time.perf_counter() - began
        return outcome

    async def afirst(self) -> Outcome:
        """As `first`, on an event loop."""
        outcome = Outcome()
        for session in [*range(0, WORKERS, EVERY)] * 2:
            await self._aask(session, time.perf_counter(), outcome)
        return outcome

    async def aarriving(self, per_second: int, seconds: float) -> Outcome:
        """As `arriving`, in tasks of one event loop; at most 128 cycles are under way."""
        outcome, room = Outcome(seconds=seconds), asyncio.Semaphore(WORKERS)
        began = time.perf_counter() + STARTS_IN_S

        async def serve(number: int, due: float) -> None:
            async with room:
                session = number % WORKERS
                if not self._too_late(session, outcome, due, began + seconds):
                    await self._acycle(session, due, outcome, asks=self._asks(session))

        async with asyncio.TaskGroup() as tasks:
            for number in range(int(per_second * seconds)):
                due = began + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(serve(number, due))
        return outcome

    async def asaturating(self, seconds: float) -> Outcome:
        """As `saturating`, in tasks of one event loop."""
        outcome = Outcome()
        began = time.perf_counter()

        async def work(session: int) -> None:
            while (now := time.perf_counter()) < began + seconds:
                await self._acycle(session, now, outcome)

        async with asyncio.TaskGroup() as tasks:
            for session in range(WORKERS):
                tasks.create_task(work(session))
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _asks(self, session: int) -> bool:
        return self._asked is not None and session % EVERY == 0

    def _cycle(self, session: int, due: float, outcome: Outcome, *, asks: bool = False) -> None:
        try:
            before = self._ask(session, due, outcome) if asks else self._read(session, due, outcome)
            for _ in range(2):
                self._store.append(session, next(self._said))
                before, began = time.perf_counter(), before
                outcome.appends.append(before - began)
        except ERRORS as exc:
            outcome.errors.append(type(exc).__name__)

    async def _acycle(self, session: int, due: float, outcome: Outcome, *, asks: bool = False) -> None:
        try:
            before = await (self._aask if asks else self._aread)(session, due, outcome)
            for _ in range(2):
                await self._store.aappend(session, next(self._said))
                before, began = time.perf_counter(), before
                outcome.appends.append(before - began)
        except ERRORS as exc:
            outcome.errors.append(type(exc).__name__)

    def _read(self, session: int, due: float, outcome: Outcome) -> float:
        """When the view was there."""
        given = self._store.read(session)
        return _viewed(outcome, due, given)

    async def _aread(self, session: int, due: float, outcome: Outcome) -> float:
        given = await self._store.aread(session)
        return _viewed(outcome, due, given)

    def _ask(self, session: int, due: float, outcome: Outcome) -> float:
        """When the view for a question was there."""
        assert self._asked is not None
        given, quoted = self._asked.ask(session, next(self._questions))
        return _viewed(outcome, due, given, quoted)

    async def _aask(self, session: int, due: float, outcome: Outcome) -> float:
        assert self._asked is not None
        given, quoted = await self._asked.aask(session, next(self._questions))
        return _viewed(outcome, due, given, quoted)

    def _too_late(self, session: int, outcome: Outcome, due: float, end: float) -> bool:
        """Whether the round is over; then the cycle is not served, and has waited at least until now."""
        now = time.perf_counter()
        if now < end:
            return False
        outcome.unserved.append(now - due)
        (outcome.asked if self._asks(session) else outcome.views).append(now - due)
        return True


def _viewed(outcome: Outcome, due: float, given: int, quoted: int | None = None) -> float:
    now = time.perf_counter()
    outcome.given.append(given)
    if quoted is None:
        outcome.views.append(now - due)
    else:
        outcome.asked.append(now - due)
        outcome.quoted.append(quoted)
    return now


def _in_threads(works: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
