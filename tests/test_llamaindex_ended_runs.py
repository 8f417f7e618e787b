"""What an agent leaves in its context when a run fails or reaches its step limit: the next run goes on from it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.workflow import Context, WorkflowRuntimeError
from llamaindex_runs import glance, look, texts
from scripted_llm import ScriptedLLM, assistant, calls, user

from llamaindex_session import SessionMemoryBuffer
from llamaindex_session.messages import from_core_many


@pytest.mark.parametrize("ending", ["force", "generate"])
def test_a_run_that_reached_its_step_limit_blocks_no_later_one(memory: SessionMemoryBuffer, ending: Any) -> None:
    answers = ["as far as I saw"] if ending == "generate" else []
    llm = ScriptedLLM(calls("a", n=1, name="glance"), calls("b", n=2, name="glance"), *answers, "page 3 is missing")
    agent = FunctionAgent(tools=[glance], llm=llm)

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        with suppress(WorkflowRuntimeError):
            await agent.run(user_msg="look", memory=memory, ctx=ctx, max_iterations=2, early_stopping_method=ending)
        ctx = Context.from_dict(agent, json.loads(json.dumps(ctx.to_dict())))
        await agent.run(user_msg="and page 3?", ctx=ctx)

    asyncio.run(go())
    # The call without a result is on record, and no model is shown it.
    said = ["look", None, glance(1), None, *answers, "and page 3?", "page 3 is missing"]
    assert texts(memory.get_all()) == said
    assert texts(llm.heard[-1]) == [*said[:3], *said[4:-1]]


@pytest.mark.parametrize("goes_on", [False, True], ids=["another", "continued"])
def test_what_an_ended_run_left_comes_before_a_question_at_the_end_of_a_chat_history(
    memory: SessionMemoryBuffer, goes_on: bool
) -> None:
    llm = ScriptedLLM(calls("a", n=1), calls("b", n=2), "page 3 is missing")
    agent = FunctionAgent(tools=[look], llm=llm)

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        with suppress(WorkflowRuntimeError):
            await agent.run(user_msg="look", memory=memory, ctx=ctx, max_iterations=2)
        history = memory.get() if goes_on else [user("hi"), assistant("hello")]
        await agent.run(chat_history=[*history, user("and page 3?")], ctx=ctx)

    asyncio.run(go())
    begun = ["look", None, look(1), None] if goes_on else ["hi", "hello"]
    assert texts(memory.get_all()) == [*begun, "and page 3?", "page 3 is missing"]
    assert look(1) in texts(from_core_many(memory.session.record(all_branches=True)))
