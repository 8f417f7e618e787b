"""Workers: processes that fold what others requested over a shared queue (`Sessions(url, fold_queue=...)`)."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import TypeVar

from session_core.errors import ConfigError, StoreBusy, StoreClosed, StoreError
from session_core.events import FoldFailed
from session_core.fold_queue import MOST_ATTEMPTS, PRESENT_S, FoldQueue, FoldTask
from session_core.folds.fold_policy import differences, fold_policy
from session_core.folds.pipeline import failure_of_fold
from session_core.folds.shared_folding import SharedFolding, queue_of
from session_core.logs import logger
from session_core.runtime.ids import fresh_id
from session_core.sessions import Sessions
from session_core.voices import run_blocking

T = TypeVar("T")

POLL_S = 0.1
"""Seconds between two looks at an empty queue, and until a stop is noticed."""
RETRY_S = 1.0
"""Seconds until an unavailable queue or store is tried again."""
CONCURRENCY = 4
REDELIVER_S = 30.0
ENDING = (signal.SIGINT, signal.SIGTERM)


class Worker:
    """Folds the sessions that other processes requested, with the policy of `sessions`.

    That policy must be the application's: its budget says what to fold, its models write the digests. Requests by
    another one are left to workers that have it, or else their application folds by itself; a warning says so.
    `queue` is the one of `sessions` unless another is named.

    Up to `concurrency` sessions are folded at a time, each in a thread; more than one per core helps only if a model
    writes the summaries. If this process dies or stands still for `redeliver_s` seconds, other workers take over what
    it had begun; a fold that was made twice is stored once.
    Raises: ConfigError.
    """

    def __init__(
        self,
        sessions: Sessions,
        queue: str | FoldQueue | None = None,
        *,
        concurrency: int = CONCURRENCY,
        redeliver_s: float = REDELIVER_S,
    ) -> None:
        if concurrency < 1 or not redeliver_s > 0:
            raise ConfigError(
                f"concurrency={concurrency!r}, redeliver_s={redeliver_s!r}; use at least 1, and seconds over 0"
            )
        made = queue_of(queue, sessions.policy, sessions.place)
        if made is None and isinstance(sessions.pipeline, SharedFolding):
            made = sessions.pipeline.queue
        if made is None:
            raise ConfigError(
                f"{sessions!r} has no queue of folds; name that of the application: Worker(sessions, 'redis://...')"
            )
        self.queue, self.taken = made, 0
        self.policy = fold_policy(sessions.policy, sessions.services.counter.name)
        self.name = f"{socket.gethostname()}-{os.getpid()}-{fresh_id()}"
        self._sessions, self._owned = sessions, isinstance(queue, str)
        self._concurrency, self._redeliver_s = concurrency, redeliver_s
        self._held: dict[int, FoldTask] = {}
        self._ended = threading.Event()
        self._stopping = False
        self._renew_at_s = 0.0
        self._said = ""
        self._left_alone: set[str] = set()

    def run(self) -> None:
        """Fold until `stop` is called. Then ends what is in progress, and leaves the rest to other workers.

        An unavailable queue is waited for. Raises: StoreError if the first call to it fails in a way that waiting
        does not mend, such as a wrong password.
        """
        try:
            run_blocking(self.queue.left(policy=self.policy))
        except StoreBusy as exc:
            self._unavailable(exc)
        try:
            with ThreadPoolExecutor(self._concurrency, "llm-sessions-worker") as pool:
                while not self._stopping:
                    self._renew()
                    if not self._begun(pool):
                        self._ended.wait(POLL_S)
                        self._ended.clear()
                while self._held:
                    self._renew()
                    self._ended.wait(POLL_S)
                    self._ended.clear()
        finally:
            self._tried(lambda: run_blocking(self.queue.leave(self.name, policy=self.policy)))
            if self._owned:
                run_blocking(self.queue.close())

    def stop(self) -> None:
        """Ask `run` to return; for other threads and signal handlers."""
        self._stopping = True

    def _begun(self, pool: ThreadPoolExecutor) -> bool:
        """Whether a fold was begun: False if all threads are busy, or there is nothing to do."""
        if len(self._held) >= self._concurrency:
            return False
        task = self._tried(
            lambda: run_blocking(self.queue.take(self.name, policy=self.policy, held_s=self._redeliver_s))
        )
        if task is None:
            return False
        self._held[task.token] = task
        self.taken += 1
        pool.submit(self._fold, task, time.monotonic() - task.waited_s)
        return True

    def _fold(self, task: FoldTask, asked_at_s: float) -> None:
        try:
            failure = self._failure(task, asked_at_s)
            if isinstance(failure, StoreClosed):
                self._stopping = True
                return
            if isinstance(failure, StoreBusy):
                # The store is unavailable, perhaps for this worker alone: the request expires, and is taken again.
                self._tried(lambda: run_blocking(self.queue.uncount(task)))
                time.sleep(RETRY_S)
                return
            self._tried(lambda: run_blocking(self.queue.done(task)))
        finally:
            self._held.pop(task.token, None)
            self._ended.set()

    def _failure(self, task: FoldTask, asked_at_s: float) -> Exception | None:
        """What the fold raised; None also for a request that is given up."""
        if task.attempt <= MOST_ATTEMPTS:
            return failure_of_fold(self._sessions.folder, task.key, asked_at_s=asked_at_s)
        reason = f"GivenUp: {MOST_ATTEMPTS} workers ended, or stood still, in the middle of it"
        self._sessions.services.emit(FoldFailed(task.key, reason))
        return None

    def _renew(self) -> None:
        """Hold what is in progress longer, well before it expires; also says that this worker is present."""
        if time.monotonic() < self._renew_at_s:
            return
        self._renew_at_s = time.monotonic() + min(self._redeliver_s, PRESENT_S) / 3
        held = list(self._held.values())
        self._tried(
            lambda: run_blocking(self.queue.hold(self.name, held, policy=self.policy, held_s=self._redeliver_s))
        )
        self._name_others()

    def _name_others(self) -> None:
        """Warn once of each policy that applications ask for in vain."""
        for other in self._tried(lambda: run_blocking(self.queue.policies())) or ():
            alone = not other.workers and other.asked_s is not None and other.asked_s < PRESENT_S
            if not alone or other.policy in self._left_alone:
                continue
            self._left_alone.add(other.policy)
            ours, theirs = differences(self.policy, other.policy)
            logger.warning(
                "an application requests folds over %s by a policy that no worker has (%s; this worker: %s), and folds "
                "by itself; start workers with its Sessions: llm-sessions worker --app module:name",
                self.queue.place,
                theirs,
                ours,
            )

    def _tried(self, call: Callable[[], T]) -> T | None:
        """The result of a call to the queue; None, after a pause, while that is unavailable."""
        try:
            result = call()
        except StoreClosed:
            self._stopping = True
            return None
        except StoreError as exc:
            self._unavailable(exc)
            time.sleep(RETRY_S)
            return None
        self._said = ""
        return result

    def _unavailable(self, exc: StoreError) -> None:
        said = f"{type(exc).__name__}: {exc}"
        if said != self._said:
            self._said = said
            logger.warning("the queue of folds is unavailable (%s); this worker waits for it", said)


def run_worker(
    sessions: Sessions,
    queue: str | FoldQueue | None = None,
    *,
    concurrency: int = CONCURRENCY,
    redeliver_s: float = REDELIVER_S,
) -> None:
    """Run a `Worker` until the process is told to end (SIGTERM, Ctrl-C). For the main thread; `sessions` stays open.

    The first signal lets it end what is in progress, a second one ends the process at once. Raises: ConfigError;
    StoreError as `Worker.run` does.
    """
    run_until_told(Worker(sessions, queue, concurrency=concurrency, redeliver_s=redeliver_s))


def run_until_told(worker: Worker) -> None:
    """As `run_worker`, for a worker made before."""
    before = {number: signal.getsignal(number) for number in ENDING}

    def end(*_: int | FrameType | None) -> None:
        worker.stop()
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)

    try:
        for number in ENDING:
            signal.signal(number, end)
        worker.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
