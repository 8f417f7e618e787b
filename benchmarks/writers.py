"""Eight writers on one LangGraph thread: how many of their turns are there in the end, with each saver.

A writer is a thread of this process that calls the same graph, turn after turn; every call that comes back is an
acknowledged turn. A user turn is kept when the thread's newest state has its message, and within reach when the
next run's view has it, word for word or under its digest.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from benchmarks.servers import module_redis
from benchmarks.timing import machine, say, table
from langchain_session import SessionSaver
from session_core import Budget, Policy
from tests.postgres_server import postgres_server
from tests.redis_server import redis_server

WRITERS = 8
TURNS = 50
CONFIG: Any = {"configurable": {"thread_id": "t"}}
Saver = BaseCheckpointSaver[Any]


def main() -> None:
    """Run the writers with each saver, one saver after the other, and print the table."""
    with ExitStack() as stack:
        policy = Policy(Budget(16_000))
        redis, postgres = stack.enter_context(redis_server()), stack.enter_context(postgres_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = {"Redis": redis.url, "PostgreSQL": postgres.url, "SQLite": f"sqlite:///{folder}/ours.db"}
        print(machine("langgraph", "langgraph-checkpoint-postgres", "psycopg", "redis"))
        say(
            f"{WRITERS} writers x {TURNS} turns on one thread, an answer to each. kept: user turns in the newest",
            "state, of all that were acknowledged; within reach: in the next view or under its",
            "digest; errors: calls that raised; seconds for all of them.",
        )
        rows = []
        for place, url in ours.items():
            with SessionSaver(url, policy=policy) as saver:
                rows.append([f"SessionSaver, {place}", *written(saver), within_reach(saver)])
        with SessionSaver(f"{redis.url}?prefix=turns", policy=policy, concurrency="serialize", wait_s=600) as saver:
            rows.append(["the same, Redis, serialize", *written(saver), within_reach(saver)])
        for name, opened in peers(postgres.url, folder):
            with opened as theirs:
                rows.append([name, *written(theirs), "-"])
        table(["", f"kept of {WRITERS * TURNS}", "errors", "seconds", "within reach"], rows)


def written(saver: Saver, writers: int = WRITERS, turns: int = TURNS) -> tuple[int, int, float]:
    """How many user turns are in the thread's state in the end, how many calls raised, and the seconds it took."""
    built = StateGraph(MessagesState)
    built.add_node("answer", lambda state: {"messages": [AIMessage(f"an answer to {state['messages'][-1].id}")]})
    built.add_edge(START, "answer")
    graph = built.compile(checkpointer=saver)

    def write(writer: int) -> int:
        errors = 0
        for turn in range(turns):
            said = HumanMessage(f"writer {writer}, turn {turn}", id=f"w{writer}t{turn}")
            try:
                graph.invoke({"messages": [said]}, CONFIG)
            except Exception:  # noqa: BLE001 (a saver of somebody else may raise anything; it is counted)
                errors += 1
        return errors

    began = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        errors = sum(pool.map(write, range(writers)))
    seconds = time.perf_counter() - began
    kept = graph.get_state(CONFIG).values["messages"]
    return len({message.id for message in kept if message.type == "human"}), errors, seconds


def within_reach(saver: SessionSaver) -> int:
    """Of how many user turns the next view has the words or the digest."""
    view = saver.sessions.session("t").view()
    seen = {message.seq for message in view.messages} | set(view.digest.covers if view.digest else ())
    return sum(message.role == "user" and message.seq in seen for message in saver.sessions.session("t").record())


def peers(postgres_url: str, folder: Path) -> Iterator[tuple[str, Any]]:
    """The official savers, each to be opened when it is its turn."""
    yield "PostgresSaver", _postgres_saver(postgres_url)
    yield "SqliteSaver", SqliteSaver.from_conn_string(str(folder / "theirs.db"))
    if find_spec("langgraph.checkpoint.redis") is not None:
        yield "RedisSaver (modules)", redis_saver()


@contextmanager
def redis_saver() -> Iterator[Saver]:
    """The official saver for Redis, on a server with the modules it needs."""
    from langgraph.checkpoint.redis import RedisSaver

    with module_redis() as server, RedisSaver.from_conn_string(server.url, connection_args={"protocol": 2}) as saver:
        saver.setup()
        yield saver


@contextmanager
def _postgres_saver(url: str) -> Iterator[Saver]:
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        yield saver
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
