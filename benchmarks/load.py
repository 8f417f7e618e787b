"""128 live sessions on Redis at once: cycles of view, append, append, arriving at fixed times or without a pause."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from benchmarks.conversation import TURN, Said, mixed, texts
from benchmarks.floors import RedisFloor
from benchmarks.load_loops import WORKERS, Load, Outcome
from benchmarks.load_stores import CONNECTIONS, Floor, LangChainRedis, Ours, Store
from benchmarks.peers import fill, langchain_redis
from benchmarks.servers import module_redis, redis_version, speaking_2
from benchmarks.setting import BUDGET_TOKENS, POLICY, converse
from benchmarks.timing import machine, percentile_ms, say, table
from session_core import Sessions
from session_core.turns import Key
from session_core.voices import run_blocking
from tests.redis_server import redis_server

MESSAGES = 1_000
PHASES = 25
"""Sessions have up to as many exchanges more than that."""
PER_SECOND = 100
ROUNDS = 5
ARRIVING_S = 4.0
SATURATING_S = 2.0
APPENDED = 20_000
"""Different messages that a process appends before it begins anew."""
AT_ONCE = 100
STORES = ("ours", "floor", "langchain-redis")
KINDS = ("arriving", "saturating")
VOICES = ("threads", "asyncio")
NAMES = [f"live {number}" for number in range(WORKERS)]


class Client:
    """A process of its own that puts load on one store in one voice, when it is told to."""

    def __init__(self, store: str, voice: str, port: int) -> None:
        self.store = store
        self.voice = voice
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process: BaseProcess = spawning.Process(target=_serve, args=(theirs, store, voice, port), daemon=True)
        self._process.start()
        self.arriving, self.saturating = Outcome(), Outcome()

    def load(self, kind: str, last: int) -> Outcome:
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


def main() -> None:
    """Fill the servers, put the load on, and print both tables."""
    with ExitStack() as stack:
        plain, modules = stack.enter_context(redis_server()), stack.enter_context(module_redis())
        client, client_2 = stack.enter_context(plain.client()), stack.enter_context(speaking_2(modules))
        print(machine("redis", "orjson", "langchain-redis"))
        say(
            f"{redis_version(client)}, appendonly yes, appendfsync everysec; {WORKERS} sessions of {MESSAGES:,}",
            f"messages, every fourth a 4 KB tool result, and up to {2 * PHASES - 2} texts more, so that they are out",
            "of step. Each store is used from one Python process, apart from the server's, on the same cores; one",
            "is at work at a time, by turns. A cycle: view, append, append. Each process calls gc.freeze() once it has",
            "its libraries, and ours sessions.warm() before, as a service does that cares for its p99; between",
            "rounds folds that wait are done, and each process collects its garbage.",
        )
        said, more = list(mixed(MESSAGES)), list(texts(2 * PHASES))
        with Sessions(plain.url, policy=POLICY) as sessions:
            _fill_ours(sessions, said, more)
        for number, name in enumerate(NAMES):
            RedisFloor(client, f"floor {name}").fill(said + more[: _ahead(number)])
            fill(langchain_redis(client_2, name), said + more[: _ahead(number)])
        ports = {"ours": plain.port, "floor": plain.port, "langchain-redis": modules.port}
        clients = [Client(store, voice, ports[store]) for voice in VOICES for store in STORES]
        for one in clients:
            stack.callback(one.close)
        _run(clients)
        _print_arriving(clients)
        _print_saturating(clients)
        _print_defaults(stack.enter_context(closing(Client("langchain-redis, defaults", "threads", modules.port))))


def _run(clients: Iterable[Client]) -> None:
    for _ in range(ROUNDS):
        last = dict.fromkeys(KINDS, 1)
        for one in clients:
            for kind in KINDS:
                outcome = one.load(kind, last[kind])
                if one.store == "ours":
                    last[kind] = round(sum(outcome.given) / max(1, len(outcome.given)))


def _print_arriving(clients: Iterable[Client]) -> None:
    say(
        f"Open loop: {PER_SECOND} cycles a second, {ROUNDS} rounds of {ARRIVING_S:g} s; ms, a view's from the moment",
        "its cycle was due, an append's from the end of what was before it. A cycle not served at the end of a round",
        "counts as a view with the time it waited. read: messages that a view gave; the floor reads as many. cpu:",
        "processor time of the client for a cycle, folds in the background included.",
    )
    rows = []
    for one in clients:
        seen = one.arriving
        figures = [percentile_ms(t, p) for t in (seen.views, seen.appends) for p in (50, 95, 99)]
        mean = sum(seen.given) / max(1, len(seen.given))
        counts = [len(seen.unserved), len(seen.errors), mean, seen.cpu_ms]
        rows.append([f"{one.voice}, {one.store}", *figures, *counts])
    head = [f"{what} p{p}" for what in ("view", "append") for p in (50, 95, 99)]
    table(["", *head, "unserved", "errors", "read", "cpu ms"], rows)


def _print_saturating(clients: Iterable[Client]) -> None:
    say(
        f"Closed loop: {WORKERS} workers, each a session, {ROUNDS} rounds of {SATURATING_S:g} s; whole cycles a second."
    )
    done = {(one.voice, one.store): one.saturating.cycles / one.saturating.seconds for one in clients}
    rows = []
    for one in clients:
        seen, mine = one.saturating, done[one.voice, one.store]
        times = [percentile_ms(seen.views, 50), percentile_ms(seen.views, 99), percentile_ms(seen.appends, 99)]
        ratios = [mine / done[one.voice, other] for other in ("floor", "langchain-redis")]
        rows.append([f"{one.voice}, {one.store}", mine, *ratios, *times, len(seen.errors), seen.cpu_ms])
    head = ["", "cycles/s", "x floor", "x langchain-redis", "view p50", "view p99", "append p99", "errors", "cpu ms"]
    table(head, rows)


def _print_defaults(client: Client) -> None:
    seen = client.load("saturating", 1)
    kinds = ", ".join(sorted(set(seen.errors))) or "none"
    say(
        f"langchain-redis on one client with redis-py's defaults, instead of {CONNECTIONS} connections to wait for:",
        f"{len(seen.errors)} errors ({kinds}) beside {seen.cycles:.0f} cycles in {seen.seconds:.1f} s.",
    )


def _ahead(number: int) -> int:
    """How many messages more a session has: if all had as many, all would have to be folded at the same time."""
    return 2 * (number % PHASES)


def _fill_ours(sessions: Sessions, said: list[Said], more: list[Said]) -> None:
    """One conversation, held turn by turn; the other sessions are given its messages and its digest, which differs
    in its first word, and go on by themselves."""
    store, first = sessions.store, Key(NAMES[0])
    converse(sessions.session(NAMES[0]), said)
    record, digest = run_blocking(store.record(first)), run_blocking(store.load(first)).digest
    assert digest is not None
    for name in NAMES[1:]:
        for start in range(0, len(record) - TURN, AT_ONCE):
            run_blocking(store.append(Key(name), record[start : min(start + AT_ONCE, len(record) - TURN)]))
        run_blocking(store.put_digest(Key(name), replace(digest, summary=f"{name}: {digest.summary}"), expected=0))
        run_blocking(store.append(Key(name), record[-TURN:]))
    for number, name in enumerate(NAMES):
        converse(sessions.session(name), more[: _ahead(number)])


def _serve(pipe: Connection, store: str, voice: str, port: int) -> None:
    """What a client's process does until it is told to stop."""
    made = _store(store, port)
    load = Load(made, list(texts(APPENDED)))
    # Python's full collections look at all that was ever imported, the peers' libraries too: 100 to 150 ms each.
    gc.collect()
    gc.freeze()
    with asyncio.Runner() as runner:
        while (asked := pipe.recv()) is not None:
            kind, last = asked
            if isinstance(made, Floor):
                made.last = last
            limits: Any = (PER_SECOND, ARRIVING_S) if kind == "arriving" else (SATURATING_S,)
            began_s = time.process_time()
            if voice == "threads":
                outcome = getattr(load, kind)(*limits)
            else:
                outcome = runner.run(getattr(load, f"a{kind}")(*limits))
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
