"""What tests of the PostgreSQL store put into it, and how they look at it."""

from __future__ import annotations

import time

from every_store import TABLES
from postgres_server import PostgresServer

from session_core.plan import Digest
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.testing import KEY, message
from session_core.turns import Key, Message, Role, ToolCall
from session_core.voices import run_blocking

OURS = "FROM pg_stat_activity WHERE application_name = 'llm-sessions' AND pid <> pg_backend_pid()"
"""Our connections among the activity that a server shows."""


def cut(server: PostgresServer) -> None:
    """End all connections of ours, as a restart does, and wait until they are ended."""
    with server.connect() as other:
        other.execute(f"SELECT pg_terminate_backend(pid) {OURS}")
        while other.execute(f"SELECT count(*) {OURS}").fetchone() != (0,):
            time.sleep(0.01)


def schema_of(url: str) -> str:
    return url.rpartition("schema=")[2].partition("&")[0]


def rows_left(server: PostgresServer, url: str) -> dict[str, int]:
    with server.connect() as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {schema_of(url)}.{table}").fetchone()[0]  # type: ignore[index]
            for table in TABLES
        }


def a_turn(first: int) -> list[Message]:
    call = Message(Role.ASSISTANT, "", id=f"c{first}", tool_calls=(ToolCall(f"t{first}", "look"),), tokens=5)
    result = Message(Role.TOOL, "found " * 300, id=f"r{first}", tool_call_id=f"t{first}", clip="found", clip_tokens=2)
    return [message(first), call, result, message(first + 1, Role.ASSISTANT)]


def a_checkpoint(name: str, parent: str | None = None) -> Checkpoint:
    return Checkpoint(KEY, name, parent, Plain("t", b"body"), {"messages": name, "step": name})


def fill(store: SessionStore, key: Key) -> None:
    run_blocking(store.append(key, a_turn(1)))
    run_blocking(store.put_digest(key, Digest(Ranges.span(1, 2), "so far"), expected=0))
    row = Checkpoint(key, "1", None, Plain("t", b"b"), {"step": 1})
    run_blocking(store.put_checkpoint(row, {"step": Plain("t", b"1")}, head_channel=None, merge=True))
    run_blocking(store.put_writes(key, "1", [Write("a", 0, "messages", MessageList((message(7),)))]))
