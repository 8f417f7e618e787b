"""LangGraph savers on servers: bytes of one thread as it grows, and the time of a turn.

The graph is that of `benchmarks.storage`: four supersteps a turn, a 2 KB tool result in each.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver

from benchmarks.servers import bytes_of_keys
from benchmarks.storage import MARKS, RESULT_BYTES, TURNS, WINDOW_TOKENS, chat_graph
from benchmarks.timing import machine, say, table
from langchain_session import SessionSaver
from session_core import Budget, Policy
from tests.postgres_server import postgres_server
from tests.redis_server import redis_server


@dataclass(slots=True)
class Row:
    """A saver under the graph: its bytes at each mark, the time of each turn."""

    name: str
    saver: BaseCheckpointSaver[Any]
    size: Callable[[], int]
    graph: Any = field(init=False)
    sizes: list[int] = field(default_factory=list)
    turn_ms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.graph = chat_graph([], [], self.saver)

    def turn(self, number: int) -> None:
        """One turn of the conversation."""
        began = time.perf_counter()
        config = {"configurable": {"thread_id": "t"}}
        self.graph.invoke({"messages": [HumanMessage(f"question {number}", id=f"h{number}")]}, config)
        self.turn_ms.append((time.perf_counter() - began) * 1e3)

    def cells(self) -> list[object]:
        """As a row of the table."""
        first, last = (statistics.median(part) for part in (self.turn_ms[5:15], self.turn_ms[-10:]))
        return [self.name, *(size / 1e6 for size in self.sizes), first, last]


def main() -> None:
    """Run the savers side by side, turn by turn, and print the table."""
    with ExitStack() as stack:
        server, other = stack.enter_context(postgres_server()), stack.enter_context(redis_server())
        connection = stack.enter_context(psycopg.connect(server.url, autocommit=True))
        client = stack.enter_context(other.client())
        policy = Policy(Budget(WINDOW_TOKENS))
        on_redis = stack.enter_context(SessionSaver.from_conn_string(other.url, policy=policy))
        on_postgres = stack.enter_context(SessionSaver.from_conn_string(server.url, policy=policy))
        theirs = stack.enter_context(PostgresSaver.from_conn_string(server.url))
        theirs.setup()
        print(machine("langgraph", "langgraph-checkpoint-postgres", "psycopg", "redis"))
        say(
            f"One thread, {TURNS} turns of four supersteps, {RESULT_BYTES:,} bytes a tool result, window of ours",
            f"{WINDOW_TOKENS:,} tokens. MB on the server: of tables with indexes, of keys by MEMORY USAGE;",
            "ms of a turn, the median around turn 10 and of the last ten.",
        )
        rows = [
            Row("SessionSaver, Redis", on_redis, lambda: bytes_of_keys(client)),
            Row("SessionSaver, PostgreSQL", on_postgres, lambda: _bytes_in(connection, "llm_sessions")),
            Row("PostgresSaver", theirs, lambda: _bytes_in(connection, "public")),
        ]
        _run(rows)


def _run(rows: list[Row]) -> None:
    for number in range(1, TURNS + 1):
        for row in rows:
            row.turn(number)
            if number in MARKS:
                row.sizes.append(row.size())
    table(["", *(f"MB at {mark}" for mark in MARKS), "ms at 10", f"ms at {TURNS}"], [row.cells() for row in rows])
    last = rows[-1]
    for row in rows[:-1]:
        print(f"  {last.name} keeps {last.sizes[-1] / row.sizes[-1]:.0f} times what {row.name} keeps")


def _bytes_in(connection: psycopg.Connection[Any], schema: str) -> int:
    query = "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables WHERE schemaname = %s"
    return int(connection.execute(query, (schema,)).fetchall()[0][0])
