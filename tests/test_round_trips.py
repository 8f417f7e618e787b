"""How often a run asks its server: as often as PostgresSaver, which stores every message list whole, or less."""

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, MessagesState, StateGraph
from relay import redis_relay, relay

from langchain_session import SessionSaver
from session_core import Budget, Policy

TURNS = 8
FROM = 4
"""The first turn that counts: connections are open by then."""
SUPERSTEPS = 4
YOUNG, OLD, SPAN = 10, 90, 10
"""Turns of a young and of an old thread; several, since a view grows between two folds."""
PER_SUPERSTEP = {"sync": 2.5, "async": 2.5, "exit": 0.5}
POLICY = Policy(Budget(64_000), folding="off")
CONFIG = {"configurable": {"thread_id": "t"}}

every_durability = pytest.mark.parametrize("durability", PER_SUPERSTEP)
both_voices = pytest.mark.parametrize("voice", ["blocking", "awaiting"])


def agent(saver):
    """The question, a call, its result and the answer: four supersteps, five checkpoints."""

    def ask(state):
        number = len(state["messages"])
        return {"messages": [AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": f"c{number}"}])]}

    def look(state):
        call = state["messages"][-1].tool_calls[0]
        return {"messages": [ToolMessage("found " * 100, tool_call_id=call["id"])]}

    built = StateGraph(MessagesState)
    built.add_sequence([("ask", ask), ("look", look), ("answer", lambda state: {"messages": [AIMessage("so it is")]})])
    built.add_edge(START, "ask")
    return built.compile(checkpointer=saver)


def turn(number: int):
    return {"messages": [HumanMessage(f"question {number}", id=f"h{number}")]}


def blocking_trips(saver, counted, durability: str) -> int:
    """Round trips of a turn, the fewest of those that count: now and then a connection is opened."""
    graph, trips = agent(saver), []
    for number in range(TURNS):
        before = counted.trips
        graph.invoke(turn(number), CONFIG, durability=durability)
        trips.append(counted.trips - before)
    return min(trips[FROM:])


async def awaiting_trips(saver, counted, durability: str) -> int:
    graph, trips = agent(saver), []
    for number in range(TURNS):
        before = counted.trips
        await graph.ainvoke(turn(number), CONFIG, durability=durability)
        trips.append(counted.trips - before)
    return min(trips[FROM:])


def trips_of_ours(url: str, counted, durability: str, voice: str) -> int:
    async def awaited() -> int:
        async with SessionSaver.from_conn_string(url, policy=POLICY) as saver:
            return await awaiting_trips(saver, counted, durability)

    if voice == "awaiting":
        return asyncio.run(awaited())
    with SessionSaver.from_conn_string(url, policy=POLICY) as saver:
        return blocking_trips(saver, counted, durability)


@every_durability
@both_voices
def test_round_trips_of_a_superstep_on_redis(plain_redis, durability, voice):
    with redis_relay(plain_redis.port) as counted:
        trips = trips_of_ours(f"{counted.url}?prefix={durability}{voice}", counted, durability, voice)
    assert trips == PER_SUPERSTEP[durability] * SUPERSTEPS


@every_durability
@both_voices
def test_round_trips_of_a_superstep_on_postgres(postgres, durability, voice):
    with relay(postgres.url) as counted:
        url = f"{counted.url}&prepare=0&schema=r{durability}{voice}"
        trips = trips_of_ours(url, counted, durability, voice)
    assert trips == PER_SUPERSTEP[durability] * SUPERSTEPS


@every_durability
def test_round_trips_of_a_superstep_of_the_official_postgres_saver(postgres, durability):
    async def awaited() -> int:
        async with AsyncPostgresSaver.from_conn_string(counted.url) as saver:
            return await awaiting_trips(saver, counted, durability)

    # It sends from threads of its own: two of its writes may leave together, and count as one.
    most = PER_SUPERSTEP[durability] * SUPERSTEPS
    with relay(postgres.url) as counted:
        with PostgresSaver.from_conn_string(counted.url) as saver:
            saver.setup()
            assert most - 1 <= blocking_trips(saver, counted, durability) <= most
            saver.delete_thread("t")
        assert most - 1 <= asyncio.run(awaited()) <= most
        with PostgresSaver.from_conn_string(counted.url) as saver:
            saver.delete_thread("t")


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_the_bytes_read_per_turn_do_not_grow_with_the_thread(kind, request):
    small = Policy(Budget(2_000, reply_reserve_tokens=0), folding="inline")
    server = request.getfixturevalue("plain_redis" if kind == "redis" else kind)
    with (
        redis_relay(server.port) if kind == "redis" else relay(server.url) as counted,
        SessionSaver.from_conn_string(counted.url, policy=small) as saver,
    ):
        graph, read = agent(saver), []
        for number in range(OLD + SPAN):
            before = counted.sent_bytes
            graph.invoke(turn(number), {"configurable": {"thread_id": "aged"}}, durability="sync")
            read.append(counted.sent_bytes - before)
    # Nine times as old; the digest fills up meanwhile.
    assert sum(read[OLD:]) <= 1.5 * sum(read[YOUNG : YOUNG + SPAN])
