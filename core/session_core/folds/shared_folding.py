"""Folding by workers: requests go over a shared queue, and are done in this process while there is no worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from session_core.advisers import require_method
from session_core.budget import Tier
from session_core.errors import ConfigError, StoreClosed, StoreError
from session_core.events import FoldAsked, WorkersLost
from session_core.fold_queue import PRESENT_S, FoldQueue
from session_core.folds.fold_policy import differences, fold_policy
from session_core.folds.pipeline import Background
from session_core.policy import Policy
from session_core.stores.circuit_breaker import CircuitBreaker
from session_core.stores.open import open_queue
from session_core.turns import Key
from session_core.voices import run_blocking

T = TypeVar("T")

RETRY_S = 5.0
"""Seconds until a queue that failed is tried again, and until the next look for why there are no workers."""
LOOK_S = 0.05
"""Seconds between two looks of `drain` at the queue."""


class SharedFolding:
    """Requests folds over `queue`, in the voice of the caller, in one round trip.

    If the queue is unavailable, or has no worker that folds as this process does, the thread `local` folds instead,
    and an event says so once; why there is none, a request asks once in `RETRY_S` seconds. So a request never fails,
    and waits for an unresponsive queue at most once in that time.
    """

    def __init__(self, local: Background, queue: FoldQueue, *, owned: bool) -> None:
        self.local, self.queue = local, queue
        self.policy = fold_policy(local.services.policy, local.services.counter.name)
        self._awaited = queue.awaiting()
        self._owned = owned
        self._breaker = CircuitBreaker(RETRY_S)
        self._lost: str | None = None
        self._no_workers, self._no_workers_until_s = "", 0.0

    @property
    def waiting(self) -> int:
        """Sessions that requested a fold and are not folded yet: all of the queue, and those of this process.

        Those of this process alone while the queue is unavailable.
        """
        counted = self._asked(lambda: run_blocking(self.queue.left(policy=self.policy)))
        return self.local.waiting + (counted[1] if counted else 0)

    @property
    def oldest_s(self) -> float:
        """Seconds since the oldest of these was requested; 0 if there is none."""
        told = self._asked(lambda: run_blocking(self.queue.policies())) or ()
        return max([self.local.oldest_s, *(one.oldest_s for one in told if one.policy == self.policy)])

    def _asked(self, call: Callable[[], T]) -> T | None:
        """The queue's answer; None while it is unavailable."""
        if not self._breaker.lets_through():
            return None
        try:
            found = call()
        except StoreError:
            self._breaker.failed()
            return None
        self._breaker.worked()
        return found

    def ask(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Request a fold of `key`, which is in this tier."""
        run_blocking(self._ask(self.queue, key, tier))

    async def aask(self, key: Key, tier: Tier = Tier.FACTS) -> None:
        """Async form of `ask`."""
        await self._ask(self._awaited, key, tier)

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that is requested by now is folded; False if `timeout_s` seconds were not enough, or the
        queue is unavailable."""
        end_s = time.monotonic() + timeout_s
        if not self.local.drain(timeout_s):
            return False
        try:
            moment, left = run_blocking(self.queue.left(policy=self.policy))
            while left and time.monotonic() < end_s:
                time.sleep(LOOK_S)
                _, left = run_blocking(self.queue.left(moment, policy=self.policy))
        except StoreError:
            return False
        return not left

    def close(self) -> None:
        """Finish a fold in progress in this process; requests in the queue stay there for the workers."""
        self.local.close()
        if self._owned:
            run_blocking(self.queue.close())

    async def _ask(self, queue: FoldQueue, key: Key, tier: Tier) -> None:
        if not self._breaker.lets_through():
            self.local.ask(key, tier)
            return
        try:
            waiting = await queue.ask(key, policy=self.policy, urgent=tier >= Tier.FACTS)
            without = "" if waiting is not None else await self._without_workers(queue)
            self._breaker.worked()
        except StoreClosed:
            return
        except StoreError as exc:
            self._breaker.failed()
            self._by_itself(key, tier, f"{type(exc).__name__}: {exc}")
            return
        if waiting is None:
            self._by_itself(key, tier, without)
            return
        self._lost = None
        self.local.services.emit(FoldAsked(key, waiting))

    async def _without_workers(self, queue: FoldQueue) -> str:
        """Why nobody folds as this process does; the queue is asked once in `RETRY_S` seconds."""
        if time.monotonic() >= self._no_workers_until_s:
            self._no_workers = await self._look_for_workers(queue)
            self._no_workers_until_s = time.monotonic() + RETRY_S
        return self._no_workers

    async def _look_for_workers(self, queue: FoldQueue) -> str:
        others = [one.policy for one in await queue.policies() if one.workers and one.policy != self.policy]
        if not others:
            return f"{queue.place} has had no worker for {PRESENT_S:g} s; start: llm-sessions worker"
        # Of several always the same one, or the reason would be news each time.
        ours, theirs = differences(self.policy, min(others))
        return (
            f"the workers of {queue.place} fold by another policy ({theirs}; here: {ours}); start them with this "
            "application's: llm-sessions worker --app module:name"
        )

    def _by_itself(self, key: Key, tier: Tier, reason: str) -> None:
        if self._lost != reason:
            self._lost = reason
            self.local.services.emit(WorkersLost(key, reason))
        self.local.ask(key, tier)


def queue_of(given: str | FoldQueue | None, policy: Policy, place: object) -> FoldQueue | None:
    """The queue for sessions at `place` (a URL, a store, or None for memory), opened if `given` is a URL.

    Raises: ConfigError if workers cannot fold them.
    """
    if given is None:
        return None
    if policy.folding != "background":
        raise ConfigError(
            f"fold_queue with Policy(folding={policy.folding!r}): workers fold in the background; leave one of them out"
        )
    if str(place or "memory:").startswith("memory:"):
        raise ConfigError("workers cannot fold sessions in memory://, which are of this process; name another store")
    return open_queue(given) if isinstance(given, str) else require_method(given, "ask", "a fold_queue")
