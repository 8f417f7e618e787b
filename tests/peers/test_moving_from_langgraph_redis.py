"""Moving in from `langgraph-checkpoint-redis` itself, on a Redis with the modules it needs; `make peers` runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
import redis
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.redis import AsyncRedisSaver, RedisSaver
from langgraph.checkpoint.redis.shallow import ShallowRedisSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt
from module_redis import module_redis
from redis_server import RedisServer

from langchain_session import SessionSaver
from langchain_session.transfer.saver_voice import SaverVoice
from session_core import Sessions
from session_core.errors import VoiceError

THREADS = ["user-7", "User-7", "a,b", " lead", "trail ", "x|y:z", "naïve", "{k}*"]


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def office(checkpointer: Any) -> Any:
    """A graph that asks a human about each call."""

    def model(state: State) -> dict[str, Any]:
        call = {"name": "book", "args": {"n": len(state["messages"])}, "id": f"c{len(state['messages'])}"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    def approve(state: State) -> dict[str, Any]:
        call = state["messages"][-1].tool_calls[0]["id"]
        return {"messages": [ToolMessage(interrupt({"may I": call}), tool_call_id=call, artifact={"rows": [1]})]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("approve", approve)
    graph.add_edge(START, "model")
    graph.add_edge("model", "approve")
    return graph.compile(checkpointer=checkpointer)


def at(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


def played(saver: Any) -> Any:
    """Threads that each have a finished turn, and one that waits for the human."""
    graph = office(saver)
    for thread in THREADS:
        graph.invoke({"messages": [HumanMessage("book", id=f"{thread} 1")]}, at(thread))
        graph.invoke(Command(resume="yes"), at(thread))
        graph.invoke({"messages": [HumanMessage("another", id=f"{thread} 2")]}, at(thread))
    return graph


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with module_redis() as running:
        yield running


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(host="127.0.0.1", port=server.port, protocol=2) as opened:
        opened.flushall()
        yield opened


@pytest.mark.parametrize("kind", [RedisSaver, ShallowRedisSaver])
def test_every_thread_comes_in_whatever_its_name_is(client, kind):
    saver = kind(redis_client=client)
    saver.setup()
    theirs = played(saver)
    with Sessions("memory://") as sessions:
        ours = office(SessionSaver.import_from(saver, sessions=sessions))
        for thread in THREADS:
            assert ours.get_state(at(thread)).values == theirs.get_state(at(thread)).values
            assert (
                ours.get_state(at(thread)).config["configurable"]["checkpoint_id"]
                == (theirs.get_state(at(thread)).config["configurable"]["checkpoint_id"])
            )
            ours.invoke(Command(resume="yes"), at(thread))
            assert [m.content for m in ours.get_state(at(thread)).values["messages"]][3:] == ["another", "", "yes"]


def test_threads_of_names_in_either_case_stay_two(client):
    saver = RedisSaver(redis_client=client)
    saver.setup()
    theirs = played(saver)
    with Sessions("memory://") as sessions:
        SessionSaver.import_from(saver, "user-7", sessions=sessions)
        assert [state.key.session_id for state in sessions.list()] == ["user-7"]
        assert len(sessions.session("user-7").record()) == len(theirs.get_state(at("user-7")).values["messages"])


def test_an_interrupt_that_it_stored_and_does_not_read_comes_too(client):
    saver = RedisSaver(redis_client=client)
    saver.setup()
    office(saver).invoke({"messages": [HumanMessage("book", id="h")]}, at("t"))
    now = saver.get_tuple(at("t")).config["configurable"]["checkpoint_id"]
    # This is how it stands when the write comes before its checkpoint, as it may: 8 of 10 threads on a fast server.
    client.json().set(f"checkpoint:t:__empty__:{now}", "$.has_writes", False)
    assert not office(saver).get_state(at("t")).interrupts
    with Sessions("memory://") as sessions:
        ours = office(SessionSaver.import_from(saver, sessions=sessions))
        assert [one.value for one in ours.get_state(at("t")).interrupts] == [{"may I": "c1"}]


def test_more_checkpoints_than_its_lists_have_are_found(client):
    saver = RedisSaver(redis_client=client)
    saver.setup()
    # Raw copies: storing 10,000 through the saver takes a minute.
    config = {"configurable": {"thread_id": "old", "checkpoint_ns": ""}}
    stored = saver.put(config, empty_checkpoint(), {"source": "input", "step": -1}, {})["configurable"]["checkpoint_id"]
    one = client.json().get(f"checkpoint:old:__empty__:{stored}")
    with client.pipeline(transaction=False) as pipeline:
        for n in range(10_020):
            later = f"{stored}-{n:06d}"
            copy = {**one, "thread_id": "busy", "checkpoint_id": later}
            pipeline.json().set(f"checkpoint:busy:__empty__:{later}", "$", copy)
        pipeline.execute()
    assert len(list(saver.list(None))) == 10_000
    hand = SaverVoice(saver, False)
    with pytest.raises(StopIteration) as threads:
        hand.threads().send(None)
    with pytest.raises(StopIteration) as places:
        hand.places("busy").send(None)
    found = threads.value.value
    assert list(found) == ["old", "busy"]
    assert [len(found[name]) for name in found] == [1, 10_020]
    assert len(places.value.value) == 10_020


@pytest.mark.filterwarnings("ignore:get_async_redis_connection:DeprecationWarning")
def test_the_awaiting_voice_does_the_same(server, client):
    saver = RedisSaver(redis_client=client)
    saver.setup()
    theirs = played(saver)

    async def moved(sessions: Sessions) -> None:
        async with AsyncRedisSaver.from_conn_string(f"redis://127.0.0.1:{server.port}") as awaiting:
            with pytest.raises(VoiceError):
                SessionSaver.import_from(awaiting, sessions=sessions)
            await SessionSaver.aimport_from(awaiting, sessions=sessions)

    with Sessions("memory://") as sessions:
        asyncio.run(moved(sessions))
        ours = office(SessionSaver(sessions))
        for thread in THREADS:
            assert ours.get_state(at(thread)).values == theirs.get_state(at(thread)).values


def test_threads_go_out_and_are_gone_on_with_there(client):
    saver = RedisSaver(redis_client=client)
    saver.setup()
    with Sessions("memory://") as sessions:
        ours = played(SessionSaver(sessions))
        exported = ours.checkpointer.export_to(saver)
        assert exported
        assert ours.checkpointer.export_to(saver) == 0
        theirs = office(saver)
        for thread in THREADS:
            assert theirs.get_state(at(thread)).values == ours.get_state(at(thread)).values
            theirs.invoke(Command(resume="yes"), at(thread))
            assert [m.content for m in theirs.get_state(at(thread)).values["messages"]][3:] == ["another", "", "yes"]
