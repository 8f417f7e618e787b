"""Single-flight: one caller asks slow nodes or sentinels on behalf of all waiting callers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from threading import Lock
from typing import TypeVar

from session_core.stores.redis.driver import exceptions
from session_core.voices import fair_semaphore

T = TypeVar("T")
_FAILURES = (exceptions.RedisError, exceptions.RedisClusterException)


class _Failures:
    """How often the work of an `SingleFlight` failed, and the last error."""

    def __init__(self) -> None:
        self._count = 0
        self._why: Exception | None = None

    def _raise_if_failed_since(self, before: int) -> None:
        if self._why is not None and self._count != before:
            raise type(self._why)(*self._why.args) from self._why.__cause__

    def _failed(self, why: Exception) -> None:
        self._count, self._why = self._count + 1, why


class SingleFlight(_Failures):
    """Runs a function in one thread at a time. Callers that wait for a run that fails get its error, and do not
    repeat it."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()

    def do(self, work: Callable[[], T]) -> T:
        before = self._count
        with self._lock:
            self._raise_if_failed_since(before)
            try:
                return work()
            except _FAILURES as exc:
                self._failed(exc)
                raise


class AwaitingSingleFlight(_Failures):
    """As `SingleFlight`, for the tasks of one loop."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = fair_semaphore(1)

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        before = self._count
        async with self._gate:
            self._raise_if_failed_since(before)
            try:
                return await work()
            except _FAILURES as exc:
                self._failed(exc)
                raise
