"""Batches simultaneous calls of one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class BatchTimeout(Exception):
    """A caller of `Batcher` waited too long."""


class Batcher(Generic[T, R]):
    """Batches calls of one loop: a lone call runs at once; those that arrive before the next iteration run together.

    So do those that arrive while `lines` works are in progress. FIFO, at most `most` parts per batch; a larger call
    goes alone. All callers of a failed `work` get its error; if one is cancelled, the work goes on for the others.
    """

    def __init__(self, work: Callable[[Sequence[T]], Coroutine[Any, Any, list[R]]], *, lines: int, most: int) -> None:
        self._work = work
        self._free = lines
        self._most = most
        self._turning = False
        self._waiting: deque[_Waiter[T, R]] = deque()
        self._tasks: set[asyncio.Task[list[R]]] = set()

    async def run(self, parts: Sequence[T], *, wait_s: float) -> list[R]:
        """The results of `parts`. Raises: BatchTimeout if no work on them began within `wait_s` seconds."""
        loop = asyncio.get_running_loop()
        if self._free and not self._turning:
            if self._most > 1:
                self._turning = True
                loop.call_soon(self._end_iteration)
            self._free -= 1
            try:
                return await self._work(parts)
            finally:
                self._free += 1
                self._start_waiting()
        mine = _Waiter(parts, loop.create_future())
        self._waiting.append(mine)
        bell = loop.call_later(wait_s, mine.time_out)
        try:
            return await mine.result
        finally:
            bell.cancel()
            mine.retrieve_error()

    def _end_iteration(self) -> None:
        self._turning = False
        self._start_waiting()

    def _start_waiting(self) -> None:
        """Start work for waiting callers, on the lines that are free."""
        while self._free and not self._turning and (some := self._next_batch()):
            self._free -= 1
            for one in some:
                one.begun = True
            parts = [part for one in some for part in one.parts]
            # Not in the context of the finished caller, whose trace would get the spans of others.
            task = some[0].result.get_loop().create_task(self._work(parts), context=Context())
            self._tasks.add(task)
            task.add_done_callback(partial(self._finish, some))

    def _next_batch(self) -> list[_Waiter[T, R]]:
        some: list[_Waiter[T, R]] = []
        room = self._most
        while self._waiting:
            if self._waiting[0].result.done():
                self._waiting.popleft()
                continue
            room -= len(self._waiting[0].parts)
            if some and room < 0:
                break
            some.append(self._waiting.popleft())
        return some

    def _finish(self, some: Sequence[_Waiter[T, R]], task: asyncio.Task[list[R]]) -> None:
        self._tasks.discard(task)
        self._free += 1
        failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        start = 0
        for one in some:
            end = start + len(one.parts)
            one.resolve(failure or task.result()[start:end])
            start = end
        self._start_waiting()


@dataclass(slots=True)
class _Waiter(Generic[T, R]):
    """A caller of `Batcher`, whose future may be cancelled."""

    parts: Sequence[T]
    result: asyncio.Future[list[R]]
    begun: bool = False

    def time_out(self) -> None:
        """Fail with `BatchTimeout`: it waited long enough."""
        if not self.begun and not self.result.done():
            self.result.set_exception(BatchTimeout())

    def retrieve_error(self) -> None:
        """Mark the error as retrieved if the caller was cancelled meanwhile."""
        if self.result.done() and not self.result.cancelled():
            self.result.exception()

    def resolve(self, result: list[R] | BaseException) -> None:
        if self.result.done():
            return
        if isinstance(result, asyncio.CancelledError):
            self.result.cancel()
        elif isinstance(result, BaseException):
            self.result.set_exception(result)
        else:
            self.result.set_result(result)
