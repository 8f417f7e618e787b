"""A caller who is cancelled while it takes a turn, or gives one back, keeps nobody waiting."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableLambda
from pydantic import ValidationError
from side_by_side import CONFIG, player
from slow_graph import slow_graph
from strict_model import StrictChatModel

from langchain_session import SessionSaver, with_session
from session_core import Sessions
from session_core.ports import Lease
from session_core.stores.memory import MemoryStore
from session_core.turns import Key

IN_CHAIN: Any = {"configurable": {"session_id": "t"}}


class Slow(MemoryStore):
    """A store whose answers about leases are on their way until `arrive` is set; `asked` tells of each."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.arrive = asyncio.Event(), asyncio.Event()

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        lease = await super().take_lease(key, holder=holder, ttl_s=ttl_s)
        await self._on_its_way()
        return lease

    async def drop_lease(self, lease: Lease) -> None:
        await self._on_its_way()
        await super().drop_lease(lease)

    async def _on_its_way(self) -> None:
        self.asked.set()
        await self.arrive.wait()


async def cancelled_on_its_way(store: Slow, work: Any) -> None:
    """Cancel `work` once it has asked for something, and have the answer arrive then."""
    store.asked.clear()
    store.arrive.clear()
    task = asyncio.ensure_future(work)
    await store.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    store.arrive.set()
    for _ in range(10):
        await asyncio.sleep(0)


async def take(session: Any) -> Any:
    return await session.lease(wait_s=0.0).__aenter__()


def test_cancelling_a_caller_that_takes_a_turn_releases_it() -> None:
    async def talk() -> None:
        store = Slow()
        session = Sessions(store).session("s")
        await cancelled_on_its_way(store, take(session))
        assert (await take(session)).held

    asyncio.run(talk())


def test_cancelling_a_caller_that_releases_a_turn_still_releases_it() -> None:
    async def talk() -> None:
        store = Slow()
        store.arrive.set()
        session = Sessions(store).session("s")
        turn = await take(session)
        await cancelled_on_its_way(store, turn.__aexit__(None, None, None))
        assert (await take(session)).held

    asyncio.run(talk())


def test_cancelling_a_run_that_takes_its_turn_releases_it() -> None:
    async def talk() -> None:
        store = Slow()
        graph = slow_graph(SessionSaver(Sessions(store), concurrency="serialize", wait_s=0.0), asyncio.Event())
        await cancelled_on_its_way(store, graph.ainvoke({"messages": [HumanMessage("one")]}, CONFIG))
        await graph.ainvoke({"messages": [HumanMessage("two")]}, CONFIG)

    asyncio.run(talk())


def test_a_cancelled_run_releases_its_turn_without_the_garbage_collector() -> None:
    async def talk() -> list[str]:
        sessions, acting = Sessions("memory://"), asyncio.Event()
        graph = slow_graph(SessionSaver(sessions, concurrency="serialize", wait_s=5.0), acting)
        # As web frameworks do when a client goes away: the scope cancels until it is left.
        with anyio.CancelScope() as scope:
            expired = asyncio.ensure_future(cancel(scope, acting))
            await graph.ainvoke({"messages": [HumanMessage("slow")]}, CONFIG)
        await expired
        await graph.ainvoke({"messages": [HumanMessage("next")]}, CONFIG)
        return [message.content for message in await sessions.session("t").arecord()]

    async def cancel(scope: anyio.CancelScope, acting: asyncio.Event) -> None:
        await acting.wait()
        scope.cancel()

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(talk()) == ["slow", "next", "acted"]
    finally:
        gc.enable()


def test_streams_that_their_requests_left_behind_release_their_turns_soon_one_after_the_other() -> None:
    async def talk() -> list[str]:
        sessions = Sessions("memory://")
        graph = slow_graph(SessionSaver(sessions, concurrency="serialize", wait_s=3.0), asyncio.Event())

        async def request(question: str) -> None:
            stream = graph.astream({"messages": [HumanMessage(question)]}, CONFIG, stream_mode="values")
            await anext(stream)
            # As a web server leaves it whose client goes away: nobody closes it, and it refers to itself.
            left_behind: list[Any] = [stream]
            left_behind.append(left_behind)

        for question in ("one", "two", "three"):
            await asyncio.create_task(request(question))
        await graph.ainvoke({"messages": [HumanMessage("next")]}, CONFIG)
        return [message.content for message in await sessions.session("t").arecord()]

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(talk()) == ["one", "two", "three", "next", "acted"]
    finally:
        gc.enable()


def test_a_stream_of_a_chain_that_its_request_left_behind_is_stored_and_nobody_complains() -> None:
    complaints: list[dict[str, Any]] = []

    async def talk() -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        sessions = Sessions("memory://")
        stream = with_session(StrictChatModel(answers=["one two three"]), sessions, lease=True).astream("hi", IN_CHAIN)
        await anext(stream)
        left_behind: list[Any] = [stream]
        left_behind.append(left_behind)
        del stream, left_behind
        gc.collect()
        async with sessions.session("t").lease():
            return [message.content for message in await sessions.session("t").arecord()]

    assert asyncio.run(talk()) == ["hi", "one"]
    assert complaints == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_forked_at_the_end_of_a_run_releases_its_own_turns(caplog: pytest.LogCaptureFixture) -> None:
    saver = SessionSaver(Sessions("memory://"), concurrency="serialize")
    graph = player(saver)
    before = sys.getswitchinterval()
    # The thread that gives turns back is woken as the run ends, and has not gone on yet when the child is made.
    sys.setswitchinterval(5.0)
    try:
        graph.invoke({"say": [AIMessage("one")]}, CONFIG)
        sum(range(1_000_000))
        child = os.fork()
    finally:
        sys.setswitchinterval(before)
    if child == 0:
        try:
            graph.invoke({"say": [AIMessage("two")]}, CONFIG)
            saver.close()
        finally:
            os._exit(len(caplog.records) or len(graph.get_state(CONFIG).values["messages"]) - 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Interrupted(MemoryStore):
    """A store during whose first answer about a lease somebody presses Ctrl-C."""

    pressed = False

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        lease = await super().take_lease(key, holder=holder, ttl_s=ttl_s)
        if not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return lease


def test_an_interrupt_while_taking_a_turn_releases_it() -> None:
    session = Sessions(Interrupted()).session("s")
    with pytest.raises(KeyboardInterrupt), session.lease(wait_s=0.0):
        raise AssertionError("the block has begun")
    with session.lease(wait_s=0.0) as turn:
        assert turn.held


def test_an_answer_that_is_no_message_releases_its_turn() -> None:
    async def answer(_: Any) -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk.model_construct(content=7)

    async def ask(sessions: Sessions) -> None:
        with pytest.raises(ValidationError):
            await with_session(RunnableLambda(answer), sessions, lease=True).ainvoke("hello", IN_CHAIN)
        async with sessions.session("t").lease(wait_s=0.0):
            pass

    with Sessions("memory://") as sessions:
        asyncio.run(ask(sessions))
