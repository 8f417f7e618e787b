"""LangGraph savers beside each other: bytes of one thread as it grows, the time of a turn at its age, round trips.

The graph is that of `benchmarks.storage`: four supersteps a turn, a 2 KB tool result in each.
"""

from __future__ import annotations

import math
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import redis
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from benchmarks.round_trips import print_round_trips
from benchmarks.servers import bytes_of_keys, module_redis
from benchmarks.storage import RESULT_BYTES, WINDOW_TOKENS, chat_graph
from benchmarks.timing import machine, say, table
from langchain_session import SessionSaver
from session_core import Budget, Policy
from tests.postgres_server import PostgresServer, postgres_server
from tests.redis_server import RedisServer, redis_server

MARKS = (10, 50, 200, 500)
PEERS_UNTIL = 200
"""Where the official savers stop: at 500 turns they would have some gigabytes each."""
YOUNG = 9
"""Turns of a thread before those that stand for the tenth."""
SAMPLES, OF_EACH = 20, 4


@dataclass(slots=True)
class Row:
    """A saver under the graph: its bytes at each mark, the time of a young and of an old thread's turn."""

    name: str
    saver: BaseCheckpointSaver[Any]
    size: Callable[[], int]
    ours: bool = False
    graph: Any = field(init=False)
    sizes: dict[int, int] = field(default_factory=dict)
    young: list[tuple[float, float]] = field(default_factory=list)
    old: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.graph = chat_graph([], [], self.saver)

    def turn(self, number: int, thread: str = "t") -> tuple[float, float]:
        """One turn of a conversation; its milliseconds, and those of this process' CPU."""
        if isinstance(self.saver, SessionSaver):
            self.saver.sessions.drain()
        began, worked = time.perf_counter(), time.process_time()
        config = {"configurable": {"thread_id": thread}}
        self.graph.invoke({"messages": [HumanMessage(f"question {number}", id=f"h{number}")]}, config)
        return (time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3

    def grow(self) -> None:
        """The turns of the one thread, and its bytes at the marks."""
        for number in range(1, (MARKS[-1] if self.ours else PEERS_UNTIL) + 1):
            self.turn(number)
            if number in MARKS:
                self.sizes[number] = self.size()

    @property
    def exponent(self) -> float:
        """With which power of the turns the bytes grow, from the first mark to the last."""
        (first, small), *_, (last, large) = self.sizes.items()
        return math.log(large / small) / math.log(last / first)


def main() -> None:
    """Grow a thread with each saver, time turns of young and old ones in turns, count round trips; three tables."""
    with ExitStack() as stack:
        postgres, plain = stack.enter_context(postgres_server()), stack.enter_context(redis_server(appendonly="no"))
        rows = list(_rows(stack, postgres, plain))
        print(machine("langgraph", "langgraph-checkpoint-postgres", "psycopg", "redis"))
        for row in rows:
            row.grow()
        _print_sizes(rows)
        _time(rows)
        _print_times(rows)
        with _modules() as modules:
            print_round_trips(postgres, plain, modules)


def _rows(stack: ExitStack, postgres: PostgresServer, plain: RedisServer) -> Iterator[Row]:
    folder, policy = Path(stack.enter_context(tempfile.TemporaryDirectory())), Policy(Budget(WINDOW_TOKENS))
    connection = stack.enter_context(psycopg.connect(postgres.url, autocommit=True))
    client = stack.enter_context(plain.client())
    ours = {
        "SQLite": (f"sqlite:///{folder}/ours.db", lambda: file_bytes(folder / "ours.db")),
        "Redis": (plain.url, lambda: bytes_of_keys(client)),
        "PostgreSQL": (postgres.url, lambda: schema_bytes(connection, "llm_sessions")),
    }
    for name, (url, size) in ours.items():
        saver = stack.enter_context(SessionSaver.from_conn_string(url, policy=policy))
        yield Row(f"SessionSaver, {name}", saver, size, ours=True)
    theirs = stack.enter_context(SqliteSaver.from_conn_string(str(folder / "theirs.db")))
    yield Row("SqliteSaver", theirs, lambda: file_bytes(folder / "theirs.db"))
    official = stack.enter_context(PostgresSaver.from_conn_string(postgres.url))
    official.setup()
    yield Row("PostgresSaver", official, lambda: schema_bytes(connection, "public"))
    modules = stack.enter_context(_modules())
    if modules is not None:
        from langgraph.checkpoint.redis import RedisSaver

        with_modules = RedisSaver.from_conn_string(modules.url, connection_args={"protocol": 2})
        saver = stack.enter_context(with_modules)
        saver.setup()
        looking = stack.enter_context(redis.Redis(port=modules.port, protocol=2))
        yield Row("RedisSaver (modules)", saver, lambda: bytes_of_keys(looking))


@contextmanager
def _modules() -> Iterator[RedisServer | None]:
    """A Redis with modules, where the saver that needs it is installed."""
    if find_spec("langgraph.checkpoint.redis") is None:
        yield None
        return
    with module_redis() as server:
        yield server


def _print_sizes(rows: list[Row]) -> None:
    say(
        f"One thread, turns of four supersteps, {RESULT_BYTES:,} bytes a tool result, window of ours {WINDOW_TOKENS:,}",
        "tokens. MB: the file, tables with their indexes, keys by MEMORY USAGE. exponent: with which power of the",
        "turns they grow, from the first mark to the last one.",
    )
    cells = [
        [row.name, *(row.sizes[mark] / 1e6 if mark in row.sizes else "-" for mark in MARKS), row.exponent]
        for row in rows
    ]
    table(["", *(f"MB at {mark}" for mark in MARKS), "exponent"], cells)
    for theirs in rows:
        for row in rows if not theirs.ours else ():
            if row.ours:
                times = theirs.sizes[PEERS_UNTIL] / row.sizes[PEERS_UNTIL]
                print(f"  {theirs.name} keeps {times:.0f} times what {row.name} keeps at {PEERS_UNTIL}")


def _time(rows: list[Row]) -> None:
    """Turns of young threads and of the old one, all savers in turn, so that the machine's moods meet all alike."""
    for sample in range(SAMPLES):
        for row in rows:
            thread = f"young {sample // OF_EACH}"
            if sample % OF_EACH == 0:
                for number in range(YOUNG):
                    row.turn(number, thread)
            row.young.append(row.turn(YOUNG + sample % OF_EACH, thread))
            row.old.append(row.turn(MARKS[-1] + sample))


def _print_times(rows: list[Row]) -> None:
    say(
        f"A turn around the tenth of a thread, and of the thread above ({MARKS[-1]} turns, {PEERS_UNTIL} for the",
        f"others): medians of {SAMPLES}, in turns; ms, and ms of CPU in this process (not the server's).",
    )
    cells: list[list[object]] = []
    for row in rows:
        (young, young_cpu), (old, old_cpu) = (
            map(statistics.median, zip(*part, strict=True)) for part in (row.young, row.old)
        )
        cells.append([row.name, young, old, old / young, young_cpu, old_cpu, old_cpu / young_cpu])
    table(["", "ms young", "ms old", "ratio", "CPU young", "CPU old", "ratio"], cells)


def file_bytes(path: Path) -> int:
    """The database's size, its journal folded in."""
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path.stat().st_size


def schema_bytes(connection: psycopg.Connection[Any], schema: str) -> int:
    query = "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables WHERE schemaname = %s"
    return int(connection.execute(query, (schema,)).fetchall()[0][0])
