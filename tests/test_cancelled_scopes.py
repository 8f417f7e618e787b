"""A run that a scope of anyio cancels gives its turn back, as servers cancel the answers that nobody reads any more."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from slow_graph import slow_graph

from langchain_session import SessionSaver
from session_core import Sessions

CONFIG = {"configurable": {"thread_id": "t"}}
WAIT_S = 10.0


@pytest.fixture(params=["own checkpoints", "an inner saver"])
def saver(request):
    inner = InMemorySaver() if request.param == "an inner saver" else None
    return SessionSaver(Sessions("memory://"), inner=inner, concurrency="serialize", wait_s=WAIT_S)


async def cancelled_in_a_task(run, entered: asyncio.Event) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await entered.wait()
        tasks.cancel_scope.cancel()


async def cancelled_in_the_task_that_goes_on(run, entered: asyncio.Event) -> None:
    with anyio.CancelScope() as scope:
        asyncio.get_running_loop().call_later(0.05, scope.cancel)
        await run()


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("cancelled", [cancelled_in_a_task, cancelled_in_the_task_that_goes_on])
def test_the_next_run_does_not_wait_for_one_that_a_scope_cancelled(saver, cancelled, durability) -> None:
    async def talk() -> float:
        entered = asyncio.Event()
        graph = slow_graph(saver, entered)

        async def ask(said: str) -> None:
            async for _ in graph.astream({"messages": [HumanMessage(said)]}, CONFIG, durability=durability):
                pass

        await cancelled(lambda: ask("slow"), entered)
        began = asyncio.get_running_loop().time()
        await ask("next")
        return asyncio.get_running_loop().time() - began

    # A caller that waits looks for abandoned runs after half a second at the earliest.
    assert asyncio.run(talk()) < 0.4
