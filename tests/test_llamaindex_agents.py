"""Agents and workflows of LlamaIndex with a `SessionMemoryBuffer`: what they remember, and what is on record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from llamaindex_runs import glance, look, run, texts
from scripted_llm import ScriptedLLM, assistant, calls, user

from llamaindex_session import SessionMemoryBuffer


def _agent(llm: ScriptedLLM, *tools: Any, streaming: bool = False, **fields: Any) -> FunctionAgent:
    return FunctionAgent(tools=list(tools) or [look], llm=llm, streaming=streaming, **fields)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_function_agent_remembers_over_runs_whose_context_is_rebuilt(
    memory: SessionMemoryBuffer, streaming: bool
) -> None:
    llm = ScriptedLLM(calls("a", n=1, name="glance"), "the first one", "the second one", "the third one")
    agent = _agent(llm, glance, streaming=streaming)

    async def go() -> Context[Any]:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="what is on page 1?", memory=memory, ctx=ctx)
        for question in ("and now?", "and then?"):
            ctx = Context.from_dict(agent, json.loads(json.dumps(ctx.to_dict())))
            await agent.run(user_msg=question, ctx=ctx)
        return ctx

    asyncio.run(go())
    asked = ["what is on page 1?", "and now?", "and then?"]
    assert [m.content for m in memory.get_all() if m.role == "user"] == asked
    assert [m.content for m in llm.heard[-1] if m.role == "user"][-3:] == asked
    assert memory.get_all()[-1].content == "the third one"


def test_the_record_has_every_message_of_a_run_as_it_was(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM(calls("a", "b", n=1), "done")
    asyncio.run(run(_agent(llm), memory, "look twice"))
    got = memory.get_all()
    assert [m.role.value for m in got] == ["user", "assistant", "tool", "tool", "assistant"]
    assert got[1] == calls("a", "b", n=1)
    assert [m.content for m in got[2:4]] == [look(1), look(1)]
    assert [m.additional_kwargs for m in got[2:4]] == [{"tool_call_id": "a"}, {"tool_call_id": "b"}]


def test_the_state_prompt_never_reaches_the_record(memory: SessionMemoryBuffer) -> None:
    agent = _agent(ScriptedLLM("ok"), initial_state={"mood": "fine"})
    asyncio.run(run(agent, memory, "hello"))
    assert texts(memory.get_all()) == ["hello", "ok"]


def test_a_tool_may_copy_the_state_that_holds_the_memory(memory: SessionMemoryBuffer) -> None:
    async def count(ctx: Context) -> str:
        """Count."""
        async with ctx.store.edit_state() as state:
            state["n"] = state.get("n", 0) + 1
        return str(await ctx.store.get("n"))

    # LlamaIndex looks for the class itself, not for its name.
    count.__annotations__["ctx"] = Context
    agent = _agent(ScriptedLLM(calls("a", name="count"), "one"), FunctionTool.from_defaults(async_fn=count))
    asyncio.run(run(agent, memory, "count"))
    assert texts(memory.get_all()) == ["count", None, "1", "one"]


def test_a_failing_model_leaves_the_question_and_the_next_run_goes_on(memory: SessionMemoryBuffer) -> None:
    with pytest.raises(Exception, match="the model is gone"):
        asyncio.run(run(_agent(ScriptedLLM(_fails)), memory, "hello?"))
    assert texts(memory.get_all()) == ["hello?"]
    asyncio.run(run(_agent(ScriptedLLM("hi")), memory, "are you there?"))
    assert texts(memory.get_all()) == ["hello?", "are you there?", "hi"]


def test_two_users_of_one_agent_never_see_each_other(memory: SessionMemoryBuffer) -> None:
    other = SessionMemoryBuffer.from_defaults(session_id="two", chat_store=memory.chat_store)
    llm = ScriptedLLM("ok")
    agent = _agent(llm)

    async def go() -> None:
        await asyncio.gather(
            *(agent.run(user_msg=f"mine {n}", memory=memory) for n in range(3)),
            *(agent.run(user_msg=f"theirs {n}", memory=other) for n in range(3)),
        )

    asyncio.run(go())
    asked = sorted(m.content or "" for m in memory.get_all() if m.role == "user")
    assert asked == ["mine 0", "mine 1", "mine 2"]
    assert all("mine" not in (m.content or "") for m in other.get_all())


def test_a_run_sees_what_another_said_in_the_meantime_from_its_next_question_on(memory: SessionMemoryBuffer) -> None:
    quick = ScriptedLLM("the other answer")

    async def wait() -> str:
        """Let another run ask and be answered."""
        await run(_agent(quick), memory, "the other question")
        memory.put(assistant("a word from aside"))
        return "waited"

    llm = ScriptedLLM(calls("a", name="wait"), "my answer", "my second answer")
    agent = _agent(llm, FunctionTool.from_defaults(async_fn=wait))

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="my question", memory=memory, ctx=ctx)
        await agent.run(user_msg="my second question", ctx=ctx)

    asyncio.run(go())
    assert texts(quick.heard[0]) == ["my question", "the other question"]
    assert [m.role.value for m in llm.heard[1]] == ["user", "assistant", "tool"]
    between = ["my question", "the other question", "the other answer", "a word from aside"]
    assert texts(llm.heard[2])[:4] == between
    assert texts(llm.heard[2])[-2:] == ["my answer", "my second question"]
    assert len(memory.get_all()) == len(llm.heard[2]) + 1


def test_a_chat_history_that_a_run_is_given_is_all_that_it_sees(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM("one", "two")
    agent = _agent(llm)

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="first", memory=memory, ctx=ctx)
        history = [user("first"), assistant("one"), assistant("by another"), user("second")]
        await agent.run(chat_history=history, ctx=ctx)

    asyncio.run(go())
    assert texts(llm.heard[1]) == ["first", "one", "by another", "second"]


def test_a_chat_history_that_is_passed_along_is_stored_once(memory: SessionMemoryBuffer) -> None:
    agent = _agent(ScriptedLLM("ok"))
    for question in ("one", "two", "three"):
        asyncio.run(run(agent, memory, question, chat_history=memory.get()))
    assert texts(memory.get_all()) == ["one", "ok", "two", "ok", "three", "ok"]
    assert len(memory.session.record(all_branches=True)) == 6


def test_a_workflow_of_agents_shares_one_memory(memory: SessionMemoryBuffer) -> None:
    handoff = calls("h", name="handoff", to_agent="clerk", reason="it knows")
    llm = ScriptedLLM(handoff, calls("a", n=2), "page 2 is read", "again")
    front = FunctionAgent(name="front", description="greets", tools=[look], llm=llm, streaming=False)
    clerk = FunctionAgent(name="clerk", description="reads", tools=[look], llm=llm, streaming=False)
    workflow = AgentWorkflow(agents=[front, clerk], root_agent="front")

    async def go() -> None:
        ctx: Context[Any] = Context(workflow)
        await workflow.run(user_msg="read page 2", memory=memory, ctx=ctx)
        again = Context.from_dict(workflow, ctx.to_dict())
        await workflow.run(user_msg="once more", ctx=again)

    asyncio.run(go())
    roles = [m.role.value for m in memory.get_all()]
    assert roles == [
        "user", "assistant", "tool", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert look(2) in texts(memory.get_all())


def test_the_messages_agents_edit_are_never_the_records(memory: SessionMemoryBuffer) -> None:
    memory.put(user("hello"))
    block = asyncio.run(memory.aget())[-1].blocks[0]
    assert isinstance(block, TextBlock)
    block.text = "edited"
    assert texts(asyncio.run(memory.aget())) == ["hello"]


def _fails(messages: Sequence[ChatMessage]) -> ChatMessage:
    raise RuntimeError("the model is gone")
