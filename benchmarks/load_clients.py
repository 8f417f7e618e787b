"""Processes that put load on one store in one voice each, one process at a time."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from benchmarks.conversation import texts
from benchmarks.load_loops import WORKERS, Load, Outcome
from benchmarks.load_stores import CONNECTIONS, Floor, LangChainRedis, Ours, Store
from benchmarks.setting import BUDGET_TOKENS

PER_SECOND = 100
ARRIVING_S = 4.0
SATURATING_S = 2.0
APPENDED = 20_000
"""Different messages that a process appends before it begins anew."""
NAMES = [f"live {number}" for number in range(WORKERS)]


class Client:
    """A process of its own that puts load on one store in one voice, when it is told to.

    With `questions`, which only ours has views for, every tenth cycle asks one.
    """

    def __init__(self, store: str, voice: str, port: int, questions: Sequence[str] = ()) -> None:
        self.store = store
        self.voice = voice
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        given = (theirs, store, voice, port, questions)
        self._process: BaseProcess = spawning.Process(target=_serve, args=given, daemon=True)
        self._process.start()
        self.arriving, self.saturating, self.first = Outcome(), Outcome(), Outcome()

    def load(self, kind: str, last: int = 1) -> Outcome:
        """One round. `last` is how many messages a view has, for the floor to read as many."""
        self._pipe.send((kind, last))
        outcome = self._pipe.recv()
        assert isinstance(outcome, Outcome)
        getattr(self, kind).add(outcome)
        return outcome

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()


def _serve(pipe: Connection, store: str, voice: str, port: int, questions: Sequence[str]) -> None:
    """What a client's process does until it is told to stop."""
    made = _store(store, port)
    asked = made if questions and isinstance(made, Ours) else None
    load = Load(made, list(texts(APPENDED)), asked, questions)
    limits: dict[str, Any] = {"arriving": (PER_SECOND, ARRIVING_S), "saturating": (SATURATING_S,), "first": ()}
    # Python's full collections look at all that was ever imported, the peers' libraries too: 100 to 150 ms each.
    gc.collect()
    gc.freeze()
    with asyncio.Runner() as runner:
        while (order := pipe.recv()) is not None:
            kind, last = order
            if isinstance(made, Floor):
                made.last = last
            began_s = time.process_time()
            if voice == "threads":
                outcome = getattr(load, kind)(*limits[kind])
            else:
                outcome = runner.run(getattr(load, f"a{kind}")(*limits[kind]))
            outcome.cpu_s = time.process_time() - began_s
            if isinstance(made, Ours):
                # Before the next process has its turn: it would do them again.
                made.rest()
            # Nor is a full collection, of 20 to 90 ms, to come in the next round for what this one made.
            gc.collect()
            pipe.send(outcome)


def _store(store: str, port: int) -> Store:
    if store == "ours":
        return Ours(port, NAMES, BUDGET_TOKENS)
    if store == "floor":
        return Floor(port, NAMES)
    return LangChainRedis(port, NAMES, connections=CONNECTIONS if store == "langchain-redis" else None)
