"""A circuit breaker: a server that fails is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from session_core.runtime.forks import ForkSafeLock


class CircuitBreaker:
    """Passes calls until one fails; then one call per `retry_after_s` seconds, until one works.

    So an unavailable server costs one timeout in that time, whatever the load. Implemented here because libraries
    for it wait, count and lock in one voice only; retries within a call are the driver's.
    """

    def __init__(self, retry_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._retry_after_s, self._clock = retry_after_s, clock
        self._retry_at_s: float | None = None
        self._lock = ForkSafeLock()

    def lets_through(self) -> bool:
        """Whether to try now; while the circuit is open, True is returned to one caller only."""
        with self._lock:
            if self._retry_at_s is None:
                return True
            if self._clock() < self._retry_at_s:
                return False
            self._retry_at_s = self._clock() + self._retry_after_s
            return True

    def worked(self) -> None:
        with self._lock:
            self._retry_at_s = None

    def failed(self) -> None:
        with self._lock:
            self._retry_at_s = self._clock() + self._retry_after_s
