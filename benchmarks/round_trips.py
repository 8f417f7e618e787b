"""How often a saver asks its server, counted by a relay between the two."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver

from benchmarks.storage import WINDOW_TOKENS, chat_graph
from benchmarks.timing import say, table
from langchain_session import SessionSaver
from session_core import Budget, Policy
from session_core.policy import Folding
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer
from tests.relay import Relay, redis_relay, relay

DURABILITIES = ("sync", "async", "exit")
TURNS, FROM = 40, 10
"""How many turns, and the first that counts: connections are open by then, statements prepared."""
SUPERSTEPS = 4

Counted = tuple[str, BaseCheckpointSaver[Any], Relay]


def print_round_trips(postgres: PostgresServer, plain: RedisServer, modules: RedisServer | None) -> None:
    """The table of round trips, for each saver and durability."""
    say(
        f"Round trips to the server per superstep, the mean of {TURNS - FROM} turns of {SUPERSTEPS} supersteps.",
        "With folds: these read and write by themselves, in the background, and changes of tier are noted.",
    )
    rows: dict[str, list[float]] = {}
    with ExitStack() as stack:
        for durability in DURABILITIES:
            for name, saver, counted in _savers(stack, durability, postgres, plain, modules):
                rows.setdefault(name, []).append(_trips(saver, counted, durability) / SUPERSTEPS)
    table(["", *DURABILITIES], [[name, *found] for name, found in rows.items()])


def _savers(
    stack: ExitStack, label: str, postgres: PostgresServer, plain: RedisServer, modules: RedisServer | None
) -> Iterator[Counted]:
    foldings: dict[Folding, str] = {"off": "", "background": " with folds"}
    for folding, told in foldings.items():
        policy = Policy(Budget(WINDOW_TOKENS), folding=folding)
        counted = stack.enter_context(redis_relay(plain.port))
        url = f"{counted.url}?prefix={label}{folding}"
        saver = stack.enter_context(SessionSaver.from_conn_string(url, policy=policy))
        yield f"SessionSaver, Redis{told}", saver, counted
        counted = stack.enter_context(relay(postgres.url))
        url = f"{counted.url}&schema={label}{folding}"
        saver = stack.enter_context(SessionSaver.from_conn_string(url, policy=policy))
        yield f"SessionSaver, PostgreSQL{told}", saver, counted
    counted = stack.enter_context(relay(postgres.url))
    yield "PostgresSaver", stack.enter_context(PostgresSaver.from_conn_string(counted.url)), counted
    if modules is not None:
        from langgraph.checkpoint.redis import RedisSaver

        counted = stack.enter_context(redis_relay(modules.port))
        theirs = stack.enter_context(RedisSaver.from_conn_string(counted.url, connection_args={"protocol": 2}))
        theirs.setup()
        yield "RedisSaver (modules)", theirs, counted


def _trips(saver: BaseCheckpointSaver[Any], counted: Relay, durability: str) -> float:
    """Round trips of a turn."""
    graph, trips = chat_graph([], [], saver), []
    config = {"configurable": {"thread_id": f"counted, {durability}"}}
    for number in range(TURNS):
        before = counted.trips
        said = {"messages": [HumanMessage(f"question {number}", id=f"h{number}")]}
        graph.invoke(said, config, durability=durability)
        if isinstance(saver, SessionSaver):
            saver.sessions.drain()
        trips.append(counted.trips - before)
    return statistics.mean(trips[FROM:])
