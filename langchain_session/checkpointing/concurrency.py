"""`SessionSaver(concurrency=...)`: the rules for concurrent runs on one thread."""

from __future__ import annotations

import gc
import logging
import math
import os
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any, Literal, TypedDict, get_args

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointTuple
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT, TASKS

from langchain_session.checkpointing.run_ends import at_end_of_run
from langchain_session.graph_state.threads import FORK, FROM, RUNTIME, TURN, key_of, notes_of, with_notes
from session_core.errors import BudgetError, ConfigError, StoreError, TurnLost, VoiceError, shown
from session_core.leasing import LONGEST_PAUSE_S, Pause, hold_turn, take_turn
from session_core.ports import Lease, Leasing
from session_core.runtime.forks import ForkSafeLock
from session_core.turns import Key
from session_core.voices import CallingTask, run_blocking

logger = logging.getLogger(__name__)

Concurrency = Literal["merge", "serialize", "reject"]
Read = Callable[[], Awaitable[CheckpointTuple | None]]

START = "__start__"
"""The channel for the input of a graph."""
_LEADS_ON = (START, TASKS, "branch:", "join:")
"""Prefixes of the channels that trigger nodes of a graph."""
_HANDLED = "__error_source_node__"
"""Written beside an error that a node of the graph handles."""
TURN_TTL_S = 300.0
"""Seconds that a turn lasts without activity of its run; longer than model and tool calls usually take."""
CLOSE_WAITS_S = 5.0
"""Seconds that a close waits for turns that are being released, in case the server is unreachable."""
COLLECT_EVERY_S = 5.0
"""Seconds between two garbage collections for waiting callers, since each stops the whole process for a moment."""
HELD_ON_AFTER = 3
"""A lease is renewed after a third of its time."""


class Guard(TypedDict, total=False):
    """The conditions on the turn of a run that `put_checkpoint` checks."""

    lease: Lease | None
    follows: bool


class ConcurrencyRule:
    """`merge`: any run may store checkpoints, and the record has the messages of concurrent runs after each other."""

    async def start_run(
        self, store: Leasing, pause: Pause, config: RunnableConfig, read: Read
    ) -> CheckpointTuple | None:
        """The result of `read` for a caller with `config`; a run has started then."""
        return await read()

    async def guard(self, store: Leasing, config: RunnableConfig) -> Guard:
        """The conditions for storing the next checkpoint of a run. Raises: TurnLost."""
        return {}

    async def on_checkpoint(self, store: Leasing, config: RunnableConfig, checkpoint: Checkpoint) -> None:
        """Called after a checkpoint was stored."""

    async def on_writes(self, store: Leasing, config: RunnableConfig, writes: Sequence[tuple[str, Any]]) -> None:
        """Called after a task's writes were stored."""

    def close(self) -> None:
        """Called when no more runs start."""


class Reject(ConcurrencyRule):
    """Each checkpoint of a run must follow the newest one of its thread.

    Except for the first one of a run that was told to start from an older checkpoint. Subgraphs follow their parents.
    """

    async def start_run(
        self, store: Leasing, pause: Pause, config: RunnableConfig, read: Read
    ) -> CheckpointTuple | None:
        found = await read()
        if found is not None and RUNTIME in config["configurable"]:
            begins = {FROM: found.config["configurable"]["checkpoint_id"]}
            return found._replace(config=with_notes(found.config, **begins))
        return found

    async def guard(self, store: Leasing, config: RunnableConfig) -> Guard:
        names, notes = config["configurable"], notes_of(config)
        branches = FORK in notes and names.get("checkpoint_id") == notes.get(FROM)
        return {"follows": RUNTIME in names and not names.get("checkpoint_ns") and not branches}


class Holder(str):
    """The name of a holder. Only the config of its run refers to it, so its garbage collection means that the run is
    gone.
    """


@dataclass(slots=True, eq=False)
class _Turn:
    """The turn of one run. `lease` is None after its release; `on_checkpoint` is the run's newest checkpoint, and
    `stopped` one whose tasks ended the run. `task` began the run; once it has ended,
    garbage is `searched` for the run."""

    key: Key
    holder: str
    lease: Lease | None
    held_s: float
    stored: str | None = None
    stopped: str | None = None
    task: CallingTask = field(default_factory=CallingTask)
    searched: bool = False
    process: int = field(default_factory=os.getpid)

    async def release(self, store: Leasing) -> None:
        """Release the turn if that was not done; the child of a fork leaves it to its parent.

        Two simultaneous callers both release it, which is harmless: neither returns before it is free.
        """
        lease = self.lease
        if lease is not None and self.process == os.getpid():
            await store.drop_lease(lease)
        self.lease = None


class _Turns:
    """The turns of running runs by holder, and those of ended runs until they are released.

    A run may end whenever the interpreter frees its config, so `run_ended` may interrupt any line here.
    """

    def __init__(self) -> None:
        self.live: dict[str, _Turn] = {}
        self._gone: deque[_Turn] = deque()
        self._bell: SimpleQueue[bool] = SimpleQueue()

    def over(self, holder: str) -> None:
        """Called when a run has ended; should it go on after all, its turn is still known."""
        self._end(self.live.get(holder))

    def run_ended(self, holder: str) -> None:
        """Called when a run is over and nothing can go on with it."""
        self._end(self.live.pop(holder, None))

    def _end(self, turn: _Turn | None) -> None:
        if turn is not None:
            self._gone.append(turn)
            self._bell.put(True)

    def end(self) -> None:
        """Make `release_until_end` return."""
        self._bell.put(False)

    async def release_ended(self, store: Leasing) -> None:
        """Release the turns of ended runs. A turn that another caller is releasing stays listed until it is free."""
        while (turn := self._next()) is not None:
            try:
                await turn.release(store)
            finally:
                with suppress(ValueError):
                    self._gone.remove(turn)

    def _next(self) -> _Turn | None:
        with suppress(IndexError):
            return self._gone[0]
        return None

    def release_until_end(self, store: Leasing) -> None:
        """Release the turn of each ended run, until `end` is called."""
        while self._bell.get():
            try:
                run_blocking(self.release_ended(store))
            except (StoreError, VoiceError):
                # Then it expires: the store is unreachable, or for async callers only.
                continue


class Serialize(ConcurrencyRule):
    """A run has the turn of its thread from start to end; others wait.

    LangGraph does not tell checkpointers when a run ends. It is over when it stored a checkpoint after which the
    graph has nothing to do, when a task failed or was interrupted, when it leaves what it entered (`run_ends`: a
    breakpoint, the step limit, Ctrl-C), or when its config is garbage-collected (a stream that is not read on). The
    turn of a killed run expires; what that run stores later is refused. A run that released its turn but continues
    takes it again, unless another holder has it.
    """

    def __init__(self, store: Leasing, tenant: str, *, ttl_s: float, wait_s: float) -> None:
        if not (ttl_s > 0 and wait_s >= 0):
            raise BudgetError(f"turn_ttl_s={ttl_s}, wait_s={wait_s}; pass seconds, turn_ttl_s over 0")
        self._store, self._tenant = store, tenant
        self._ttl_s, self._wait_s = ttl_s, wait_s
        self._collected_s = -math.inf
        self._starting = ForkSafeLock()
        self._begin()

    def _begin(self) -> None:
        """Initialize for this process: after a fork, a queue of the parent may be locked by a thread that the child
        lacks."""
        self._process = os.getpid()
        self._turns = _Turns()
        self._keeper: threading.Thread | None = None
        self._end = weakref.finalize(self, self._turns.end)

    async def start_run(
        self, store: Leasing, pause: Pause, config: RunnableConfig, read: Read
    ) -> CheckpointTuple | None:
        names = config["configurable"]
        key = key_of(config, self._tenant)
        mine = self._turns.live.get(names.get(TURN, ""))
        if RUNTIME not in names or key.namespace or (mine is not None and mine.key == key):
            return await read()
        self._start_releasing()
        turn = await self._take(store, pause, key)
        # LangGraph made this dict for the run, so the name is kept even by a first run without a checkpoint.
        names[TURN] = name = Holder(turn.holder)
        weakref.finalize(name, self._turns.run_ended, turn.holder).atexit = False
        at_end_of_run(partial(self._turns.over, turn.holder))
        try:
            found = await read()
        except BaseException:
            await turn.release(store)
            raise
        turn.stored = found.checkpoint["id"] if found is not None else None
        return found

    async def guard(self, store: Leasing, config: RunnableConfig) -> Guard:
        turn = self._of(config)
        if turn is None:
            return {}
        if turn.lease is None:
            if config["configurable"].get("checkpoint_ns"):
                # Remains of a failed run: checkpoints of its other subgraphs do not change the conversation.
                return {}
            turn.lease = await store.take_lease(turn.key, holder=turn.holder, ttl_s=self._ttl_s)
            if turn.lease is None:
                raise TurnLost(
                    f"session {turn.key}: the run released its turn, and another holder has it; run it again"
                )
            turn.held_s = time.monotonic()
        elif time.monotonic() - turn.held_s > self._ttl_s / HELD_ON_AFTER:
            await hold_turn(store, turn.lease, ttl_s=self._ttl_s)
            turn.held_s = time.monotonic()
        return {"lease": turn.lease}

    async def on_checkpoint(self, store: Leasing, config: RunnableConfig, checkpoint: Checkpoint) -> None:
        turn = self._of(config)
        if turn is None or config["configurable"].get("checkpoint_ns"):
            return
        turn.stored = checkpoint["id"]
        if turn.stopped == turn.stored or is_final(checkpoint):
            await turn.release(store)

    async def on_writes(self, store: Leasing, config: RunnableConfig, writes: Sequence[tuple[str, Any]]) -> None:
        turn = self._of(config)
        if turn is None or config["configurable"].get("checkpoint_ns") or not ends_run(writes):
            return
        turn.stopped = config["configurable"]["checkpoint_id"]
        if turn.stopped == turn.stored:
            await turn.release(store)

    def close(self) -> None:
        self._end()
        keeper, self._keeper = self._keeper, None
        if keeper is not None and keeper is not threading.current_thread():
            # A later release would reopen connections of a store that is about to be closed.
            keeper.join(timeout=CLOSE_WAITS_S)
            if keeper.is_alive():
                logger.warning(
                    "sessions of tenant %s: the %s store did not release turns within %.0f s of closing the saver; "
                    "they expire %.0f s after the last activity of their runs",
                    self._tenant,
                    getattr(self._store, "scheme", type(self._store).__name__),
                    CLOSE_WAITS_S,
                    self._ttl_s,
                )

    def _of(self, config: RunnableConfig) -> _Turn | None:
        """The turn of the run that the config belongs to."""
        names = config["configurable"]
        turn = self._turns.live.get(names.get(TURN, ""))
        return turn if turn is not None and turn.key.session_id == str(names["thread_id"]) else None

    async def _take(self, store: Leasing, pause: Pause, key: Key) -> _Turn:
        async def pause_and_tidy(seconds: float) -> None:
            await pause(seconds)
            if seconds >= LONGEST_PAUSE_S:
                self._find_runs_that_are_gone(key)
            await self._turns.release_ended(store)

        await self._turns.release_ended(store)
        holder = secrets.token_hex(16)
        lease = await take_turn(store, key, holder=holder, ttl_s=self._ttl_s, wait_s=self._wait_s, pause=pause_and_tidy)
        turn = self._turns.live[holder] = _Turn(key, holder, lease, time.monotonic())
        return turn

    def _find_runs_that_are_gone(self, key: Key) -> None:
        """Give up turns of runs of this process that were cancelled: whoever holds the task holds its error, and the
        config in its frames. Else collect garbage: a run whose caller is gone is a reference cycle, which Python may
        not collect for minutes. At once where the task that began it has ended, as that of a web request does."""
        held_here = [turn for turn in list(self._turns.live.values()) if turn.key == key and turn.lease is not None]
        over = [turn for turn in held_here if turn.task.cancelled]
        for turn in over:
            self._turns.run_ended(turn.holder)
        left = [turn for turn in held_here if turn.task.ended and not turn.searched]
        if held_here and not over and (left or time.monotonic() - self._collected_s > COLLECT_EVERY_S):
            for turn in left:
                turn.searched = True
            gc.collect()
            self._collected_s = time.monotonic()

    def _start_releasing(self) -> None:
        """Start a thread that releases turns that other processes wait for, even if nobody calls this saver again."""
        with self._starting:
            if self._process != os.getpid():
                self._begin()
            if self._keeper is None or not self._keeper.is_alive():
                self._keeper = threading.Thread(
                    target=self._turns.release_until_end,
                    args=(self._store,),
                    name="llm-sessions-turns",
                    daemon=True,
                )
                self._keeper.start()


def rule_of(concurrency: str, store: Leasing, tenant: str, *, turn_ttl_s: float, wait_s: float) -> ConcurrencyRule:
    """The rule with that name. Raises: ConfigError for an unknown one; BudgetError."""
    if concurrency not in get_args(Concurrency):
        raise ConfigError(f"concurrency={shown(concurrency)}; it is one of: {', '.join(get_args(Concurrency))}")
    for name, seconds in (("turn_ttl_s", turn_ttl_s), ("wait_s", wait_s)):
        if not isinstance(seconds, (int, float)):
            raise BudgetError(f"{name}={seconds!r}; pass seconds")
    if concurrency == "serialize":
        return Serialize(store, tenant, ttl_s=turn_ttl_s, wait_s=wait_s)
    return Reject() if concurrency == "reject" else ConcurrencyRule()


def is_final(checkpoint: Checkpoint) -> bool:
    """Whether a graph of nodes and edges, or an entrypoint, ends with this checkpoint.

    Always False for a graph that was built from channels by hand.
    """
    fresh = checkpoint.get("updated_channels")
    known = any(START in seen for seen in checkpoint["versions_seen"].values())
    return known and fresh is not None and not any(name.startswith(_LEADS_ON) for name in fresh)


def ends_run(writes: Sequence[tuple[str, Any]]) -> bool:
    """Whether a task's writes end its run: an interrupt, or an error that no node handles. Parallel tasks may still be
    running, but no checkpoint follows."""
    names = {name for name, _ in writes}
    return INTERRUPT in names or (ERROR in names and _HANDLED not in names)
